import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeCursor } from '../../src/adapters/page-cursor.ts';
import { PostgresModelRegistry } from '../../src/adapters/postgres/postgres-model-registry.ts';
import { TenantDatabase } from '../../src/adapters/postgres/tenant-database.ts';
import { systemClock } from '../../src/clock.ts';
import { ModelManifest } from '../../src/contracts/models.ts';
import { ValidationError } from '../../src/errors.ts';
import type { ModelRegistry } from '../../src/registry/model-registry.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { type LocalDatabase, startLocalDatabase } from '../support/local-stores.ts';
import { hex, newJobId, registrationOf, sampleManifest } from '../support/samples.ts';
import { modelName, tenantA, tenantAb, tenantB, tenantNamed } from '../support/tenants.ts';

let database: LocalDatabase;
const open: TenantDatabase[] = [];
let registry: ModelRegistry;

/** As one more container would be: a connection of its own. */
function anotherRegistry(): ModelRegistry {
  const connection = new TenantDatabase(database.settings('tenantml_app'), {
    clock: systemClock,
    resumeWithinMs: 5_000,
  });
  open.push(connection);
  return new PostgresModelRegistry(connection);
}

beforeAll(async () => {
  database = await startLocalDatabase();
  registry = anotherRegistry();
});
afterAll(async () => {
  await Promise.all(open.map((connection) => connection.close()));
  await database?.stop();
});

const register = (tenant: TenantContext, over: { [Key in keyof ModelManifest]?: unknown } = {}) =>
  registry.register(tenant, registrationOf(tenant, sampleManifest(over)));

describe('ModelRegistry on Postgres: registration', () => {
  it('numbers versions from 1.0.0, a retrain by minor, a changed input schema by major', async () => {
    const model_name = modelName('numbered');
    const versions = [
      await register(tenantA, { model_name }),
      await register(tenantA, { model_name }),
      await register(tenantA, { model_name, features: [{ name: 'age', type: 'number', input: 'age' }] }),
      await register(tenantA, { model_name, features: [{ name: 'age', type: 'number', input: 'age' }] }),
      await register(tenantA, { model_name }),
    ];
    expect(versions.map(({ version }) => version)).toEqual(['1.0.0', '1.1.0', '2.0.0', '2.1.0', '3.0.0']);
    expect(versions.map(({ mlflow_version }) => mlflow_version)).toEqual([1, 2, 3, 4, 5]);
    expect(versions[0]).toMatchObject({ stage: 'Development', champion: false, created_by: 'user-of-aa' });
  });

  it('keeps versions that were imported beside those that were trained, and says which is which', async () => {
    const model_name = modelName('mixed');
    await register(tenantA, { model_name });
    const {
      algorithm: _a,
      dataset_id: _d,
      split: _s,
      verification: _v,
      ...rest
    } = sampleManifest({ model_name });
    const imported = ModelManifest.parse({
      ...rest,
      ...{ origin: 'imported', framework: 'scikit-learn', job_id: newJobId() },
    });
    const made = await registry.register(tenantA, registrationOf(tenantA, imported));
    expect(made).toMatchObject({ version: '1.1.0', origin: 'imported', framework: 'scikit-learn' });
    expect(made).not.toHaveProperty('algorithm');
    expect(made).not.toHaveProperty('dataset_id');
    expect(await registry.model(tenantA, model_name)).toMatchObject({ origin: 'imported', n_versions: 2 });
    const { champion } = await registry.deploy(tenantA, model_name, '1.1.0');
    expect(champion).toMatchObject({ origin: 'imported' });
    expect((await registry.deploy(tenantA, model_name, '1.0.0')).champion).toMatchObject({
      origin: 'trained',
    });
  });

  it('returns the version that a job has made when its step is repeated, also ten times at once', async () => {
    const registration = registrationOf(tenantA, sampleManifest({ model_name: 'repeated' }));
    const others = Array.from({ length: 4 }, anotherRegistry);
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, i) => others[i % 4]!.register(tenantA, registration)),
    );
    expect(new Set(made.map(({ version }) => version))).toEqual(new Set(['1.0.0']));
    expect((await registry.model(tenantA, modelName('repeated'))).n_versions).toBe(1);
  });

  it('numbers versions of ten jobs that register at once in a line', async () => {
    const others = Array.from({ length: 4 }, anotherRegistry);
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        others[i % 4]!.register(tenantA, registrationOf(tenantA, sampleManifest({ model_name: 'crowded' }))),
      ),
    );
    expect(made.map(({ version }) => version).sort()).toEqual(
      Array.from({ length: 10 }, (_, i) => `1.${i}.0`).sort(),
    );
  });

  it('never gives the number of a deleted version again', async () => {
    const model_name = modelName('deleted-numbers');
    await register(tenantA, { model_name });
    await register(tenantA, { model_name });
    await registry.remove(tenantA, model_name, '1.1.0');
    expect(await register(tenantA, { model_name })).toMatchObject({ version: '1.2.0', mlflow_version: 3 });
    for (const version of ['1.0.0', '1.2.0']) await registry.remove(tenantA, model_name, version);
    expect(await register(tenantA, { model_name })).toMatchObject({ version: '1.3.0', mlflow_version: 4 });
  });
});

