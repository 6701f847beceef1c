import { beforeEach, describe, expect, it } from 'vitest';
import type { Dataset } from '../../../src/contracts/datasets.ts';
import type { JobId } from '../../../src/contracts/names.ts';
import { TenantContext } from '../../../src/tenancy/tenant-context.ts';
import type { Executions } from '../../../src/training/executions.ts';
import { jobView } from '../../../src/training/job-view.ts';
import { TrainingJobs } from '../../../src/training/training-jobs.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryJobStore } from '../../support/memory-job-store.ts';
import { newJobId, sampleDataset, sampleJob, sampleRequest } from '../../support/samples.ts';
import { tenantA, tenantAb } from '../../support/tenants.ts';

class Recorder implements Executions {
  readonly started: { jobId: string; input: object }[] = [];
  readonly stopped: string[] = [];

  async start(jobId: string, input: object) {
    this.started.push({ jobId, input });
  }

  async stop(jobId: string) {
    this.stopped.push(jobId);
  }
}

const columns: Dataset['columns'] = [
  { name: 'age', type: 'number', n_missing: 0, n_distinct: 50 },
  { name: 'income', type: 'category', n_missing: 0, n_distinct: 2 },
  { name: 'few', type: 'number', n_missing: 0, n_distinct: 20 },
  { name: 'many', type: 'number', n_missing: 0, n_distinct: 21 },
  { name: 'flag', type: 'boolean', n_missing: 0, n_distinct: 2 },
];

let clock: ManualClock;
let jobs: MemoryJobStore;
let executions: Recorder;
let training: TrainingJobs;

beforeEach(() => {
  clock = new ManualClock();
  jobs = new MemoryJobStore(clock);
  executions = new Recorder();
  training = new TrainingJobs({
    ...{ jobs, executions, clock, timeoutMinutes: 30 },
    dataset: async (tenant) =>
      tenant.tenantId === 'aa' ? sampleDataset({ columns, n_columns: 5 }) : undefined,
    newJobId: () => newJobId(),
  });
});

describe('starting a training', () => {
  it('stores the job, then starts its run by its name, with its deadline and no data', async () => {
    const job = await training.start(tenantA, sampleRequest());
    expect(job).toMatchObject({ status: 'queued', progress: 0, trigger: 'request', actor: 'user-of-aa' });
    expect(executions.started).toEqual([
      {
        jobId: job.job_id,
        input: { job_id: job.job_id, deadline: '2026-01-31T12:30:00.000Z', timeout_seconds: 1_800 },
      },
    ]);
    expect(await jobs.get(tenantA, job.job_id)).toEqual(job);
  });

  it.each([
    [5, '2026-01-31T12:05:00.000Z', 300],
    // What the platform gives now is less than what the tenant once wanted.
    [45, '2026-01-31T12:30:00.000Z', 1_800],
    [undefined, '2026-01-31T12:30:00.000Z', 1_800],
  ])('gives it no more time than a tenant that wants %s minutes', async (own, deadline, timeout_seconds) => {
    const bounded = new TrainingJobs({
      ...{ jobs, executions, clock, timeoutMinutes: 30, newJobId: () => newJobId() },
      dataset: async () => sampleDataset({ columns, n_columns: 5 }),
      ownTimeoutMinutes: async ({ tenantId }) => (tenantId === 'aa' ? own : 1),
    });
    await bounded.start(tenantA, sampleRequest());
    expect(executions.started.at(-1)!.input).toMatchObject({ deadline, timeout_seconds });
  });

  it('deploys for nobody who may not deploy: the version waits', async () => {
    const scientist = TenantContext.fromClaims(
      { tenant: 'aa', role: 'data-scientist', expires_at: 4_102_444_800 },
      'r',
      0,
    );
    const promotes = async (tenant: TenantContext, auto_promote: boolean) =>
      (await training.start(tenant, sampleRequest({ auto_promote }))).request!.auto_promote;
    expect([
      await promotes(scientist, true),
      await promotes(tenantA, true),
      await promotes(tenantA, false),
    ]).toEqual([...[false, true, false]]);
  });

  it.each([
    ['income', 'classification'],
    ['flag', 'classification'],
    ['few', 'classification'],
    ['many', 'regression'],
  ])('takes the target %s for %s', async (target, task) => {
    const job = await training.start(tenantA, sampleRequest({ target, model_type: undefined }));
    expect(job.request?.model_type).toBe(task);
  });

  it.each([
    ['income', 'classification'],
    ['many', 'regression'],
  ])('finds the task of auto from the target %s: %s', async (target, task) => {
    const job = await training.start(
      tenantA,
      sampleRequest({ target, algorithm: 'auto', model_type: undefined }),
    );
    expect(job.request).toMatchObject({ algorithm: 'auto', model_type: task });
  });

  it('lets an algorithm that knows one task decide', async () => {
    const ridge = await training.start(
      tenantA,
      sampleRequest({ target: 'few', algorithm: 'ridge', model_type: undefined }),
    );
    expect(ridge.request?.model_type).toBe('regression');
  });

  it.each<[string, Parameters<typeof sampleRequest>[0], string, string | undefined]>([
    ['a target that is no column', { target: 'incom' }, 'VALIDATION_FAILED', '/target'],
    ['a feature that is no column', { features: ['age', 'size'] }, 'VALIDATION_FAILED', '/features/1'],
    ['the target as a feature', { features: ['income'] }, 'VALIDATION_FAILED', '/features/0'],
    [
      'an unknown hyperparameter',
      { hyperparameters: { n_estimator: 5 } },
      'UNKNOWN_HYPERPARAMETER',
      undefined,
    ],
    [
      'a search with auto',
      { algorithm: 'auto', search: { method: 'grid', n_candidates: 3 } },
      'VALIDATION_FAILED',
      '/search',
    ],
    [
      'a group column that is none',
      { cross_validation: { folds: 5, kind: 'group', group_column: 'shop' } },
      'VALIDATION_FAILED',
      '/cross_validation/group_column',
    ],
    [
      'ridge for classes',
      { algorithm: 'ridge', model_type: 'classification' },
      'ALGORITHM_TASK_MISMATCH',
      undefined,
    ],
  ])('refuses %s before a job exists', async (_, over, code, pointer) => {
    const error = await training.start(tenantA, sampleRequest(over)).then(
      () => undefined,
      (one: { code: string; errors: { pointer: string }[] }) => one,
    );
    expect(error?.code).toBe(code);
    if (pointer !== undefined) expect(error?.errors[0]?.pointer).toBe(pointer);
    expect([executions.started, (await jobs.list(tenantA)).items]).toEqual([[], []]);
  });

  it('knows no dataset of another tenant', async () => {
    await expect(training.start(tenantAb, sampleRequest())).rejects.toMatchObject({
      code: 'DATASET_NOT_FOUND',
    });
  });
});

