import { PredictionError, TrainingError } from '../errors.ts';
import { JobFailedError } from './follow-job.ts';
import { ApiError } from './http-client.ts';

/** Answers that are about what was asked for, and neither about who asks nor about how busy the platform is. */
const refusals: readonly number[] = [400, 409, 413, 415, 422, 501, 502, 507];

type Kind = new (...given: ConstructorParameters<typeof TrainingError>) => TrainingError | PredictionError;

async function failingAs<Result>(Failure: Kind, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof JobFailedError) {
      const { job, code, message, evidence } = error;
      const step = job.error?.step === undefined ? {} : { step: job.error.step };
      throw new Failure(code, job.error?.message ?? message, {
        cause: error,
        evidence: { ...evidence, ...step },
      });
    }
    if (error instanceof ApiError && refusals.includes(error.status))
      throw new Failure(error.code, error.message, { cause: error, errors: error.errors });
    throw error;
  }
}

/** @throws {TrainingError} for a training that was refused or has failed, with the code that says why */
export const asTraining = <Result>(work: () => Promise<Result>): Promise<Result> =>
  failingAs(TrainingError, work);

/** @throws {PredictionError} for an input that was refused or a prediction that has failed, with the code that says why */
export const asPrediction = <Result>(work: () => Promise<Result>): Promise<Result> =>
  failingAs(PredictionError, work);
