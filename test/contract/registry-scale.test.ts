import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillRegistry } from '../../bench/large-registry.ts';
import { PostgresModelCatalog } from '../../src/adapters/postgres/postgres-model-catalog.ts';
import { PostgresModelRegistry } from '../../src/adapters/postgres/postgres-model-registry.ts';
import { PostgresRegistryArchive } from '../../src/adapters/postgres/postgres-registry-archive.ts';
import { PostgresRegistryHistory } from '../../src/adapters/postgres/postgres-registry-history.ts';
import { TenantDatabase } from '../../src/adapters/postgres/tenant-database.ts';
import { systemClock } from '../../src/clock.ts';
import { type LocalDatabase, startLocalDatabase } from '../support/local-stores.ts';
import { slice } from '../support/proof.ts';
import { registrationOf, sampleManifest } from '../support/samples.ts';
import { modelName, tenantA } from '../support/tenants.ts';

const nModels = 1_000;
let database: LocalDatabase;
let admin: postgres.Sql;
let connection: TenantDatabase;

beforeAll(async () => {
  database = await startLocalDatabase();
  admin = database.server.connectAsSuperuser('tenantml');
  // 100,000 versions, half of them of somebody else; of every test run a tenth.
  for (const tenant of ['aa', 'bb'])
    await fillRegistry(admin, tenant, { nModels: nModels / 2, nVersions: slice(10, 100) });
  connection = new TenantDatabase(database.settings('tenantml_app'), {
    ...{ clock: systemClock, resumeWithinMs: 5_000 },
  });
}, 120_000);
afterAll(async () => {
  await connection?.close();
  await admin?.end();
  await database?.stop();
});

/** Rows that sequential scans have read, by table, as the server counts them. */
async function scannedRows(): Promise<Map<string, number>> {
  const rows = await admin<{ relname: string; n: string }[]>`
    SELECT relname, seq_tup_read AS n FROM pg_stat_user_tables WHERE schemaname = 'public'`;
  return new Map(rows.map(({ relname, n }) => [relname, Number(n)]));
}

const name = modelName('model-00250');
const stores = () => ({
  registry: new PostgresModelRegistry(connection),
  catalog: new PostgresModelCatalog(connection),
  history: new PostgresRegistryHistory(connection),
  archive: new PostgresRegistryArchive(connection),
});

const hot: Record<string, (s: ReturnType<typeof stores>) => Promise<unknown>> = {
  'a page of models': ({ registry }) => registry.list(tenantA, { limit: 50 }),
  'a later page': ({ registry }) =>
    registry.list(tenantA, { limit: 50, cursor: Buffer.from('model-00400').toString('base64url') }),
  'models by a part of their name': ({ registry }) => registry.list(tenantA, { limit: 50, search: '0025' }),
  'models by stage': ({ registry }) => registry.list(tenantA, { limit: 50, stage: 'Staging' }),
  'models by tag': ({ registry }) => registry.list(tenantA, { limit: 50, tag: 'team=team-3' }),
  'a model': ({ registry }) => registry.model(tenantA, name),
  'a version by semver': ({ registry }) => registry.version(tenantA, name, '1.5.0'),
  'a version by build': ({ registry }) => registry.version(tenantA, name, 'build-250-5'),
  'the champion': ({ registry }) => registry.version(tenantA, name),
  'what every environment serves': ({ registry }) => registry.environments(tenantA, name),
  'what staging serves': ({ registry }) => registry.version(tenantA, name, 'staging'),
  'what is deployed': ({ registry }) => registry.deployment(tenantA, name),
  'a page of versions': ({ catalog }) => catalog.versions(tenantA, name, { limit: 50 }),
  'versions by stage': ({ catalog }) => catalog.versions(tenantA, name, { limit: 50, stage: 'Staging' }),
  aliases: ({ catalog }) => catalog.aliases(tenantA, name),
  'the history': ({ history }) =>
    history.deployments(tenantA, name, { limit: 50, at: '2999-01-01T00:00:00Z' }),
  'the history of an environment': ({ history }) =>
    history.deployments(tenantA, name, { limit: 50, environment: 'staging' }),
  'the audit log': ({ history }) => history.audit(tenantA, { limit: 100 }),
  'the audit log of a model': ({ history }) => history.audit(tenantA, { limit: 100, subject: name }),
  'the lineage': ({ history }) => history.lineage(tenantA, name),
  'a page of the export': ({ archive }) => archive.export(tenantA, { limit: 2 }),
  'a deployment': ({ registry }) => registry.deploy(tenantA, name, '1.8.0'),
  'a deployment to staging': ({ registry }) => registry.deployTo(tenantA, name, 'staging', '1.7.0'),
  'a registration': ({ registry }) =>
    registry.register(tenantA, registrationOf(tenantA, sampleManifest({ model_name: name }))),
  'an archive of old versions': ({ catalog }) => catalog.archiveOldVersions(tenantA, name, { keepLatest: 5 }),
};

describe('with very many versions', () => {
  it.each(Object.keys(hot))('%s reads no table from end to end', async (what) => {
    await hot[what]!(stores());
    // The server's counters reach the view when the session that made them has been idle, or is asked to.
    await connection.transaction(tenantA, (sql) => sql`SELECT pg_stat_force_next_flush()`);
    const before = await scannedRows();
    await hot[what]!(stores());
    await connection.transaction(tenantA, (sql) => sql`SELECT pg_stat_force_next_flush()`);
    const after = await scannedRows();
    // All models may be looked at: they are few, and half of them are the tenant's.
    const scanned = [...after].map(([table, n]) => [table, n - before.get(table)!] as const);
    expect(scanned.filter(([, n]) => n > nModels)).toEqual([]);
  });

  it('would be seen if a query did: the counters count', async () => {
    const before = await scannedRows();
    await connection.transaction(tenantA, async (sql) => {
      await sql`SET LOCAL enable_indexscan = off`;
      await sql`SET LOCAL enable_bitmapscan = off`;
      await sql`SET LOCAL enable_indexonlyscan = off`;
      await sql`SELECT count(*) FROM ml_model_versions WHERE stage = 'Failed'`;
    });
    await connection.transaction(tenantA, (sql) => sql`SELECT pg_stat_force_next_flush()`);
    const after = await scannedRows();
    expect(after.get('ml_model_versions')! - before.get('ml_model_versions')!).toBeGreaterThan(
      slice(9_000, 90_000),
    );
  });
});
