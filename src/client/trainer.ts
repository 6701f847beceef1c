import type { z } from 'zod';
import type { Job, ModelTrainingRequest } from '../contracts/training.ts';
import { ValidationError } from '../errors.ts';
import { Connection, type ConnectionOptions, modelNameOf } from './connection.ts';
import { asTraining } from './failing-as.ts';
import { followJob } from './follow-job.ts';
import { given } from './given.ts';
import { type OnProgress, progressTo } from './progress.ts';
import { prepareData, type TrainingDataOptions } from './training-data.ts';

type Request = z.input<typeof ModelTrainingRequest>;
type Hyperparameters = NonNullable<Request['hyperparameters']>;

export interface TrainModelOptions extends TrainingDataOptions {
  readonly modelId: string;
  /** `classification` or `regression`; the platform refuses others and says which it has. @default - found from the target */
  readonly modelType?: string;
  /** @default 'gradient_boosting' */
  readonly algorithm?: Request['algorithm'];
  /** By scikit-learn's names: `n_estimators`, `max_depth`, `learning_rate`. */
  readonly hyperparameters?: Hyperparameters;
  /** Columns to learn from. @default - all but the target */
  readonly featureColumns?: readonly string[];
  /** Least rows with a target. @default 100 */
  readonly minSamples?: number;
  /** Deploy it when nothing is deployed, or when it is better than what is. @default true */
  readonly autoPromote?: boolean;
  readonly notes?: string;
  /** Other fields of the request, by their names on the wire: `cross_validation`, `search`, `random_state`, `split`, … */
  readonly request?: Partial<Omit<Request, 'model_name' | 'dataset_id' | 'target'>>;
  /** The tenant that is meant; another than the token's is refused. */
  readonly tenantId?: string;
  readonly onProgress?: OnProgress;
}

/** What a training came to. */
export interface TrainingResult {
  readonly model_id: string;
  readonly status: 'completed';
  /** Of the rows that the model did not learn from: the validation data, or those that the platform held out. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Seconds. */
  readonly training_time: number;
  readonly model_version: string;
}

/** A job of the platform that has completed, with what training always leaves. */
export type CompletedTraining = Job &
  Required<Pick<Job, 'model_name' | 'model_version' | 'metrics' | 'dataset_id'>>;

/** Trains models: brings the data to the platform, starts the job, and waits for its end. */
export class Trainer {
  readonly #connection: Connection;

  constructor(connection: ConnectionOptions | Connection = {}) {
    this.#connection = Connection.of(connection);
  }

  /**
   * @returns what came out, in the form of the documents
   * @throws {ValidationError} when the data is none
   * @throws {TrainingError} when the request is refused, or the job does not complete; its code says why
   * @throws {ApiError} when the caller may not, or the platform is busy or fails
   */
  async trainModel(options: TrainModelOptions): Promise<TrainingResult> {
    const job = await this.train(options);
    return {
      model_id: job.model_name,
      status: 'completed',
      metrics: job.metrics,
      training_time: job.training_time ?? 0,
      model_version: job.model_version,
    };
  }

  /** As `trainModel`. @returns the job, with all that is known of it: promotion, leaderboard, dataset */
  async train(options: TrainModelOptions): Promise<CompletedTraining> {
    const { modelId, tenantId, hyperparameters, notes, algorithm, onProgress } = options;
    const { featureColumns, minSamples, autoPromote, request = {} } = options;
    if (options.validationData !== undefined && (request.split ?? request.test_size) !== undefined)
      throw new ValidationError(
        'validationData is what the model is measured on; leave split and test_size out of the request',
      );
    await this.#connection.requireTenant(tenantId);
    const model_name = modelNameOf(modelId);
    return asTraining(async () => {
      const data = await prepareData(this.#connection, model_name, options);
      const { client } = this.#connection;
      const { job_id } = await client.call('trainModel', {
        body: {
          ...request,
          ...{ model_name, ...data },
          ...given({
            // What the platform has is the platform's to say.
            model_type: options.modelType as Request['model_type'],
            ...{ algorithm, hyperparameters, notes },
            features: featureColumns === undefined ? undefined : [...featureColumns],
            ...{ min_samples: minSamples, auto_promote: autoPromote },
          }),
        },
      });
      return (await followJob(client, job_id, progressTo(onProgress))) as CompletedTraining;
    });
  }
}