describe('looking at a job', () => {
  const at = async (over: Parameters<typeof sampleJob>[0] = {}): Promise<JobId> => {
    const job = sampleJob(over);
    await jobs.create(tenantA, job);
    return job.job_id;
  };

  it('finds none of another tenant, and none that never was', async () => {
    const id = await at();
    await expect(training.get(tenantAb, id)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    await expect(training.get(tenantA, newJobId())).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('closes a job that was forgotten ten minutes after its deadline, and not before', async () => {
    const id = await at({ status: 'running', started_at: '2026-01-31T12:00:01.000Z' });
    clock.advance(40 * 60_000);
    expect((await training.get(tenantA, id)).status).toBe('running');
    clock.advance(1);
    const closed = await training.get(tenantA, id);
    expect(closed).toMatchObject({ status: 'timed_out', error: { code: 'TIMED_OUT' } });
    expect(await training.get(tenantA, id)).toEqual(closed);
  });

  it('starts the run of a job again that has been queued for a minute: a start can be repeated', async () => {
    const id = await at();
    clock.advance(60_000);
    await training.get(tenantA, id);
    expect(executions.started).toEqual([]);
    clock.advance(1);
    await training.get(tenantA, id);
    expect(executions.started.map(({ jobId }) => jobId)).toEqual([id]);
  });

  it('starts nothing again that runs, has ended or is an ingest', async () => {
    const ids = [
      await at({ status: 'running' }),
      await at({ status: 'failed' }),
      await at({ kind: 'ingest' }),
    ];
    clock.advance(5 * 60_000);
    for (const id of ids) await training.get(tenantA, id);
    expect(executions.started).toEqual([]);
  });

  it('shows nothing of how it is stored, and how long it took', async () => {
    const job = sampleJob({ started_at: '2026-01-31T12:00:01.000Z', ended_at: '2026-01-31T12:00:03.500Z' });
    const view = jobView(job);
    expect(view.training_time).toBe(2.5);
    for (const hidden of ['actor', 'request', 'upload_id']) expect(view).not.toHaveProperty(hidden);
    expect(jobView(sampleJob())).not.toHaveProperty('training_time');
  });
});

describe('cancelling a job', () => {
  it('ends it at once and stops its run', async () => {
    const job = await training.start(tenantA, sampleRequest());
    const cancelled = await training.cancel(tenantA, job.job_id, () => executions);
    expect(cancelled.status).toBe('cancelled');
    expect(executions.stopped).toEqual([job.job_id]);
  });

  it('refuses what has ended, and leaves the run alone', async () => {
    const job = await training.start(tenantA, sampleRequest());
    await jobs.end(tenantA, job.job_id, { status: 'completed' });
    await expect(training.cancel(tenantA, job.job_id, () => executions)).rejects.toMatchObject({
      code: 'JOB_ALREADY_ENDED',
    });
    expect(executions.stopped).toEqual([]);
  });

  it('cancels nothing of another tenant', async () => {
    const job = await training.start(tenantA, sampleRequest());
    await expect(training.cancel(tenantAb, job.job_id, () => executions)).rejects.toMatchObject({
      code: 'JOB_NOT_FOUND',
    });
    expect([(await jobs.get(tenantA, job.job_id))?.status, executions.stopped]).toEqual(['queued', []]);
  });
});
