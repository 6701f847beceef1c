import { readdirSync } from 'node:fs';
import { runner } from 'node-pg-migrate';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../src/adapters/postgres/migrate.ts';
import { PostgresModelCatalog } from '../../src/adapters/postgres/postgres-model-catalog.ts';
import { PostgresModelRegistry } from '../../src/adapters/postgres/postgres-model-registry.ts';
import { TenantDatabase } from '../../src/adapters/postgres/tenant-database.ts';
import { systemClock } from '../../src/clock.ts';
import { type LocalDatabase, migrationsFolder, startLocalDatabase } from '../support/local-stores.ts';
import { plantProjections } from '../support/planted-rows.ts';
import { registrationOf, sampleManifest } from '../support/samples.ts';
import { modelName, tenantA, tenantAb } from '../support/tenants.ts';

let database: LocalDatabase;
let app: postgres.Sql;
let admin: postgres.Sql;
let tenants: TenantDatabase;
let tables: string[];

beforeAll(async () => {
  database = await startLocalDatabase();
  const { host, port, name, user } = database.settings('tenantml_app');
  app = postgres({
    host,
    port,
    database: name,
    username: user,
    password: 'a token',
    max: 1,
    onnotice: () => {},
  });
  admin = database.server.connectAsSuperuser('tenantml');
  tenants = new TenantDatabase(database.settings('tenantml_app'), {
    clock: systemClock,
    resumeWithinMs: 5_000,
  });
  const registry = new PostgresModelRegistry(tenants);
  for (const tenant of [tenantA, tenantAb]) {
    await registry.register(tenant, registrationOf(tenant, sampleManifest()));
    await registry.deploy(tenant, modelName('income'), '1.0.0');
    await registry.deployTo(tenant, modelName('income'), 'staging', '1.0.0');
    await new PostgresModelCatalog(tenants).setAlias(tenant, modelName('income'), 'golden' as never, '1', {});
    await plantProjections(admin, tenant.tenantId);
  }
  const found = await admin<{ name: string }[]>`
    SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_migrations' ORDER BY 1`;
  tables = found.map(({ name: table }) => table);
});
afterAll(async () => {
  await app?.end();
  await admin?.end();
  await tenants?.close();
  await database?.stop();
});

/** Runs work as the application, in the name of a tenant, and takes it back. */
const asTenant = (tenant: string, work: (sql: postgres.TransactionSql) => Promise<unknown>) =>
  app
    .begin(async (sql) => {
      await sql`SELECT set_config('app.tenant', ${tenant}, true)`;
      const result = await work(sql);
      throw Object.assign(new Error('taken back'), { result });
    })
    .catch((error: Error & { result?: unknown }) => {
      if (error.message !== 'taken back') throw error;
      return error.result;
    });

