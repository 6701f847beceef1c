import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentClient, documentClients } from '../../src/adapters/aws/document-client.ts';
import { DynamoDbJobStore } from '../../src/adapters/aws/dynamodb-job-store.ts';
import { encodeCursor } from '../../src/adapters/page-cursor.ts';
import { ValidationError } from '../../src/errors.ts';
import { itemKeys } from '../../src/tenancy/keys.ts';
import { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { JobEndedError, type JobStore } from '../../src/training/job-store.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { newJobId, sampleJob, sampleRequest } from '../support/samples.ts';
import { tenantA, tenantAb, tenantB, tenantNamed } from '../support/tenants.ts';

let stores: LocalStores;
let clock: ManualClock;
let jobs: JobStore;

beforeAll(async () => {
  stores = await startLocalStores();
  clock = new ManualClock();
  jobs = new DynamoDbJobStore(documentClients(ownSessions), stores.names.JobsTable, clock);
});
afterAll(() => stores?.stop());

describe('JobStore on DynamoDB', () => {
  it('gives back a job as it was created, and nothing of how it is stored', async () => {
    const job = sampleJob();
    await jobs.create(tenantA, job);
    expect(await jobs.get(tenantA, job.job_id)).toEqual(job);
  });

  it('knows nothing of a job that was never created', async () => {
    expect(await jobs.get(tenantA, newJobId())).toBeUndefined();
    expect(await jobs.ownerOf(newJobId())).toBeUndefined();
  });

  it('leads from a job id to the tenant and the subject that created it', async () => {
    const job = sampleJob();
    await jobs.create(tenantAb, job);
    expect(await jobs.ownerOf(job.job_id)).toEqual({ tenant: 'aab', subject: 'user-of-aab' });
    const tenant = await TenantContext.fromJob(jobs, job.job_id, 'r');
    expect(tenant.tenantId).toBe('aab');
    expect(tenant.actor).toBe('user-of-aab');
  });

  it('refuses a job id that exists, whosever it is, and leaves that job as it was', async () => {
    const job = sampleJob();
    await jobs.create(tenantA, job);
    for (const other of [tenantA, tenantAb, tenantB]) {
      await expect(jobs.create(other, sampleJob({ job_id: job.job_id, actor: 'other' }))).rejects.toThrow();
    }
    expect(await jobs.ownerOf(job.job_id)).toEqual({ tenant: 'aa', subject: 'user-of-aa' });
    expect((await jobs.get(tenantA, job.job_id))?.actor).toBe('user-of-aa');
    expect(await jobs.get(tenantAb, job.job_id)).toBeUndefined();
  });

  it('shows no tenant the jobs of another, nor lets it write to them', async () => {
    const job = sampleJob();
    await jobs.create(tenantA, job);
    for (const stranger of [tenantAb, tenantB]) {
      expect(await jobs.get(stranger, job.job_id)).toBeUndefined();
      expect((await jobs.list(stranger, { limit: 100 })).items.map(({ job_id }) => job_id)).not.toContain(
        job.job_id,
      );
      await expect(jobs.progress(stranger, job.job_id, { step: 'fit', progress: 0.5 })).rejects.toThrow(
        JobEndedError,
      );
      expect(await jobs.end(stranger, job.job_id, { status: 'cancelled' })).toBe(false);
      expect(await jobs.get(stranger, job.job_id)).toBeUndefined();
    }
    expect(await jobs.get(tenantA, job.job_id)).toEqual(job);
  });

  it('marks a job running at its first word of progress and keeps the time when it started', async () => {
    const job = sampleJob();
    await jobs.create(tenantA, job);
    clock.advance(1_000);
    const started = new Date(clock.nowMs()).toISOString();
    await jobs.progress(tenantA, job.job_id, { step: 'load', progress: 0.02 });
    clock.advance(5_000);
    await jobs.progress(tenantA, job.job_id, { step: 'fit', progress: 0.5 });
    expect(await jobs.get(tenantA, job.job_id)).toMatchObject({
      status: 'running',
      step: 'fit',
      progress: 0.5,
      started_at: started,
      updated_at: new Date(clock.nowMs()).toISOString(),
    });
  });

  it('never goes back, whichever of parallel steps speaks last, but says which one that was', async () => {
    const job = sampleJob();
    await jobs.create(tenantA, job);
    await jobs.progress(tenantA, job.job_id, { step: 'evaluate-candidate', progress: 0.5 });
    await jobs.progress(tenantA, job.job_id, { step: 'evaluate-candidate', progress: 0.3 });
    await jobs.progress(tenantA, job.job_id, { step: 'fit', progress: 0.1 });
    expect(await jobs.get(tenantA, job.job_id)).toMatchObject({ step: 'fit', progress: 0.5 });
  });

  it('counts a part once, whichever of parallel steps says it and how often', async () => {
    const job = sampleJob({ kind: 'batch' });
    await jobs.create(tenantA, job);
    expect(await jobs.finishPart(tenantA, job.job_id, 7)).toEqual([7]);
    const all = [0, 7, 12, 0].map((part) => jobs.finishPart(tenantA, job.job_id, part));
    await Promise.all(all);
    expect([...(await jobs.get(tenantA, job.job_id))!.parts_done!].sort((a, b) => a - b)).toEqual([0, 7, 12]);
    for (const stranger of [tenantAb, tenantB]) {
      await expect(jobs.finishPart(stranger, job.job_id, 1)).rejects.toThrow(JobEndedError);
    }
    await jobs.end(tenantA, job.job_id, { status: 'cancelled' });
    await expect(jobs.finishPart(tenantA, job.job_id, 1)).rejects.toThrow(JobEndedError);
  });

  it('keeps what was found out before the end, and adds to it', async () => {
    const job = sampleJob();
    await jobs.create(tenantA, job);
    const cross_validation = { kind: 'kfold', n_folds: 5, cv_mean: { rmse: 1e-7 }, cv_std: { rmse: 0 } };
    const leaderboard = {
      ...{ metric: 'rmse', n_candidates: 1 },
      entries: [
        {
          ...{
            rank: 1,
            id: 'ridge-1',
            role: 'linear' as const,
            algorithm: 'ridge',
            status: 'winner' as const,
          },
          ...{ hyperparameters: { alpha: 0.1, solver: null }, mean: 1.5 },
        },
      ],
    };
    await jobs.record(tenantA, job.job_id, { algorithm: 'ridge', leaderboard, cross_validation });
    const baselines = { naive: { algorithm: 'baseline', metrics: { rmse: 3 } } };
    await jobs.record(tenantA, job.job_id, { baselines });
    const found = { algorithm: 'ridge', leaderboard, cross_validation, baselines };
    expect(await jobs.get(tenantA, job.job_id)).toMatchObject(found);
    await jobs.end(tenantA, job.job_id, { status: 'completed', metrics: { rmse: 1 } });
    expect(await jobs.get(tenantA, job.job_id)).toMatchObject({ ...found, metrics: { rmse: 1 } });
    await expect(jobs.record(tenantA, job.job_id, { baselines: {} })).rejects.toThrow(JobEndedError);
    for (const stranger of [tenantAb, tenantB]) {
      await expect(jobs.record(stranger, job.job_id, { baselines: {} })).rejects.toThrow(JobEndedError);
    }
    expect(await jobs.get(tenantA, job.job_id)).toMatchObject(found);
  });

  it('ends a job once: what comes later changes nothing', async () => {
    const job = sampleJob();
    await jobs.create(tenantA, job);
    const promotion = { decision: 'deploy' as const, reasons: ['nothing is deployed yet'] };
    expect(
      await jobs.end(tenantA, job.job_id, {
        status: 'completed',
        modelVersion: '1.0.0',
        metrics: { f1_score: 0.9 },
        promotion,
      }),
    ).toBe(true);
    const ended = await jobs.get(tenantA, job.job_id);
    expect(ended).toMatchObject({ status: 'completed', progress: 1, model_version: '1.0.0', promotion });
    clock.advance(1_000);
    for (const status of ['completed', 'failed', 'timed_out', 'cancelled'] as const) {
      expect(await jobs.end(tenantA, job.job_id, { status })).toBe(false);
    }
    await expect(jobs.progress(tenantA, job.job_id, { step: 'fit', progress: 0.5 })).rejects.toMatchObject({
      code: 'JOB_ENDED',
    });
    expect(await jobs.get(tenantA, job.job_id)).toEqual(ended);
  });

  it('lets exactly one of twenty that end a job at once succeed', async () => {
    const job = sampleJob();
    await jobs.create(tenantA, job);
    const ends = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        jobs.end(tenantA, job.job_id, {
          status: i % 2 === 0 ? 'cancelled' : 'failed',
          error: { code: `E${i}`, message: 'x' },
        }),
      ),
    );
    const winner = ends.indexOf(true);
    expect(ends.filter(Boolean)).toHaveLength(1);
    expect((await jobs.get(tenantA, job.job_id))?.error?.code).toBe(`E${winner}`);
  });

  it('gives back numbers beyond 2^53 as they were, alone and in the list', async () => {
    const tenant = tenantNamed('large');
    const request = sampleRequest({ hyperparameters: { alpha: 1e20 } });
    const job = sampleJob({ request });
    await jobs.create(tenant, job);
    const metrics = { rmse: 2 ** 53 + 2, mape: 4.5e15 * 1e9, r2: -1e100, mae: 0.1 };
    await jobs.end(tenant, job.job_id, { status: 'completed', modelVersion: '1.0.0', metrics });
    const ended = await jobs.get(tenant, job.job_id);
    expect([ended?.metrics, ended?.request]).toEqual([metrics, request]);
    expect((await jobs.list(tenant, { limit: 5 })).items).toEqual([ended]);
  });

  it('creates a job whose owner was written before a crash, but not for another tenant', async () => {
    const job = sampleJob();
    const Item = { ...itemKeys.jobOwner(job.job_id), tenant: 'aa', subject: tenantA.actor };
    await documentClient().send(new PutCommand({ TableName: stores.names.JobsTable, Item }));
    for (const stranger of [tenantAb, tenantB]) await expect(jobs.create(stranger, job)).rejects.toThrow();
    await jobs.create(tenantA, job);
    expect(await jobs.get(tenantA, job.job_id)).toEqual(job);
    expect(await jobs.ownerOf(job.job_id)).toEqual({ tenant: 'aa', subject: 'user-of-aa' });
  });

  it('cannot end or move a job that was never created', async () => {
    const id = newJobId();
    expect(await jobs.end(tenantA, id, { status: 'failed' })).toBe(false);
    await expect(jobs.progress(tenantA, id, { step: 'load', progress: 0 })).rejects.toThrow(JobEndedError);
    expect(await jobs.get(tenantA, id)).toBeUndefined();
  });
});

