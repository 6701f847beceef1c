import { describe, expect, it } from 'vitest';
import { asPrediction, asTraining } from '../../../src/client/failing-as.ts';
import { JobFailedError } from '../../../src/client/follow-job.ts';
import { ApiError, ModelNotFoundError } from '../../../src/client/http-client.ts';
import type { Job } from '../../../src/contracts/training.ts';
import { PredictionError, TrainingError } from '../../../src/errors.ts';

const failing = (error: unknown) => async () => {
  throw error;
};
const job = (over: Partial<Job>) =>
  new JobFailedError({ job_id: '0'.repeat(26), status: 'failed', progress: 0.5, ...over } as Job);
const problem = (status: number, code: string) => ({
  ...{ type: 'x', title: 'x', status, detail: 'x', instance: '/', code, request_id: 'r' },
  errors: [{ pointer: '/target', detail: 'required' }],
});

describe('what a training or a prediction fails with', () => {
  it.each([400, 409, 413, 415, 422, 501, 502, 507])(
    'is of its kind for a refusal with status %d',
    async (status) => {
      const refusal = new ApiError(status, 'SOME_RULE', 'rule', { problem: problem(status, 'SOME_RULE') });
      for (const [as, Kind] of [
        [asTraining, TrainingError],
        [asPrediction, PredictionError],
      ] as const) {
        const raised = as(failing(refusal));
        await expect(raised).rejects.toBeInstanceOf(Kind);
        await expect(raised).rejects.toMatchObject({
          ...{ code: 'SOME_RULE', errorType: 'SOME_RULE', message: 'rule', cause: refusal },
          errors: [{ pointer: '/target', detail: 'required' }],
        });
      }
    },
  );

  it.each([401, 403, 404, 429, 500, 503])(
    'stays as it is for status %d, which is about something else',
    async (status) => {
      const error = new ApiError(status, 'OTHER', 'other');
      await expect(asTraining(failing(error))).rejects.toBe(error);
      await expect(asPrediction(failing(error))).rejects.toBe(error);
    },
  );

  it('stays ModelNotFoundError for a model that is not there', async () => {
    const error = new ModelNotFoundError('none', 'ghost', problem(404, 'MODEL_NOT_FOUND'));
    await expect(asPrediction(failing(error))).rejects.toBe(error);
  });

  it('has the code, the step and the message of a job that failed', async () => {
    const error = job({ error: { code: 'CONSTANT_TARGET', message: 'one value', step: 'validate' } });
    expect(error.message).toBe('CONSTANT_TARGET in step validate: one value');
    await expect(asTraining(failing(error))).rejects.toMatchObject({
      ...{ code: 'CONSTANT_TARGET', message: 'one value', name: 'TrainingError' },
      evidence: { step: 'validate', status: 'failed' },
    });
  });

  it('says that a job was cancelled', async () => {
    await expect(asTraining(failing(job({ status: 'cancelled' })))).rejects.toMatchObject({
      ...{ code: 'JOB_CANCELLED', message: expect.stringMatching(/was cancelled$/) },
    });
  });

  it('gives what the work gives', async () => {
    expect(await asTraining(async () => 7)).toBe(7);
  });
});