describe('row level security', () => {
  it('covers tables that hold rows of both tenants', async () => {
    // Found in the catalog of the database, so that none can be forgotten here.
    expect(tables).toEqual(expect.arrayContaining(['ml_audit', 'ml_models', 'model_feedback']));
    for (const table of tables) {
      const [row] = await admin`SELECT count(DISTINCT tenant_id)::int AS n FROM ${admin(table)}`;
      expect([table, row!.n]).toEqual([table, 2]);
    }
  });

  it('is enabled and forced on every table, with a policy that checks reads and writes', async () => {
    const state = await admin<{ name: string; on: boolean; forced: boolean; tenant: boolean }[]>`
      SELECT c.relname AS name, c.relrowsecurity AS on, c.relforcerowsecurity AS forced,
        EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnotnull) AS tenant
      FROM pg_class c WHERE c.relname IN ${admin(tables)}`;
    for (const { name, ...rest } of state) {
      expect([name, rest]).toEqual([name, { on: true, forced: true, tenant: true }]);
    }
    const policies = await admin<{ tablename: string; cmd: string; qual: string; with_check: string }[]>`
      SELECT tablename, cmd, qual, with_check FROM pg_policies WHERE schemaname = 'public' ORDER BY tablename`;
    expect(policies.map(({ tablename }) => tablename)).toEqual(tables);
    for (const { cmd, qual, with_check } of policies) {
      expect([cmd, qual, with_check]).toEqual([
        'ALL',
        '(tenant_id = current_tenant())',
        '(tenant_id = current_tenant())',
      ]);
    }
  });

  it('shows the application nothing while no tenant is named, in every table', async () => {
    for (const table of tables) expect([table, await app`SELECT * FROM ${app(table)}`]).toEqual([table, []]);
  });

  it('shows nothing after a transaction of a tenant either, on the same connection', async () => {
    for (const table of tables) {
      const rows = (await asTenant('aa', (sql) => sql`SELECT * FROM ${sql(table)}`)) as unknown[];
      expect([table, rows.length > 0]).toEqual([table, true]);
      expect(await app`SELECT * FROM ${app(table)}`).toEqual([]);
    }
  });

  it('shows a tenant its own rows only, also when a query names another', async () => {
    for (const table of tables) {
      const rows = (await asTenant('aa', (sql) => sql`SELECT tenant_id FROM ${sql(table)}`)) as {
        tenant_id: string;
      }[];
      expect(new Set(rows.map(({ tenant_id }) => tenant_id))).toEqual(new Set(['aa']));
      expect(
        await asTenant('aa', (sql) => sql`SELECT * FROM ${sql(table)} WHERE tenant_id = 'aab'`),
      ).toHaveLength(0);
    }
  });

  it.each(['', 'a', 'AA', "aa' OR '1'='1", '%', 'aa '])('shows the tenant %j nothing', async (tenant) => {
    for (const table of tables)
      expect(await asTenant(tenant, (sql) => sql`SELECT * FROM ${sql(table)}`)).toHaveLength(0);
  });

  it('refuses a row of another tenant, and changes or deletes none', async () => {
    await expect(
      asTenant('aa', (sql) => sql`INSERT INTO ml_models (tenant_id, model_name) VALUES ('aab', 'planted')`),
    ).rejects.toThrow('row-level security');
    await expect(
      asTenant('aa', (sql) => sql`UPDATE ml_models SET tenant_id = 'aab' WHERE model_name = 'income'`),
    ).rejects.toThrow(/row-level security|foreign key/);
    await expect(
      asTenant(
        'aa',
        (sql) => sql`INSERT INTO ml_audit (tenant_id, action, subject, actor, request_id)
          VALUES ('aab', 'forged', 'x', 'x', 'x')`,
      ),
    ).rejects.toThrow('row-level security');
    for (const table of ['ml_models', 'ml_model_versions']) {
      const changed = (await asTenant(
        'aa',
        (sql) => sql`UPDATE ${sql(table)} SET updated_at = now() WHERE tenant_id = 'aab' RETURNING 1`,
      )) as unknown[];
      expect(changed).toHaveLength(0);
      const deleted = (await asTenant(
        'aa',
        (sql) => sql`DELETE FROM ${sql(table)} WHERE tenant_id = 'aab' RETURNING 1`,
      )) as unknown[];
      expect(deleted).toHaveLength(0);
    }
  });

  it('binds the owner of the tables too', async () => {
    const { host, port, name, user } = database.settings('tenantml_migrator');
    const migrator = postgres({ host, port, database: name, username: user, password: 'a token', max: 1 });
    try {
      for (const table of tables) expect(await migrator`SELECT * FROM ${migrator(table)}`).toHaveLength(0);
    } finally {
      await migrator.end();
    }
  });
});