describe('the list of jobs', () => {
  const mine = tenantNamed('lister');
  const other = tenantNamed('lister2');
  const ids = Array.from({ length: 7 }, (_, i) => newJobId(1_700_000_000_000 + i));

  beforeAll(async () => {
    for (const job_id of ids) await jobs.create(mine, sampleJob({ job_id }));
    for (let i = 0; i < 3; i++)
      await jobs.create(other, sampleJob({ job_id: newJobId(1_700_000_000_003 + i) }));
  });

  it('is newest first, and its pages hold every job once', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await jobs.list(mine, { limit: 3, ...(cursor === undefined ? {} : { cursor }) });
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.items.map(({ job_id }) => job_id));
      cursor = page.nextCursor;
      pages++;
    } while (cursor !== undefined && pages < 10);
    expect(seen).toEqual([...ids].reverse());
  });

  it('is empty for a tenant without jobs', async () => {
    expect(await jobs.list(tenantNamed('nobody'), { limit: 10 })).toEqual({ items: [] });
  });

  it("leads a stranger's cursor into one's own jobs only", async () => {
    const { nextCursor } = await jobs.list(mine, { limit: 3 });
    const page = await jobs.list(other, { limit: 10, cursor: nextCursor! });
    const own = (await jobs.list(other, { limit: 10 })).items.map(({ job_id }) => job_id);
    expect(page.items.length).toBeGreaterThan(0);
    for (const { job_id } of page.items) expect(own).toContain(job_id);
  });

  it.each([
    '',
    'garbage',
    '%%%',
    encodeCursor('tenant/lister/'),
    encodeCursor('upload/01ARZ3NDEKTSV4RRFFQ69G5FAV/'),
    encodeCursor('job/01ARZ3NDEKTSV4RRFFQ69G5FAV/../x/'),
    encodeCursor('job/01ARZ3NDEKTSV4RRFFQ69G5FAV/\n'),
    'a'.repeat(1_000),
  ])('refuses the cursor %j', async (cursor) => {
    await expect(async () => jobs.list(mine, { limit: 3, cursor })).rejects.toThrow(ValidationError);
  });
});