describe('ModelRegistry on Postgres: names of versions', () => {
  it('finds a version by semver, integer, build id and sha256', async () => {
    const model_name = modelName('named');
    const first = sampleManifest({ model_name, artifact: { format: 'onnx', sha256: hex('a'), bytes: 9 } });
    await registry.register(tenantA, registrationOf(tenantA, first));
    await register(tenantA, { model_name });
    for (const name of ['1.0.0', '1', first.build_id, hex('a')]) {
      expect(await registry.version(tenantA, model_name, name)).toMatchObject({
        version: '1.0.0',
        manifest: first,
        artifactSha256: hex('a'),
        artifactBytes: 9,
      });
    }
  });

  it('means the champion when no version is named, else the newest that there is', async () => {
    const model_name = modelName('unnamed');
    for (let i = 0; i < 3; i++) await register(tenantA, { model_name });
    expect((await registry.version(tenantA, model_name)).version).toBe('1.2.0');
    await registry.remove(tenantA, model_name, '1.2.0');
    expect((await registry.version(tenantA, model_name)).version).toBe('1.1.0');
    await registry.deploy(tenantA, model_name, '1.0.0');
    expect(await registry.version(tenantA, model_name)).toMatchObject({ version: '1.0.0', champion: true });
  });

  it.each(['9.9.9', '0', '99', 'nothing', "1' OR '1'='1", '1.0', '2147483648', '999999999999'])(
    'knows no version %j',
    async (version) => {
      await register(tenantA, { model_name: 'unknown-versions' });
      await expect(registry.version(tenantA, modelName('unknown-versions'), version)).rejects.toMatchObject({
        code: 'VERSION_NOT_FOUND',
      });
    },
  );
});

describe('ModelRegistry on Postgres: deployment', () => {
  it('moves the champion and its stage together, and tells what was before', async () => {
    const model_name = modelName('moved');
    await register(tenantA, { model_name });
    await register(tenantA, { model_name });
    expect(await registry.deployment(tenantA, model_name)).toBeUndefined();
    expect(await registry.deploy(tenantA, model_name, '1.0.0')).toMatchObject({
      revision: 1,
      champion: { version: '1.0.0', stage: 'Production', champion: true },
      previousVersion: undefined,
    });
    const second = await registry.deploy(tenantA, model_name, '2');
    expect(second).toMatchObject({ revision: 2, champion: { version: '1.1.0' }, previousVersion: '1.0.0' });
    const { versions, champion_version } = await registry.model(tenantA, model_name);
    expect(champion_version).toBe('1.1.0');
    expect(versions.map(({ version, stage, champion }) => [version, stage, champion])).toEqual([
      ['1.1.0', 'Production', true],
      ['1.0.0', 'Archived', false],
    ]);
    await register(tenantA, { model_name });
    expect(await registry.deployment(tenantA, model_name)).toEqual(second);
  });

  it('gives twenty deployments of one model at once revisions in a line', async () => {
    const model_name = modelName('raced');
    await register(tenantA, { model_name });
    await register(tenantA, { model_name });
    const others = Array.from({ length: 5 }, anotherRegistry);
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        others[i % 5]!.deploy(tenantA, model_name, i % 2 === 0 ? '1.0.0' : '1.1.0'),
      ),
    );
    const inOrder = [...made].sort((a, b) => a.revision - b.revision);
    expect(inOrder.map(({ revision }) => revision)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    for (let i = 1; i < 20; i++) expect(inOrder[i]!.previousVersion).toBe(inOrder[i - 1]!.champion!.version);
    const { versions } = await registry.model(tenantA, model_name);
    expect(versions.filter(({ champion }) => champion).map(({ version }) => version)).toEqual([
      inOrder.at(-1)!.champion!.version,
    ]);
    expect(versions.filter(({ stage }) => stage === 'Production')).toHaveLength(1);
  });

  it('refuses to delete the champion without force, and takes it out of service with', async () => {
    const model_name = modelName('removed');
    await register(tenantA, { model_name });
    await registry.deploy(tenantA, model_name, '1.0.0');
    for (const refused of [
      registry.remove(tenantA, model_name, '1.0.0'),
      registry.retire(tenantA, model_name, '1.0.0', { force: false }),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'VERSION_DEPLOYED' });
    }
    expect((await registry.deployment(tenantA, model_name))?.revision).toBe(1);
    const { deployment, version } = await registry.retire(tenantA, model_name, '1', { force: true });
    expect(version).toMatchObject({ version: '1.0.0', stage: 'Archived', champion: false });
    await expect(registry.deploy(tenantA, model_name, '1.0.0')).rejects.toMatchObject({
      code: 'VERSION_NOT_VERIFIED',
    });
    // A deletion that was interrupted here goes on where it stopped.
    const again = await registry.retire(tenantA, model_name, '1.0.0', { force: false });
    expect(again.deployment).toBeUndefined();
    await registry.remove(tenantA, model_name, '1.0.0');
    expect(deployment).toMatchObject({ revision: 2, champion: undefined, previousVersion: '1.0.0' });
    expect(await registry.deployment(tenantA, model_name)).toEqual(deployment);
    await expect(registry.version(tenantA, model_name)).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' });
    expect(await registry.model(tenantA, model_name)).toMatchObject({ n_versions: 0, versions: [] });
  });

  it('leaves nothing behind of a deployment that was refused', async () => {
    const model_name = modelName('refused');
    await register(tenantA, { model_name });
    await expect(registry.deploy(tenantA, model_name, '7.0.0')).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
    });
    expect(await registry.deployment(tenantA, model_name)).toBeUndefined();
    const admin = database.server.connectAsSuperuser('tenantml');
    await admin`UPDATE ml_model_versions SET verified_at = NULL WHERE model_name = 'refused'`;
    await admin.end();
    await expect(registry.deploy(tenantA, model_name, '1.0.0')).rejects.toMatchObject({
      code: 'VERSION_NOT_VERIFIED',
    });
    expect(await registry.deployment(tenantA, model_name)).toBeUndefined();
  });
});

