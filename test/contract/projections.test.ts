import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresProjections } from '../../src/adapters/postgres/postgres-projections.ts';
import { TenantDatabase } from '../../src/adapters/postgres/tenant-database.ts';
import { systemClock } from '../../src/clock.ts';
import { dailyPerformance } from '../../src/monitoring/daily-performance.ts';
import type { TrainedJob } from '../../src/registry/projections.ts';
import { type LocalDatabase, startLocalDatabase } from '../support/local-stores.ts';
import { datasetId, newJobId } from '../support/samples.ts';
import { modelName, tenantA, tenantAb } from '../support/tenants.ts';

let database: LocalDatabase;
let admin: postgres.Sql;
let connection: TenantDatabase;
let projections: PostgresProjections;

beforeAll(async () => {
  database = await startLocalDatabase();
  admin = database.server.connectAsSuperuser('tenantml');
  connection = new TenantDatabase(database.settings('tenantml_app'), {
    ...{ clock: systemClock, resumeWithinMs: 5_000 },
  });
  projections = new PostgresProjections(connection, 30);
});
afterAll(async () => {
  await connection?.close();
  await admin?.end();
  await database?.stop();
});

const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000).toISOString();
const job = (over: Partial<TrainedJob> = {}): TrainedJob => ({
  ...{ jobId: newJobId(), modelName: modelName('income'), modelVersion: '1.0.0', trigger: 'request' },
  ...{ datasetId: datasetId(), metrics: { f1_score: 0.8 }, actor: 'user', startedAt: daysAgo(0) },
  ...over,
});
const rows = async (table: string, tenant: string) =>
  (await admin`SELECT * FROM ${admin(table)} WHERE tenant_id = ${tenant}`).length;

describe('projections', () => {
  it('hold a job once, however often it is told', async () => {
    const told = job();
    await projections.trained(tenantA, told);
    await projections.trained(tenantA, told);
    expect(await rows('model_training_jobs', 'aa')).toBe(1);
    const [row] = await admin`SELECT * FROM model_training_jobs`;
    expect(row).toMatchObject({ job_id: told.jobId, status: 'completed', metrics: { f1_score: 0.8 } });
  });

  it('hold how a version does, the newest of what was said, each tenant its own', async () => {
    const of = { modelName: modelName('watched'), modelVersion: '1.0.0' };
    const told = (predictionId: string, actual: string) => ({
      ...{ ...of, predictionId, predicted: 'yes', actual, predictedAt: daysAgo(1), recordedAt: daysAgo(0) },
      ...{ actor: 'user', comment: undefined },
    });
    const many = Array.from({ length: 1_500 }, (_, i) => told(`p${i}`, i % 3 === 0 ? 'no' : 'yes'));
    const say = (feedback: typeof many, tenant = tenantA) =>
      projections.watched(tenant, of, { feedback, days: dailyPerformance('classification', feedback) });
    await say([]);
    await say(many);
    await say(many);
    await say([{ ...many[0]!, actual: 'yes' }, ...many.slice(1)]);
    await say([told('p0', 'no')], tenantAb);
    const kept = await admin`
      SELECT tenant_id, count(*)::int AS n, count(*) FILTER (WHERE predicted = actual)::int AS right
      FROM model_feedback WHERE model_name = 'watched' GROUP BY tenant_id ORDER BY tenant_id`;
    expect([...kept]).toEqual([
      { tenant_id: 'aa', n: 1_500, right: 1_001 },
      { tenant_id: 'aab', n: 1, right: 0 },
    ]);
    const [untouched] = await admin`
      SELECT row_version FROM model_feedback WHERE prediction_id = 'p1' AND tenant_id = 'aa'`;
    // What was said again is not written again.
    expect(untouched!.row_version).toBe('1');
    const days = await admin`
      SELECT tenant_id, n_samples, metrics FROM model_performance WHERE model_name = 'watched' ORDER BY tenant_id`;
    expect(days.map(({ n_samples }) => n_samples)).toEqual([1_500, 1]);
    expect(days[0]!.metrics.accuracy).toBeCloseTo(1_001 / 1_500, 12);
  });

  it('forget what is older than they are kept, of the tenant that works and of no other', async () => {
    for (const tenant of ['aa', 'aab']) {
      const of = { tenant_id: tenant, model_name: 'income' };
      const old = daysAgo(31);
      await admin`INSERT INTO model_training_jobs ${admin({
        ...{ ...of, job_id: 'old', status: 'failed', trigger: 'request', actor: 'user', started_at: old },
      })}`;
      for (const [prediction_id, predicted_at] of [
        ['old', old],
        ['new', daysAgo(29)],
      ] as const)
        await admin`INSERT INTO model_feedback ${admin({
          ...{
            ...of,
            prediction_id,
            model_version: '1.0.0',
            predicted: '"a"',
            actual: '"b"',
            predicted_at,
            actor: 'u',
          },
        })}`;
      for (const [alert_id, acknowledged_at] of [
        ['seen', old],
        ['unseen', null],
      ] as const)
        await admin`INSERT INTO model_alerts ${admin({
          ...{
            ...of,
            alert_id,
            kind: 'drift',
            severity: 'info',
            message: 'said',
            acknowledged_at,
            created_at: old,
          },
        })}`;
    }
    await projections.trained(tenantA, job());
    const kept = async (tenant: string) => [
      (await admin`SELECT FROM model_feedback WHERE tenant_id = ${tenant} AND model_name = 'income'`).length,
      await rows('model_alerts', tenant),
      (await admin`SELECT FROM model_training_jobs WHERE tenant_id = ${tenant} AND job_id = 'old'`).length,
    ];
    // An alert that nobody has seen waits for somebody.
    expect(await kept('aa')).toEqual([1, 1, 0]);
    expect(await kept(tenantAb.tenantId)).toEqual([2, 2, 1]);
  });

  it('are not forgotten all at once by a wrong number', async () => {
    for (const days of [0, -5])
      await expect(
        connection.transaction(tenantA, (sql) => sql`SELECT * FROM forget_projections(${days})`),
      ).rejects.toThrow('must be at least 1');
  });
});
