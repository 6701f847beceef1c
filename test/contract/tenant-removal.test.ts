import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentClient } from '../../src/adapters/aws/document-client.ts';
import { DynamoDbOffboardings } from '../../src/adapters/aws/dynamodb-offboardings.ts';
import { s3Clients } from '../../src/adapters/aws/s3-objects.ts';
import { TenantBucketObjects } from '../../src/adapters/aws/tenant-bucket-objects.ts';
import { TenantTableItems } from '../../src/adapters/aws/tenant-table-items.ts';
import { PostgresModelRegistry } from '../../src/adapters/postgres/postgres-model-registry.ts';
import { TenantDatabase } from '../../src/adapters/postgres/tenant-database.ts';
import { TenantRemoval } from '../../src/adapters/postgres/tenant-removal.ts';
import { systemClock } from '../../src/clock.ts';
import { itemKeys } from '../../src/tenancy/keys.ts';
import { TenantContext } from '../../src/tenancy/tenant-context.ts';
import {
  type LocalDatabase,
  type LocalStores,
  startLocalDatabase,
  startLocalStores,
} from '../support/local-stores.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { newJobId, registrationOf, sampleManifest } from '../support/samples.ts';
import { modelName, tenantA, tenantAb, tenantB } from '../support/tenants.ts';

let stores: LocalStores;
beforeAll(async () => {
  stores = await startLocalStores();
});
afterAll(() => stores?.stop());

const patient = { from: undefined, hasTime: () => true };
const hurried = { from: undefined, hasTime: () => false };

describe('the items of a tenant', () => {
  const put = (Item: object) =>
    documentClient().send(new PutCommand({ TableName: stores.names.JobsTable, Item: Item as never }));
  const items = () =>
    new TenantTableItems(documentClient(), {
      ...{ name: stores.names.JobsTable, partitionKey: 'pk', sortKey: 'sk' },
    });

  it('go from below the partition and from elsewhere, and those of tenants whose names begin or end alike stay', async () => {
    for (const tenant of [tenantA, tenantAb, tenantB]) {
      for (let i = 0; i < 30; i++) {
        const job = newJobId();
        await put({ ...itemKeys.job(tenant, job), kind: 'training' });
        await put({ ...itemKeys.jobOwner(job), tenant: tenant.tenantId });
      }
    }
    expect(await items().count(tenantA, patient)).toEqual({ found: 60 });
    expect(await items().remove(tenantA, patient)).toEqual({ found: 60 });
    expect(await items().count(tenantA, patient)).toEqual({ found: 0 });
    for (const other of [tenantAb, tenantB])
      expect(await items().count(other, patient)).toEqual({ found: 60 });
  });

  it('are gone through page by page, from where the last slice ended', async () => {
    const large = 'x'.repeat(300_000);
    for (let i = 0; i < 8; i++) await put({ ...itemKeys.job(tenantB, newJobId()), large });
    let slices = 0;
    let found = 0;
    let from: Readonly<Record<string, unknown>> | undefined;
    do {
      const slice = await items().remove(tenantB, { ...hurried, from });
      found += slice.found;
      from = slice.next;
      slices++;
    } while (from !== undefined);
    // A page holds 1 MB: three of these.
    expect(slices).toBeGreaterThan(2);
    expect(found).toBe(68);
    expect(await items().count(tenantB, patient)).toEqual({ found: 0 });
  });

  it('of a table that has no sort key are found by the beginning of their id', async () => {
    const TableName = stores.names.IdempotencyTable;
    for (const tenant of [tenantA, tenantAb])
      await documentClient().send(
        new PutCommand({ TableName, Item: { id: `${itemKeys.partition(tenant)}#hash` } }),
      );
    const records = new TenantTableItems(documentClient(), { name: TableName, partitionKey: 'id' });
    expect(await records.remove(tenantA, patient)).toEqual({ found: 1 });
    expect(await records.count(tenantAb, patient)).toEqual({ found: 1 });
  });
});

describe('the objects of a tenant', () => {
  it('go with their noncurrent versions and the marks of what was deleted', async () => {
    const s3 = new S3Client({});
    const Bucket = stores.names.ArtifactBucket;
    const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    for (const tenant of ['aa', 'aab']) {
      await put(`tenants/${tenant}/models/m/model.onnx`);
      await put(`tenants/${tenant}/models/m/model.onnx`);
      await put(`tenants/${tenant}/datasets/d`);
      await s3.send(new DeleteObjectCommand({ Bucket, Key: `tenants/${tenant}/datasets/d` }));
    }
    const objects = new TenantBucketObjects(s3Clients(ownSessions), Bucket);
    expect(await objects.count(tenantA)).toEqual({ found: 4 });
    expect(await objects.remove(tenantA, hurried)).toEqual({ found: 4, next: {} });
    expect(await objects.remove(tenantA, patient)).toEqual({ found: 0 });
    expect(await objects.count(tenantA)).toEqual({ found: 0 });
    expect(await objects.count(tenantAb)).toEqual({ found: 4 });
  });

  it('are more than one listing holds', async () => {
    const s3 = new S3Client({});
    const Bucket = stores.names.ResultBucket;
    for (let from = 0; from < 1_100; from += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          s3.send(new PutObjectCommand({ Bucket, Key: `tenants/aa/batch/${from + i}`, Body: 'x' })),
        ),
      );
    expect(await new TenantBucketObjects(s3Clients(ownSessions), Bucket).remove(tenantA, patient)).toEqual({
      found: 1_100,
    });
    expect(await new TenantBucketObjects(s3Clients(ownSessions), Bucket).count(tenantA)).toEqual({
      found: 0,
    });
  });
});