describe('ModelRegistry on Postgres: across tenants', () => {
  it('shows a stranger nothing, under any name and by any verb', async () => {
    const model_name = modelName('secret');
    const made = await register(tenantA, {
      model_name,
      artifact: { format: 'onnx', sha256: hex('5'), bytes: 5 },
    });
    await registry.deploy(tenantA, model_name, '1.0.0');
    for (const stranger of [tenantAb, tenantB]) {
      const asked = [
        registry.model(stranger, model_name),
        registry.version(stranger, model_name),
        ...['1.0.0', '1', made.build_id, hex('5')].map((name) =>
          registry.version(stranger, model_name, name),
        ),
        registry.deploy(stranger, model_name, '1.0.0'),
        registry.remove(stranger, model_name, '1.0.0'),
        registry.retire(stranger, model_name, '1.0.0', { force: true }),
      ];
      for (const answer of await Promise.allSettled(asked)) {
        expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'MODEL_NOT_FOUND' } });
      }
      expect(await registry.deployment(stranger, model_name)).toBeUndefined();
      expect((await registry.list(stranger, { limit: 100 })).items).toEqual([]);
    }
    expect(await registry.deployment(tenantA, model_name)).toMatchObject({ revision: 1 });
  });

  it('keeps equal names and equal job ids of two tenants apart', async () => {
    const [one, other] = [tenantNamed('twin1'), tenantNamed('twin10')];
    const job_id = newJobId();
    await register(one, { model_name: 'same', job_id });
    await register(one, { model_name: 'same' });
    expect(await register(other, { model_name: 'same', job_id })).toMatchObject({ version: '1.0.0' });
    await registry.deploy(one, modelName('same'), '1.1.0');
    await registry.remove(other, modelName('same'), '1.0.0');
    expect((await registry.model(one, modelName('same'))).n_versions).toBe(2);
  });
});

describe('the list of models', () => {
  const mine = tenantNamed('lister');
  const names = ['alpha', 'Beta', 'beta', 'beta-2', 'beta.1', 'gamma_x', '0zero'];

  beforeAll(async () => {
    for (const model_name of names) await register(mine, { model_name });
    await register(tenantNamed('lister2'), { model_name: 'foreign' });
    await registry.deploy(mine, modelName('beta'), '1.0.0');
  });

  it.each([1, 2, 3, 7, 100])('holds every model once in pages of %i', async (limit) => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await registry.list(mine, { limit, cursor });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      seen.push(...page.items.map(({ model_name }) => model_name));
      cursor = page.nextCursor;
    } while (cursor !== undefined && seen.length < 20);
    expect([...seen].sort()).toEqual([...names].sort());
  });

  it('says of each model what serves', async () => {
    const { items } = await registry.list(mine, { limit: 100 });
    expect(items.find(({ model_name }) => model_name === 'beta')).toMatchObject({
      champion_version: '1.0.0',
      latest_version: '1.0.0',
      n_versions: 1,
      metrics: { f1_score: 0.8 },
    });
    expect(items.find(({ model_name }) => model_name === 'alpha')).not.toHaveProperty('champion_version');
  });

  it.each(['garbage cursor', encodeCursor('../x'), encodeCursor("a' OR 1=1"), encodeCursor('')])(
    'refuses the cursor %j',
    async (cursor) => {
      await expect(async () => registry.list(mine, { limit: 3, cursor })).rejects.toThrow(ValidationError);
    },
  );
});
