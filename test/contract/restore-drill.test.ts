import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresModelCatalog } from '../../src/adapters/postgres/postgres-model-catalog.ts';
import { PostgresModelRegistry } from '../../src/adapters/postgres/postgres-model-registry.ts';
import { PostgresRegistryArchive } from '../../src/adapters/postgres/postgres-registry-archive.ts';
import { PostgresRegistryHistory } from '../../src/adapters/postgres/postgres-registry-history.ts';
import { TenantDatabase } from '../../src/adapters/postgres/tenant-database.ts';
import { systemClock } from '../../src/clock.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { type LocalDatabase, startLocalDatabase } from '../support/local-stores.ts';
import { registrationOf, sampleManifest } from '../support/samples.ts';
import { modelName, tenantA, tenantAb } from '../support/tenants.ts';

const databases: LocalDatabase[] = [];
const connections: TenantDatabase[] = [];
const admins: postgres.Sql[] = [];

async function newDatabase(): Promise<{ admin: postgres.Sql; connection: TenantDatabase }> {
  const database = await startLocalDatabase();
  databases.push(database);
  const admin = database.server.connectAsSuperuser('tenantml');
  admins.push(admin);
  const connection = new TenantDatabase(database.settings('tenantml_app'), {
    ...{ clock: systemClock, resumeWithinMs: 5_000 },
  });
  connections.push(connection);
  return { admin, connection };
}
afterAll(async () => {
  await Promise.all([...connections.map((one) => one.close()), ...admins.map((one) => one.end())]);
  await Promise.all(databases.map((one) => one.stop()));
});

async function tablesOf(admin: postgres.Sql): Promise<string[]> {
  const rows = await admin<{ name: string }[]>`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'schema_migrations' ORDER BY 1`;
  return rows.map(({ name }) => name);
}

/** Every row of every table, as COPY writes them. */
async function dump(admin: postgres.Sql): Promise<Map<string, Buffer>> {
  const dumped = new Map<string, Buffer>();
  for (const table of await tablesOf(admin)) {
    const chunks: Buffer[] = [];
    for await (const chunk of await admin`COPY ${admin(table)} TO STDOUT`.readable())
      chunks.push(chunk as Buffer);
    dumped.set(table, Buffer.concat(chunks));
  }
  return dumped;
}

/** Into a schema that the migrations have made. */
async function restore(admin: postgres.Sql, dumped: ReadonlyMap<string, Buffer>): Promise<void> {
  // Rows come in whatever order: what refers to what is right already.
  await admin`SET session_replication_role = replica`;
  for (const [table, rows] of dumped)
    await pipeline(Readable.from([rows]), await admin`COPY ${admin(table)} FROM STDIN`.writable());
  await admin`SET session_replication_role = origin`;
  // Numbers that are counted up go on behind those that were given.
  const identities = await admin<{ table: string; column: string }[]>`
    SELECT table_name AS table, column_name AS column FROM information_schema.columns
    WHERE table_schema = 'public' AND is_identity = 'YES'`;
  for (const { table, column } of identities)
    await admin`
      SELECT setval(pg_get_serial_sequence(${table}, ${column}),
        (SELECT coalesce(max(${admin(column)}), 0) + 1 FROM ${admin(table)}), false)`;
}

const storesOf = (connection: TenantDatabase) => ({
  registry: new PostgresModelRegistry(connection),
  catalog: new PostgresModelCatalog(connection),
  history: new PostgresRegistryHistory(connection),
  archive: new PostgresRegistryArchive(connection),
});

/** What two tenants are told of everything. */
async function answers(connection: TenantDatabase): Promise<unknown> {
  const { registry, catalog, history, archive } = storesOf(connection);
  const of = async (tenant: TenantContext) => {
    const { items } = await registry.list(tenant, { limit: 100 });
    const models = await Promise.all(
      items.map(async ({ model_name }) => ({
        model: await registry.model(tenant, model_name),
        champion: await registry.version(tenant, model_name),
        deployment: await registry.deployment(tenant, model_name),
        aliases: await catalog.aliases(tenant, model_name),
        transitions: await catalog.transitions(tenant, model_name, '1'),
        deployments: await history.deployments(tenant, model_name, {
          limit: 100,
          at: '2999-01-01T00:00:00Z',
        }),
        lineage: await history.lineage(tenant, model_name),
      })),
    );
    return {
      models,
      audit: await history.audit(tenant, { limit: 1_000 }),
      exported: await archive.export(tenant, { limit: 100 }),
    };
  };
  return [await of(tenantA), await of(tenantAb)];
}

describe('a registry that was dumped', () => {
  let source: Awaited<ReturnType<typeof newDatabase>>;

  beforeAll(async () => {
    source = await newDatabase();
    const { registry, catalog } = storesOf(source.connection);
    for (const tenant of [tenantA, tenantAb]) {
      for (const name of ['income', 'risk']) {
        const model_name = modelName(name);
        for (let i = 0; i < 3; i++)
          await registry.register(tenant, registrationOf(tenant, sampleManifest({ model_name })));
        await registry.deploy(tenant, model_name, '1.1.0');
        await registry.deploy(tenant, model_name, '1.2.0');
        await registry.rollback(tenant, model_name, { reason: `of ${tenant.tenantId}` });
        await registry.configure(tenant, model_name, { canary: { version: '1.2.0', weight: 0.1 } });
        await registry.deployTo(tenant, model_name, 'staging', '1.2.0');
        await catalog.setAlias(tenant, model_name, 'golden' as never, '1', {});
        await catalog.update(
          tenant,
          model_name,
          { description: 'tab\tnewline\nbackslash\\', tags: { a: 'ü' } },
          {},
        );
        await catalog.create(tenant, model_name, { from_version: '1' });
      }
      await registry.remove(tenant, modelName('risk'), '1.2.1');
    }
  });

  it('answers the same where it is restored, and goes on from there', async () => {
    const target = await newDatabase();
    await restore(target.admin, await dump(source.admin));
    const before = await answers(source.connection);
    expect(await answers(target.connection)).toEqual(before);
    // It can be written to: numbers, revisions and the audit log go on.
    const { registry, history } = storesOf(target.connection);
    const made = await registry.register(
      tenantA,
      registrationOf(tenantA, sampleManifest({ model_name: 'risk' })),
    );
    expect(made).toMatchObject({ version: '1.3.0', mlflow_version: 5 });
    expect((await registry.deploy(tenantA, modelName('risk'), '1.3.0')).revision).toBe(6);
    const newest = await history.audit(tenantA, { limit: 2 });
    expect(newest.map(({ action }) => action)).toEqual(['deploy', 'register']);
    // The one that it was made of has not changed.
    expect(await answers(source.connection)).toEqual(before);
  });
});