describe('the rows of a tenant', () => {
  let database: LocalDatabase;
  let admin: postgres.Sql;
  let owner: TenantDatabase;
  let app: TenantDatabase;

  beforeAll(async () => {
    database = await startLocalDatabase();
    admin = database.server.connectAsSuperuser('tenantml');
    const options = { clock: systemClock, resumeWithinMs: 5_000 };
    owner = new TenantDatabase(database.settings('tenantml_migrator'), options);
    app = new TenantDatabase(database.settings('tenantml_app'), options);
    const registry = new PostgresModelRegistry(app);
    for (const tenant of [tenantA, tenantAb]) {
      for (let i = 0; i < 3; i++) await registry.register(tenant, registrationOf(tenant, sampleManifest()));
      await registry.deploy(tenant, modelName('income'), '1.0.0');
    }
  });
  afterAll(async () => {
    await admin?.end();
    await owner?.close();
    await app?.close();
    await database?.stop();
  });

  const tables = async () =>
    (
      await admin<{ name: string }[]>`
        SELECT table_name AS name FROM information_schema.columns c JOIN information_schema.tables t USING (table_name)
        WHERE c.table_schema = 'public' AND t.table_schema = 'public' AND t.table_type = 'BASE TABLE'
          AND column_name = 'tenant_id'`
    ).map(({ name }) => name);
  const rowsOf = async (tenant: string) => {
    const counts: Record<string, number> = {};
    for (const table of await tables()) {
      const [row] = await admin<{ n: number }[]>`
        SELECT count(*)::int AS n FROM ${admin(table)} WHERE tenant_id = ${tenant}`;
      counts[table] = row!.n;
    }
    return counts;
  };

  it('go from every table, but for one of the audit that says so, and those of others stay', async () => {
    const before = await rowsOf('aab');
    expect(before).toMatchObject({ ml_model_versions: 3, ml_deployments: 1 });
    const total = Object.values(await rowsOf('aa')).reduce((sum, n) => sum + n, 0);
    const removal = new TenantRemoval(owner);
    expect(await removal.count(tenantA)).toEqual({ found: total });
    const { found, next } = await removal.remove(tenantA, () => true);
    expect(next).toBeUndefined();
    // Rows that went with those they belong to are not counted.
    expect(found).toBeGreaterThan(0);
    expect(found).toBeLessThanOrEqual(total);
    expect(await removal.count(tenantA)).toEqual({ found: 0 });
    const left = Object.entries(await rowsOf('aa')).filter(([, n]) => n > 0);
    expect(left).toEqual([['ml_audit', 1]]);
    expect(await admin`SELECT action, actor FROM ml_audit WHERE tenant_id = 'aa'`).toEqual([
      { action: 'tenant.offboarded', actor: 'user-of-aa' },
    ]);
    expect(await rowsOf('aab')).toEqual(before);
  });

  it('that is the mark is made once, however often the tenant is removed', async () => {
    expect(await new TenantRemoval(owner).remove(tenantA, () => true)).toEqual({ found: 0 });
    expect(await admin`SELECT 1 FROM ml_audit WHERE tenant_id = 'aa'`).toHaveLength(1);
  });

  it('cannot be removed by the role that serves requests', async () => {
    await expect(new TenantRemoval(app).remove(tenantAb, () => true)).rejects.toThrow(/permission denied/);
    expect((await rowsOf('aab')).ml_audit).toBeGreaterThan(0);
  });
});

describe('the mark of an offboarded tenant', () => {
  it('makes the context in which its data is removed, and there is none without it', async () => {
    const offboardings = new DynamoDbOffboardings(documentClient(), stores.names.AccessTable);
    const none = TenantContext.fromJob(offboardings, 'aa', 'r');
    await expect(none).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    await offboardings.block(tenantA, { passes: 0, passFromMs: 0, phase: 'removing', store: 0, removed: {} });
    expect((await TenantContext.fromJob(offboardings, 'aa', 'r')).tenantId).toBe('aa');
    for (const other of ['aab', 'a', '', '../aa', 'aa/', 'AA'])
      await expect(TenantContext.fromJob(offboardings, other, 'r')).rejects.toMatchObject({
        code: 'JOB_NOT_FOUND',
      });
  });
});
