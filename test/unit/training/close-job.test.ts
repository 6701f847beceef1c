import { beforeEach, describe, expect, it } from 'vitest';
import type { EventPublisher, PlatformEvent } from '../../../src/registry/event-publisher.ts';
import { type CloseJobEvent, caughtError, closeJob } from '../../../src/training/close-job.ts';
import type { StoredJob } from '../../../src/training/job-store.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryJobStore } from '../../support/memory-job-store.ts';
import { newJobId, sampleJob } from '../../support/samples.ts';
import { tenantA } from '../../support/tenants.ts';

let jobs: MemoryJobStore;
let told: { tenant: string; event: PlatformEvent }[];
let job: StoredJob;

beforeEach(async () => {
  jobs = new MemoryJobStore(new ManualClock());
  told = [];
  job = sampleJob();
  await jobs.create(tenantA, job);
});

const events: EventPublisher = {
  publish: async ({ tenantId }, event) => {
    told.push({ tenant: tenantId, event });
  },
};
const close = (event: CloseJobEvent) => closeJob(event, { jobs, events }, 'request');
const fail = (name: string, cause?: string): CloseJobEvent => ({
  step: 'fail',
  job_id: job.job_id,
  error: { Error: name, ...(cause === undefined ? {} : { Cause: cause }) },
});

describe('what a state machine caught', () => {
  it.each([
    [
      'CONSTANT_TARGET',
      '{"errorType":"CONSTANT_TARGET","errorMessage":"one class"}',
      'CONSTANT_TARGET',
      'one class',
    ],
    ['DATASET_TOO_LARGE', 'not JSON', 'DATASET_TOO_LARGE', 'not JSON'],
    ['CODE', '{"no":"message"}', 'CODE', '{"no":"message"}'],
    ['States.Timeout', '', 'TIMED_OUT', 'the job did not end by its deadline'],
    ['States.HeartbeatTimeout', undefined, 'TIMED_OUT', 'the job did not end by its deadline'],
    ['TIMED_OUT', '{"errorMessage":"late"}', 'TIMED_OUT', 'late'],
  ])('%s with cause %j is %s', (name, cause, code, message) => {
    expect(caughtError({ Error: name, ...(cause === undefined ? {} : { Cause: cause }) })).toEqual({
      code,
      message,
    });
  });

  it.each([
    'Runtime.ExitError',
    'Sandbox.Timedout',
    'Lambda.Unknown',
    'States.TaskFailed',
    'TypeError',
    'Error',
    '',
  ])('%s is a crash that shows nothing of its inside', (name) => {
    const { code, message } = caughtError({
      Error: name,
      Cause: '{"errorMessage":"secret at /var/task/index.cjs"}',
    });
    expect(code).toBe('STEP_CRASHED');
    expect(message).not.toContain('secret');
  });
});

describe('closeJob', () => {
  it('completes a job with what its steps found, and tells it once', async () => {
    const event: CloseJobEvent = {
      step: 'complete',
      job_id: job.job_id,
      input: { model_version: '1.0.0', metrics: { f1_score: 0.9 }, decision: 'deploy', reasons: ['first'] },
    };
    await close(event);
    await close(event);
    expect(await jobs.get(tenantA, job.job_id)).toMatchObject({
      status: 'completed',
      model_version: '1.0.0',
      metrics: { f1_score: 0.9 },
      promotion: { decision: 'deploy', reasons: ['first'] },
    });
    expect(told).toEqual([
      { tenant: 'aa', event: expect.objectContaining({ type: 'ml.training.completed', subject: 'income' }) },
    ]);
  });

  it('fails a job with the code, and the step at which it was', async () => {
    await jobs.progress(tenantA, job.job_id, { step: 'validate', progress: 0.1 });
    await close(fail('CONSTANT_TARGET', '{"errorMessage":"one class"}'));
    const error = { code: 'CONSTANT_TARGET', message: 'one class', step: 'validate' };
    expect(await jobs.get(tenantA, job.job_id)).toMatchObject({ status: 'failed', error });
    expect(told[0]!.event).toMatchObject({ type: 'ml.training.failed', data: { status: 'failed', error } });
  });

  it.each<[string, CloseJobEvent | ((id: string) => CloseJobEvent), string, string]>([
    ['a timeout of a step', () => fail('States.Timeout'), 'timed_out', 'TIMED_OUT'],
    ['a deadline that a step saw pass', () => fail('TIMED_OUT'), 'timed_out', 'TIMED_OUT'],
    ['a crash', () => fail('Runtime.ExitError'), 'failed', 'STEP_CRASHED'],
    ['a run that timed out', (id) => ended(id, 'TIMED_OUT'), 'timed_out', 'TIMED_OUT'],
    ['a run that was stopped', (id) => ended(id, 'ABORTED'), 'failed', 'RUN_STOPPED'],
    ['a run that failed', (id) => ended(id, 'FAILED'), 'failed', 'RUN_STOPPED'],
  ])('closes %s', async (_, event, status, code) => {
    await close(typeof event === 'function' ? event(job.job_id) : event);
    expect(await jobs.get(tenantA, job.job_id)).toMatchObject({ status, error: { code } });
  });

  it('leaves a job that was cancelled cancelled, and says nothing', async () => {
    await jobs.end(tenantA, job.job_id, { status: 'cancelled' });
    await close(ended(job.job_id, 'ABORTED'));
    await close(fail('JOB_ENDED'));
    expect((await jobs.get(tenantA, job.job_id))?.status).toBe('cancelled');
    expect(told).toEqual([]);
  });

  it('ends an ingest with its dataset, without an event of training', async () => {
    const ingest = sampleJob({ kind: 'ingest', request: undefined as never, dataset_id: undefined as never });
    await jobs.create(tenantA, ingest);
    await close({ step: 'complete', job_id: ingest.job_id, input: { dataset_id: 'd'.repeat(64) } });
    expect(await jobs.get(tenantA, ingest.job_id)).toMatchObject({
      status: 'completed',
      dataset_id: 'd'.repeat(64),
    });
    expect(told).toEqual([]);
  });

  it('refuses the run of a job that nobody created', async () => {
    await expect(close(ended(newJobId(), 'FAILED'))).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    await expect(close(ended('by-hand', 'FAILED'))).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });
});

function ended(name: string, status: string): CloseJobEvent {
  return { 'detail-type': 'Step Functions Execution Status Change', detail: { name, status } };
}