describe('the roles', () => {
  it('are no superusers, may not bypass row level security and make no roles or databases', async () => {
    const roles = await admin`
      SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles
      WHERE rolname IN ('tenantml_app', 'tenantml_migrator') ORDER BY rolname`;
    expect(roles.map((role) => ({ ...role }))).toEqual(
      ['tenantml_app', 'tenantml_migrator'].map((rolname) => ({
        rolname,
        rolsuper: false,
        rolbypassrls: false,
        rolcreaterole: false,
        rolcreatedb: false,
        rolreplication: false,
      })),
    );
  });

  it('leave the application without anything of its own, and without a role that has', async () => {
    const owned = await admin`
      SELECT c.relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = 'tenantml_app'`;
    expect(owned).toHaveLength(0);
    const [memberships] = await admin`
      SELECT array_agg(m.rolname::text ORDER BY m.rolname) AS roles FROM pg_auth_members a
      JOIN pg_roles r ON r.oid = a.member JOIN pg_roles m ON m.oid = a.roleid WHERE r.rolname = 'tenantml_app'`;
    expect(memberships!.roles).toEqual(['rds_iam']);
    await expect(app`SET ROLE tenantml_migrator`).rejects.toThrow('permission denied');
  });

  it.each([
    'CREATE TABLE mine (x int)',
    'DROP TABLE ml_models',
    'ALTER TABLE ml_models DISABLE ROW LEVEL SECURITY',
    'DROP POLICY tenant_rows ON ml_models',
    'TRUNCATE ml_models CASCADE',
    'SELECT * FROM schema_migrations',
    "CREATE OR REPLACE FUNCTION current_tenant() RETURNS text LANGUAGE sql AS $$ SELECT 'aab' $$",
  ])('refuse the application: %s', async (statement) => {
    await expect(app.unsafe(statement)).rejects.toThrow(/permission denied|must be owner/);
  });

  it.each(['ml_deployments', 'ml_audit', 'ml_stage_transitions'])(
    'let the application only add to and read %s',
    async (table) => {
      for (const statement of [
        `UPDATE ${table} SET actor = 'nobody'`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table}`,
      ]) {
        await expect(asTenant('aa', (sql) => sql.unsafe(statement))).rejects.toThrow('permission denied');
      }
    },
  );
});

describe('the audit', () => {
  it('holds who did what by which request, in the order in which it was done', async () => {
    const rows = (await asTenant(
      'aa',
      (sql) => sql`SELECT action, subject, actor, request_id FROM ml_audit ORDER BY audit_id`,
    )) as object[];
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { action: 'register', subject: 'income/1.0.0', actor: 'user-of-aa', request_id: 'request-1' },
      { action: 'deploy', subject: 'income/1.0.0', actor: 'user-of-aa', request_id: 'request-1' },
      { action: 'deploy', subject: 'income/1.0.0', actor: 'user-of-aa', request_id: 'request-1' },
      { action: 'set-alias', subject: 'income/1.0.0', actor: 'user-of-aa', request_id: 'request-1' },
    ]);
  });
});

describe('migrations', () => {
  const settings = () => database.settings('tenantml_migrator');
  const up = () =>
    migrate(settings(), { folder: migrationsFolder, clock: systemClock, resumeWithinMs: 5_000 });

  /** @param from the first of the files that are taken back; all of them when left out */
  const down = (from = '') => {
    const { host, port, name, user } = settings();
    return runner({
      databaseUrl: { host, port, database: name, user, password: 'a token' },
      dir: migrationsFolder,
      direction: 'down',
      count: readdirSync(migrationsFolder).filter((file) => file >= from).length,
      migrationsTable: 'schema_migrations',
      log: () => {},
    });
  };

  it('do nothing when they are run again', async () => {
    expect(await up()).toEqual([]);
  });

  it('go all the way down and up again, to the same schema', async () => {
    const schema = () =>
      admin`
      SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
      WHERE table_schema = 'public' ORDER BY 1, 2`.then((rows) => rows.map((row) => ({ ...row })));
    const before = await schema();
    const undone = await down();
    expect((await schema()).filter(({ table_name }) => table_name !== 'schema_migrations')).toEqual([]);
    const applied = await up();
    expect(applied).toEqual(undone.map(({ name: migration }) => migration).reverse());
    expect(applied.length).toBeGreaterThan(0);
    expect(await schema()).toEqual(before);
  });

  it('leave a model with environments one that can be changed, and its history of production, when taken back', async () => {
    const model = modelName('tried');
    const registry = new PostgresModelRegistry(tenants);
    for (let i = 0; i < 2; i++)
      await registry.register(tenantA, registrationOf(tenantA, sampleManifest({ model_name: model })));
    await registry.deployTo(tenantA, model, 'development', '1.1.0');
    await registry.deploy(tenantA, model, '1.0.0');
    await registry.deployTo(tenantA, model, 'staging', '1.1.0');
    await down('0008');
    const lines = await admin<{ revision: string; action: string; version: string | null }[]>`
      SELECT revision, action, version FROM ml_deployments WHERE model_name = ${model} ORDER BY revision`;
    expect(lines.map(({ revision, action, version }) => [Number(revision), action, version])).toEqual([
      [1, 'configure', null],
      [2, 'deploy', '1.0.0'],
      [3, 'configure', '1.0.0'],
    ]);
    await up();
    // Its revision is that of a line, which is what a repair reads.
    expect(await registry.deployment(tenantA, model)).toMatchObject({
      ...{ revision: 3, champion: { version: '1.0.0' } },
    });
  });

  it('leave no alias that an environment hides', async () => {
    const model = modelName('aliased');
    const registry = new PostgresModelRegistry(tenants);
    const catalog = new PostgresModelCatalog(tenants);
    for (let i = 0; i < 2; i++)
      await registry.register(tenantA, registrationOf(tenantA, sampleManifest({ model_name: model })));
    await down('0008');
    for (const alias of ['staging', 'blue', 'production', 'production-alias'])
      await admin`
        INSERT INTO ml_model_aliases (tenant_id, model_name, alias, version)
        VALUES ('aa', ${model}, ${alias}, ${alias === 'production-alias' ? '1.1.0' : '1.0.0'})`;
    await up();
    const left = await catalog.aliases(tenantA, model);
    expect(left.map(({ alias, version }) => [alias, version])).toEqual([
      ['blue', '1.0.0'],
      ['production-alias', '1.1.0'],
      ['staging-alias', '1.0.0'],
    ]);
    expect((await registry.version(tenantA, model, 'staging-alias')).version).toBe('1.0.0');
  });

  it('keep the numbers of versions that exist when they are brought up to date', async () => {
    // Down to the first, before these numbers were kept.
    await down('0002');
    await admin`INSERT INTO ml_models (tenant_id, model_name, last_mlflow_version) VALUES ('aa', 'old', 10)`;
    for (const n of [2, 10, 9]) {
      await admin`INSERT INTO ml_model_versions ${admin({
        ...{ tenant_id: 'aa', model_name: 'old', version: `1.${n}.0`, mlflow_version: n, build_id: `b${n}` },
        ...{ task: 't', algorithm: 'a', manifest: '{}', artifact_key: 'k', artifact_sha256: 's' },
        ...{ artifact_bytes: 1, manifest_key: 'k', manifest_sha256: 's', dataset_id: 'd' },
        ...{ schema_hash: `h${n}`, job_id: `j${n}`, created_by: 'x' },
      })}`;
    }
    await up();
    const [row] = await admin`SELECT last_version, last_schema_hash FROM ml_models WHERE model_name = 'old'`;
    expect({ ...row }).toEqual({ last_version: '1.10.0', last_schema_hash: 'h10' });
    const [forced] = await admin`
      SELECT bool_and(relforcerowsecurity) AS all FROM pg_class WHERE relname IN ${admin(tables)}`;
    expect(forced!.all).toBe(true);
  });
});
