import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgedJobs } from '../../src/adapters/aws/aged-jobs.ts';
import { AgedPredictions } from '../../src/adapters/aws/aged-predictions.ts';
import { documentClients } from '../../src/adapters/aws/document-client.ts';
import { DynamoDbJobStore } from '../../src/adapters/aws/dynamodb-job-store.ts';
import { DynamoDbTenantSettings } from '../../src/adapters/aws/dynamodb-tenant-settings.ts';
import { s3Clients } from '../../src/adapters/aws/s3-objects.ts';
import type { JobId } from '../../src/contracts/names.ts';
import { objectKeys } from '../../src/tenancy/keys.ts';
import { removeAged } from '../../src/tenancy/retention.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { sampleJob } from '../support/samples.ts';
import { tenantA, tenantAb, tenantB } from '../support/tenants.ts';

const dayMs = 86_400_000;
const now = Date.parse('2026-03-31T12:00:00Z');
let stores: LocalStores;
let jobs: DynamoDbJobStore;
let settings: DynamoDbTenantSettings;
let s3: S3Client;

beforeAll(async () => {
  stores = await startLocalStores();
  jobs = new DynamoDbJobStore(documentClients(ownSessions), stores.names.JobsTable, new ManualClock());
  settings = new DynamoDbTenantSettings(documentClients(ownSessions), stores.names.ServingTable);
  s3 = new S3Client({});
});
afterAll(() => stores?.stop());

const change = { changed_by: 'user-1', changed_at: '2026-01-01T00:00:00Z' };
const idOf = (daysAgo: number) => ulid(now - daysAgo * dayMs) as JobId;

const failures: unknown[] = [];
const run = () =>
  removeAged(
    {
      wishes: settings,
      stores: {
        prediction_log_days: new AgedPredictions(s3Clients(ownSessions), stores.names.PredictionBucket),
        job_days: new AgedJobs(documentClients(ownSessions), stores.names.JobsTable),
      },
      clock: { nowMs: () => now },
      onFailure: (...failure) => failures.push(failure),
    },
    'r',
    () => true,
  );

describe('what is older than its tenant keeps it', () => {
  it('goes, and nothing of others, nothing that is younger, and no job that has not ended', async () => {
    const ids = { old: idOf(8), young: idOf(6), live: idOf(9) };
    for (const tenant of [tenantA, tenantAb, tenantB]) {
      for (const [name, job_id] of Object.entries(ids)) {
        const own = tenant === tenantA ? job_id : (ulid(now - 8 * dayMs) as JobId);
        await jobs.create(
          tenant,
          sampleJob({ job_id: own, status: name === 'live' ? 'running' : 'completed' }),
        );
      }
      for (const daysAgo of [0, 1, 2, 3])
        await s3.send(
          new PutObjectCommand({
            Bucket: stores.names.PredictionBucket,
            Key: objectKeys.predictionBatch(tenant, {
              timeMs: now - daysAgo * dayMs,
              ...{ environment: 'e', batch: 1 },
            }),
            Body: 'x',
          }),
        );
    }
    const own = { retention: { prediction_log_days: 2, job_days: 7 } };
    await settings.write(tenantA, own, { ...change, from: 0 });
    // Settings that say nothing of it are no wish.
    await settings.write(tenantAb, { log_features: 'hash' }, { ...change, from: 0 });

    expect(await run()).toEqual({ prediction_log_days: 1, job_days: 1 });
    expect(failures).toEqual([]);
    const left = (await jobs.list(tenantA, { limit: 10 })).items.map(({ job_id }) => job_id);
    expect(left.sort()).toEqual([ids.live, ids.young].sort());
    expect([await jobs.ownerOf(ids.old), await jobs.ownerOf(ids.young)]).toEqual([
      undefined,
      { tenant: 'aa', subject: 'user-of-aa' },
    ]);
    for (const other of [tenantAb, tenantB])
      expect((await jobs.list(other, { limit: 10 })).items).toHaveLength(3);
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: stores.names.PredictionBucket }),
    );
    const days = (tenant: string) =>
      Contents.flatMap(({ Key }) =>
        Key!.startsWith(`tenants/${tenant}/`) ? [Key!.match(/dt=([\d-]+)/)![1]] : [],
      );
    expect(days('aa')).toEqual(['2026-03-29', '2026-03-30', '2026-03-31']);
    for (const other of ['aab', 'bb']) expect(days(other)).toHaveLength(4);
    expect(await run()).toEqual({ prediction_log_days: 0, job_days: 0 });
  });

  it('of one tenant that fails keeps no other from it', async () => {
    const seen: string[] = [];
    await removeAged(
      {
        wishes: {
          wishes: async () => ['bad', 'good'].map((reference) => ({ reference, days: { job_days: 1 } })),
          ownerOf: async (reference) => (reference === 'good' ? { tenant: 'aa', subject: 's' } : undefined),
        },
        stores: {
          prediction_log_days: { removeBefore: async () => 0 },
          job_days: { removeBefore: async ({ tenantId }) => seen.push(tenantId) },
        },
        clock: { nowMs: () => now },
        onFailure: (reference) => seen.push(`failed ${reference}`),
      },
      'r',
      () => true,
    );
    expect(seen).toEqual(['failed bad', 'aa']);
  });
});
