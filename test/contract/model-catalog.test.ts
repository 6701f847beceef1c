import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresModelCatalog } from '../../src/adapters/postgres/postgres-model-catalog.ts';
import { PostgresModelRegistry } from '../../src/adapters/postgres/postgres-model-registry.ts';
import { PostgresRegistryArchive } from '../../src/adapters/postgres/postgres-registry-archive.ts';
import { PostgresRegistryHistory } from '../../src/adapters/postgres/postgres-registry-history.ts';
import { TenantDatabase } from '../../src/adapters/postgres/tenant-database.ts';
import { systemClock } from '../../src/clock.ts';
import type { ModelName } from '../../src/contracts/names.ts';
import { RegistryExport } from '../../src/contracts/registry.ts';
import { lineageGraph } from '../../src/registry/lineage.ts';
import type { ModelCatalog } from '../../src/registry/model-catalog.ts';
import type { ModelRegistry } from '../../src/registry/model-registry.ts';
import { importRegistry, type RegistryArchive } from '../../src/registry/registry-archive.ts';
import type { RegistryHistory } from '../../src/registry/registry-history.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { type LocalDatabase, startLocalDatabase } from '../support/local-stores.ts';
import { datasetId, hex, registrationOf, sampleManifest } from '../support/samples.ts';
import { modelName, tenantA, tenantAb, tenantB, tenantNamed } from '../support/tenants.ts';

let database: LocalDatabase;
let connection: TenantDatabase;
let registry: ModelRegistry;
let catalog: ModelCatalog;
let history: RegistryHistory;
let archive: RegistryArchive;

beforeAll(async () => {
  database = await startLocalDatabase();
  connection = new TenantDatabase(database.settings('tenantml_app'), {
    ...{ clock: systemClock, resumeWithinMs: 5_000 },
  });
  registry = new PostgresModelRegistry(connection);
  catalog = new PostgresModelCatalog(connection);
  history = new PostgresRegistryHistory(connection);
  archive = new PostgresRegistryArchive(connection);
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});

let models = 0;
/** A new model with so many versions. */
async function model(
  nVersions: number,
  over: Record<string, unknown> = {},
  tenant = tenantA,
): Promise<ModelName> {
  const name = modelName(`catalogued-${++models}`);
  for (let i = 0; i < nVersions; i++)
    await registry.register(tenant, registrationOf(tenant, sampleManifest({ model_name: name, ...over })));
  return name;
}
const shown = (name: ModelName, tenant = tenantA) => registry.model(tenant, name);
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code });
const stages = async (name: ModelName) =>
  Object.fromEntries((await shown(name)).versions.map(({ version, stage }) => [version, stage]));

describe('what is said of a model', () => {
  it('is changed by what is given: the rest stays, tags are merged, null removes one', async () => {
    const name = await model(1);
    await catalog.update(tenantA, name, { description: 'first', tags: { team: 'fraud', tier: '1' } }, {});
    await catalog.update(tenantA, name, { notes: 'second', tags: { tier: null, 'a/b': 'c' } }, {});
    expect(await shown(name)).toMatchObject({
      ...{ description: 'first', notes: 'second', archived: false },
      tags: { team: 'fraud', 'a/b': 'c' },
    });
    const version = await catalog.updateVersion(tenantA, name, '1', { notes: 'of the version' }, {});
    expect(version).toMatchObject({ version: '1.0.0', notes: 'of the version', tags: {} });
  });

  it('has at most 50 tags, however they came together', async () => {
    const name = await model(1);
    const tags = (from: number, to: number, value: string | null) =>
      Object.fromEntries(Array.from({ length: to - from }, (_, i) => [`t${from + i}`, value]));
    await catalog.update(tenantA, name, { tags: tags(0, 50, 'x') as never }, {});
    await refused(
      catalog.update(tenantA, name, { tags: tags(50, 51, 'x') as never }, {}),
      'VALIDATION_FAILED',
    );
    await catalog.update(tenantA, name, { tags: { ...tags(0, 2, null), ...tags(50, 52, 'x') } as never }, {});
    expect(Object.keys((await shown(name)).tags)).toHaveLength(50);
  });

  it('can be changed, and have fewer tags, when it has more from before there was a bound', async () => {
    const name = await model(1);
    const admin = database.server.connectAsSuperuser('tenantml');
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`t${i}`, 'x']));
    await admin`UPDATE ml_models SET tags = ${admin.json(many)} WHERE model_name = ${name}`;
    await admin.end();
    await catalog.update(tenantA, name, { description: 'still here' }, {});
    const fewer = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`t${i}`, null]));
    await catalog.update(tenantA, name, { tags: fewer as never }, {});
    expect(Object.keys((await shown(name)).tags)).toHaveLength(70);
    await refused(
      catalog.update(tenantA, name, { tags: { another: 'x' } as never }, {}),
      'VALIDATION_FAILED',
    );
  });

  it('is changed by one of two who read the same state; the other is told', async () => {
    const name = await model(1);
    const { rowVersion } = await shown(name);
    const both = await Promise.allSettled(
      ['one', 'other'].map((description) =>
        catalog.update(tenantA, name, { description }, { ifMatch: rowVersion }),
      ),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'PRECONDITION_FAILED', evidence: { expected: rowVersion, found: rowVersion + 1 } },
    });
    const version = await registry.version(tenantA, name);
    await catalog.updateVersion(tenantA, name, '1.0.0', { notes: 'x' }, { ifMatch: version.rowVersion });
    await refused(
      catalog.updateVersion(tenantA, name, '1.0.0', { notes: 'y' }, { ifMatch: version.rowVersion }),
      'PRECONDITION_FAILED',
    );
  });

  it('puts a model away that serves nothing, and takes it back', async () => {
    const name = await model(1);
    await registry.deploy(tenantA, name, '1.0.0');
    await refused(catalog.update(tenantA, name, { archived: true }, {}), 'MODEL_DEPLOYED');
    await registry.retire(tenantA, name, '1.0.0', { force: true });
    await catalog.update(tenantA, name, { archived: true }, {});
    const listed = async (archived: boolean) =>
      (await registry.list(tenantA, { limit: 100, archived })).items.some((one) => one.model_name === name);
    expect([await listed(false), await listed(true)]).toEqual([false, true]);
    await catalog.update(tenantA, name, { archived: false }, {});
    expect(await listed(false)).toBe(true);
  });
});

describe('the list of models', () => {
  it('holds those that fit every filter', async () => {
    const tenant = tenantNamed('filterer');
    const trees = await model(2, {}, tenant);
    const lines = await model(1, { algorithm: 'ridge', task: 'regression', classes: undefined }, tenant);
    await catalog.update(tenant, trees, { tags: { team: 'fraud' } }, {});
    await catalog.transition(tenant, lines, '1', { stage: 'Staging', force: false, reason: '' });
    const names = async (filter: object) =>
      (await registry.list(tenant, { limit: 100, ...filter })).items.map(({ model_name }) => model_name);
    expect(await names({})).toEqual([trees, lines]);
    expect(await names({ task: 'regression' })).toEqual([lines]);
    expect(await names({ algorithm: 'gradient_boosting' })).toEqual([trees]);
    expect(await names({ algorithm: 'ridge', task: 'classification' })).toEqual([]);
    expect(await names({ stage: 'Staging' })).toEqual([lines]);
    expect(await names({ tag: 'team' })).toEqual([trees]);
    expect(await names({ tag: 'team=fraud' })).toEqual([trees]);
    expect(await names({ tag: 'team=other' })).toEqual([]);
    expect(await names({ search: trees.slice(3).toUpperCase() })).toEqual([trees]);
    // Letters of LIKE's own.
    for (const search of ['%', '_', '\\', "' OR true --"]) expect(await names({ search })).toEqual([]);
  });

  it('has versions newest first, in pages, by stage', async () => {
    const name = await model(5);
    await catalog.transition(tenantA, name, '1.1.0', { stage: 'Staging', force: false, reason: '' });
    const first = await catalog.versions(tenantA, name, { limit: 3 });
    const rest = await catalog.versions(tenantA, name, { limit: 3, cursor: first.nextCursor });
    expect([...first.items, ...rest.items].map(({ version }) => version)).toEqual(
      [4, 3, 2, 1, 0].map((minor) => `1.${minor}.0`),
    );
    expect(rest.nextCursor).toBeUndefined();
    const staged = await catalog.versions(tenantA, name, { limit: 3, stage: 'Staging' });
    expect(staged.items.map(({ version }) => version)).toEqual(['1.1.0']);
  });
});

describe('a version made of another', () => {
  it('has its bytes, the next patch or the number that is asked for, and its own metadata', async () => {
    const name = await model(1);
    const made = await catalog.create(tenantA, name, { from_version: '1', description: 'reviewed' });
    const from = await registry.version(tenantA, name, '1.0.0');
    expect(made).toMatchObject({
      ...{ version: '1.0.1', derived_from: '1.0.0', description: 'reviewed', stage: 'Development' },
      ...{ sha256: from.sha256, build_id: from.build_id, mlflow_version: 2 },
    });
    const numbered = { from_version: '1.0.1', version_string: '7.2.1', metrics: { accuracy: 0.5 } };
    expect(await catalog.create(tenantA, name, numbered)).toMatchObject({
      ...{ version: '7.2.1', derived_from: '1.0.1', metrics: { f1_score: 0.8, accuracy: 0.5 } },
    });
    // Retraining goes on from there.
    await registry.register(tenantA, registrationOf(tenantA, sampleManifest({ model_name: name })));
    expect((await shown(name)).latest_version).toBe('7.3.0');
    expect((await registry.deploy(tenantA, name, '7.2.1')).champion).toMatchObject({ version: '7.2.1' });
  });

  it.each([
    [{ version_string: '1.0.0' }, 'VERSION_NUMBER_TAKEN'],
    [{ version_string: '0.9.0' }, 'VERSION_NUMBER_TAKEN'],
    [{ version_string: '1.1' }, 'VERSION_NUMBER_INVALID'],
    // The number after it would be none.
    [{ version_string: '1.999999999.0' }, 'VERSION_NUMBER_INVALID'],
    [{ metrics: { accuracy: 2 } }, 'METRIC_OUT_OF_RANGE'],
    [{ from_version: '9.0.0' }, 'VERSION_NOT_FOUND'],
  ])('is refused with %j', async (request, code) => {
    const name = await model(1);
    await refused(catalog.create(tenantA, name, { from_version: '1.0.0', ...request }), code);
    expect((await shown(name)).n_versions).toBe(1);
  });
});

describe('stages', () => {
  it('are gone through in order, by force out of it, and every step is kept', async () => {
    const name = await model(1);
    const to = (stage: 'Staging' | 'Archived' | 'Failed' | 'Development', force = false) =>
      catalog.transition(tenantA, name, '1.0.0', { stage, force, reason: `to ${stage}` });
    await to('Staging');
    await to('Failed');
    await refused(to('Staging'), 'STAGE_TRANSITION_REFUSED');
    await to('Staging', true);
    const steps = await catalog.transitions(tenantA, name, '1.0.0');
    expect(steps.map(({ from_stage, to_stage, forced }) => [from_stage, to_stage, forced])).toEqual([
      ['Development', 'Staging', false],
      ['Staging', 'Failed', false],
      ['Failed', 'Staging', true],
    ]);
    expect(steps[0]).toMatchObject({ actor: 'user-of-aa', reason: 'to Staging' });
  });

  it('reach Production by deploying, which heeds them when asked to, and leave it by a successor', async () => {
    const name = await model(2);
    const heeding = (force: boolean) => ({ heedStage: true, forced: force });
    await refused(registry.deploy(tenantA, name, '1.0.0', heeding(false)), 'STAGE_TRANSITION_REFUSED');
    expect(await registry.deployment(tenantA, name)).toBeUndefined();
    await registry.deploy(tenantA, name, '1.0.0', heeding(true));
    await refused(
      catalog.transition(tenantA, name, '1.0.0', { stage: 'Archived', force: true, reason: '' }),
      'STAGE_NEEDS_DEPLOYMENT',
    );
    await catalog.transition(tenantA, name, '1.1.0', { stage: 'Staging', force: false, reason: '' });
    await registry.deploy(tenantA, name, '1.1.0', heeding(false));
    expect(await stages(name)).toEqual({ '1.0.0': 'Archived', '1.1.0': 'Production' });
    const { items } = await history.deployments(tenantA, name, { limit: 10 });
    expect(items.map(({ forced }) => forced)).toEqual([false, true]);
    // A plain deployment passes Staging by itself.
    await registry.deploy(tenantA, name, '1.0.0');
    const steps = await catalog.transitions(tenantA, name, '1.0.0');
    expect(steps.slice(-2).map(({ to_stage }) => to_stage)).toEqual(['Staging', 'Production']);
  });

  it('that say Failed keep a version from being deployed by the way, and from being rolled back to', async () => {
    const name = await model(3);
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) await registry.deploy(tenantA, name, version);
    await catalog.transition(tenantA, name, '1.1.0', { stage: 'Failed', force: true, reason: 'wrong data' });
    await refused(registry.deploy(tenantA, name, '1.1.0'), 'STAGE_TRANSITION_REFUSED');
    expect((await registry.rollback(tenantA, name, {})).champion).toMatchObject({ version: '1.0.0' });
    expect((await registry.deploy(tenantA, name, '1.1.0', { forced: true })).champion).toMatchObject({
      version: '1.1.0',
    });
  });

  it('of all but the newest versions become Archived, never of what serves or has an alias', async () => {
    const name = await model(8);
    await registry.deploy(tenantA, name, '1.0.0');
    await registry.configure(tenantA, name, { shadow: { version: '1.1.0' } });
    await catalog.setAlias(tenantA, name, 'golden' as never, '1.2.0', {});
    const { archived, kept } = await catalog.archiveOldVersions(tenantA, name, { keepLatest: 3 });
    expect(archived).toEqual(['1.4.0', '1.3.0']);
    expect(kept).toEqual(['1.7.0', '1.6.0', '1.5.0', '1.2.0', '1.1.0', '1.0.0']);
    expect(await catalog.archiveOldVersions(tenantA, name, { keepLatest: 3 })).toMatchObject({
      archived: [],
    });
    const five = await model(8);
    expect((await catalog.archiveOldVersions(tenantA, five, { keepLatest: 5 })).kept).toHaveLength(5);
  });
});

describe('aliases', () => {
  it('name versions wherever a version is named, and move', async () => {
    const name = await model(2);
    await catalog.setAlias(tenantA, name, 'golden' as never, '1.0.0', {});
    expect((await registry.version(tenantA, name, 'golden')).version).toBe('1.0.0');
    await catalog.setAlias(tenantA, name, 'golden' as never, '2', {});
    expect((await registry.deploy(tenantA, name, 'golden')).champion).toMatchObject({ version: '1.1.0' });
    expect((await registry.version(tenantA, name, 'champion')).version).toBe('1.1.0');
    expect(await catalog.aliases(tenantA, name)).toMatchObject([
      { alias: 'champion', version: '1.1.0' },
      { alias: 'golden', version: '1.1.0' },
    ]);
    await catalog.removeAlias(tenantA, name, 'golden', {});
    await refused(registry.version(tenantA, name, 'golden'), 'VERSION_NOT_FOUND');
    await refused(catalog.removeAlias(tenantA, name, 'golden', {}), 'ALIAS_NOT_FOUND');
  });

  it('hide no other name of a version, change the ETag of the model, and go with their version', async () => {
    const name = await model(1, { build_id: 'abc' });
    await refused(catalog.setAlias(tenantA, name, 'abc' as never, '1.0.0', {}), 'ALIAS_HIDES_VERSION');
    const { rowVersion } = await shown(name);
    await catalog.setAlias(tenantA, name, 'golden' as never, '1', { ifMatch: rowVersion });
    await refused(
      catalog.setAlias(tenantA, name, 'golden' as never, '1', { ifMatch: rowVersion }),
      'PRECONDITION_FAILED',
    );
    await registry.remove(tenantA, name, '1.0.0');
    expect(await catalog.aliases(tenantA, name)).toEqual([]);
  });
});

describe('the history of deployments', () => {
  it('says what was Production at any time, and rolls back', async () => {
    const name = await model(3);
    const at: string[] = [new Date().toISOString()];
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
      await registry.deploy(tenantA, name, version);
      const { items } = await history.deployments(tenantA, name, { limit: 1 });
      at.push(items[0]!.deployed_at);
    }
    const back = await registry.rollback(tenantA, name, { reason: 'complaints' });
    expect(back).toMatchObject({ revision: 4, champion: { version: '1.1.0' }, previousVersion: '1.2.0' });
    const productionAt = async (time: string) =>
      (await history.deployments(tenantA, name, { limit: 1, at: time })).production_at;
    // Microseconds are cut off of what is shown: a millisecond later it is so for certain.
    const later = (time: string) => new Date(Date.parse(time) + 1).toISOString();
    expect(await productionAt(at[0]!)).toEqual({ at: at[0], revision: 0 });
    expect((await productionAt(later(at[1]!)))?.model_version).toMatch(/^1\.[01]\.0$/);
    expect(await productionAt('2999-01-01T00:00:00Z')).toMatchObject({ model_version: '1.1.0', revision: 4 });
    const { items } = await history.deployments(tenantA, name, { limit: 10 });
    expect(items.map(({ action, model_version }) => [action, model_version])).toEqual([
      ['rollback', '1.1.0'],
      ['deploy', '1.2.0'],
      ['deploy', '1.1.0'],
      ['deploy', '1.0.0'],
    ]);
    expect(items[0]).toMatchObject({ reason: 'complaints', actor: 'user-of-aa', previous_version: '1.2.0' });
    const to = await registry.rollback(tenantA, name, { toVersion: '1' });
    expect(to.champion).toMatchObject({ version: '1.0.0' });
  });

  it('is rolled back to what can serve only, also after the model was taken out of service', async () => {
    const name = await model(2);
    await refused(registry.rollback(tenantA, name, {}), 'NOTHING_TO_ROLL_BACK_TO');
    await registry.deploy(tenantA, name, '1.0.0');
    await refused(registry.rollback(tenantA, name, {}), 'NOTHING_TO_ROLL_BACK_TO');
    await refused(registry.rollback(tenantA, name, { toVersion: '1.1.0' }), 'NOTHING_TO_ROLL_BACK_TO');
    await registry.deploy(tenantA, name, '1.1.0');
    await registry.retire(tenantA, name, '1.1.0', { force: true });
    expect((await registry.rollback(tenantA, name, {})).champion).toMatchObject({ version: '1.0.0' });
    await refused(registry.rollback(tenantA, name, { toVersion: '1.1.0' }), 'NOTHING_TO_ROLL_BACK_TO');
  });

  it('has one winner of twenty who deploy from the same revision', async () => {
    const name = await model(2);
    await registry.deploy(tenantA, name, '1.0.0');
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        registry.deploy(tenantA, name, i % 2 === 0 ? '1.1.0' : '1.0.0', { ifRevision: 1 }),
      ),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const one of all)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'PRECONDITION_FAILED' });
    expect((await registry.deployment(tenantA, name))?.revision).toBe(2);
  });
});

describe('the audit log', () => {
  it('says who changed what, from what to what, and finds it by subject, actor, action and time', async () => {
    const name = await model(1);
    await catalog.update(tenantA, name, { description: 'x' }, {});
    await registry.deploy(tenantA, name, '1.0.0');
    const of = async (filter: object) => history.audit(tenantA, { limit: 100, subject: name, ...filter });
    expect((await of({})).map(({ action, subject }) => [action, subject])).toEqual([
      ['deploy', `${name}/1.0.0`],
      ['update', name],
      ['register', `${name}/1.0.0`],
    ]);
    expect((await of({ action: 'update' }))[0]).toMatchObject({
      ...{ actor: 'user-of-aa', request_id: tenantA.requestId },
      detail: { before: { description: '' }, after: { description: 'x' } },
    });
    expect(await of({ actor: 'nobody' })).toEqual([]);
    expect(await of({ from: '2999-01-01T00:00:00Z' })).toEqual([]);
    expect(await of({ to: '2001-01-01T00:00:00Z' })).toEqual([]);
    // A name that begins so is another model.
    expect(await of({ subject: 'catalogued' })).toEqual([]);
    const first = await history.audit(tenantA, { limit: 2, subject: name });
    const before = first.at(-1)!.audit_id;
    expect([...first, ...(await of({ before }))]).toEqual(await of({}));
  });
});

describe('lineage', () => {
  it('leads from a dataset over run and version to its deployments', async () => {
    const name = await model(1, { dataset_id: datasetId('7') });
    await catalog.create(tenantA, name, { from_version: '1.0.0' });
    await registry.deploy(tenantA, name, '1.0.0');
    const { nodes, edges } = lineageGraph(await history.lineage(tenantA, name));
    const run = nodes.find(({ kind }) => kind === 'run')!.id;
    expect(edges).toEqual([
      { from: 'version:1.0.0', to: 'version:1.0.1', relation: 'derived' },
      { from: run, to: 'version:1.0.0', relation: 'produced' },
      { from: `dataset:${datasetId('7')}`, to: run, relation: 'used by' },
      { from: 'version:1.0.0', to: 'deployment:1', relation: 'deployed as' },
    ]);
    const ids = new Set(nodes.map(({ id }) => id));
    for (const { from, to } of edges) expect([ids.has(from), ids.has(to)]).toEqual([true, true]);
    await registry.retire(tenantA, name, '1.0.0', { force: true });
    await registry.remove(tenantA, name, '1.0.0');
    const after = lineageGraph(await history.lineage(tenantA, name));
    expect(after.nodes.find(({ id }) => id === 'version:1.0.0')?.attributes).toEqual({ deleted: true });
    const one = lineageGraph(await history.lineage(tenantA, name, '1.0.1'));
    expect(one.nodes.map(({ id }) => id)).toEqual(['version:1.0.1', 'version:1.0.0']);
  });
});

describe('a model that was deleted', () => {
  it('is gone, keeps its history, and one of its name goes on with the next numbers', async () => {
    const name = await model(2);
    await registry.deploy(tenantA, name, '1.0.0');
    await refused(catalog.removeModel(tenantA, name), 'MODEL_DEPLOYED');
    await registry.retire(tenantA, name, '1.0.0', { force: true });
    for (const version of ['1.0.0', '1.1.0']) await registry.remove(tenantA, name, version);
    await catalog.removeModel(tenantA, name);
    for (const asked of [
      shown(name),
      registry.deploy(tenantA, name, '1.0.0'),
      catalog.update(tenantA, name, {}, {}),
      history.deployments(tenantA, name, { limit: 1 }),
    ])
      await refused(asked, 'MODEL_NOT_FOUND');
    expect((await history.audit(tenantA, { limit: 1, subject: name }))[0]).toMatchObject({
      ...{ action: 'delete', subject: name },
    });
    const manifest = sampleManifest({ model_name: name });
    expect(await registry.register(tenantA, registrationOf(tenantA, manifest))).toMatchObject({
      ...{ version: '1.2.0', mlflow_version: 3 },
    });
    // As of a new model: nothing of it was ever deployed, and its revisions rise all the same.
    expect(await registry.deployment(tenantA, name)).toBeUndefined();
    expect((await registry.deploy(tenantA, name, '1.2.0')).revision).toBe(3);
  });
});

describe('text that Postgres cannot hold', () => {
  it.each([
    ['U+0000', 'a\u0000b'],
    ['half of a surrogate pair', 'a\ud800b'],
  ])('is refused as a mistake of whoever sends it: %s', async (_, text) => {
    const name = await model(1);
    await refused(
      catalog.update(tenantA, name, { description: text, tags: { a: text } }, {}),
      'VALIDATION_FAILED',
    );
    await refused(
      catalog.transition(tenantA, name, '1', { stage: 'Archived', force: false, reason: text }),
      'VALIDATION_FAILED',
    );
    expect(await shown(name)).toMatchObject({ description: '', tags: {} });
  });
});

describe('names of versions', () => {
  it('a number is found as the number, whatever build and bytes of another one are said to be', async () => {
    const name = await model(1);
    const liar = { model_name: name, build_id: '1.0.0', artifact: { format: 'onnx', sha256: '1', bytes: 1 } };
    await registry.register(tenantA, registrationOf(tenantA, sampleManifest(liar)));
    expect(await registry.version(tenantA, name, '1.0.0')).toMatchObject({ version: '1.0.0' });
    expect(await registry.version(tenantA, name, '1')).toMatchObject({ version: '1.0.0' });
    expect((await registry.deploy(tenantA, name, '1.0.0')).champion).toMatchObject({ version: '1.0.0' });
  });
});

describe('a registry as a document', () => {
  const there = new Set<string>();
  const artifacts = (tenant: TenantContext) => ({
    manifest: async (_: TenantContext, name: ModelName, buildId: string) =>
      there.has(buildId)
        ? registrationOf(tenant, sampleManifest({ model_name: name, build_id: buildId }))
        : undefined,
  });

  it('is taken in elsewhere with everything but what serves, and again without a change', async () => {
    const [from, to] = [tenantNamed('exporter'), tenantNamed('importer')];
    const name = await model(2, {}, from);
    await registry.deploy(from, name, '1.0.0');
    await catalog.setAlias(from, name, 'golden' as never, '1.1.0', {});
    await catalog.update(from, name, { description: 'to be moved', tags: { a: 'b' } }, {});
    const exported = await archive.export(from, { limit: 10 });
    const document = RegistryExport.parse({
      ...{ format: 'tenantml.registry', format_version: 1, exported_at: new Date().toISOString() },
      models: JSON.parse(JSON.stringify(exported.models)),
    });
    expect(document.models[0]).toMatchObject({ champion_version: '1.0.0' });
    // The bytes of the newer version only are here.
    there.add(document.models[0]!.versions[1]!.manifest.build_id);
    const parts = { archive, artifacts: artifacts(to) };
    expect(await importRegistry(to, document, parts)).toEqual({
      ...{ models_created: 1, versions_created: 2, versions_skipped: [] },
      versions_without_bytes: [`${name}/1.0.0`],
    });
    const taken = await shown(name, to);
    expect(taken).toMatchObject({ description: 'to be moved', tags: { a: 'b' }, n_versions: 2 });
    expect(taken.champion_version).toBeUndefined();
    await refused(registry.deploy(to, name, '1.0.0'), 'VERSION_NOT_VERIFIED');
    expect((await registry.deploy(to, name, 'golden')).champion).toMatchObject({ version: '1.1.0' });
    const before = await archive.export(to, { limit: 10 });
    expect(await importRegistry(to, document, parts)).toMatchObject({
      ...{ models_created: 0, versions_created: 0, versions_skipped: [`${name}/1.0.0`, `${name}/1.1.0`] },
    });
    expect(await archive.export(to, { limit: 10 })).toEqual(before);
  });

  it('that contradicts itself changes nothing', async () => {
    const tenant = tenantNamed('contradicted');
    const exported = await archive.export(tenantNamed('exporter'), { limit: 1 });
    const [one] = JSON.parse(JSON.stringify(exported.models)) as RegistryExport['models'];
    const parts = { archive, artifacts: artifacts(tenant) };
    const broken: Partial<RegistryExport['models'][number]>[] = [
      { versions: [one!.versions[0]!, one!.versions[0]!], aliases: [] },
      { model_name: 'other' as never },
      { versions: [] },
      { versions: [{ ...one!.versions[0]!, metrics: { accuracy: 7 } }], aliases: [] },
      // The next number would not fit, and the model take no version any more.
      { versions: [{ ...one!.versions[0]!, mlflow_version: 2 ** 31 - 1 }], aliases: [] },
      ...['1.0.0', 'golden', '', '../../../../bb/models/m/builds/x'].map((build_id) => ({
        versions: [{ ...one!.versions[0]!, manifest: { ...one!.versions[0]!.manifest, build_id } }],
        aliases: [],
      })),
      {
        versions: [
          {
            ...one!.versions[0]!,
            manifest: sampleManifest({
              model_name: one!.model_name,
              artifact: { format: 'onnx', sha256: '1.0.0', bytes: 1 },
            }),
          },
        ],
        aliases: [],
      },
    ];
    for (const over of broken) {
      const document = { models: [one!, { ...one!, ...over }] } as RegistryExport;
      await expect(importRegistry(tenant, document, parts)).rejects.toMatchObject({
        code: expect.stringMatching(/^(REGISTRY_DOCUMENT_INVALID|METRIC_OUT_OF_RANGE)$/),
      });
    }
    expect((await registry.list(tenant, { limit: 10 })).items).toEqual([]);
  });
});

describe('across tenants', () => {
  it('shows a stranger nothing, and changes nothing, by any verb', async () => {
    const name = await model(1, { artifact: { format: 'onnx', sha256: hex('6'), bytes: 6 } });
    await catalog.setAlias(tenantA, name, 'golden' as never, '1', {});
    await registry.deploy(tenantA, name, '1');
    const before = await archive.export(tenantA, { limit: 100 });
    for (const stranger of [tenantAb, tenantB]) {
      const asked = [
        catalog.versions(stranger, name, { limit: 1 }),
        catalog.update(stranger, name, { description: 'mine' }, {}),
        catalog.updateVersion(stranger, name, 'golden', { notes: 'mine' }, {}),
        catalog.create(stranger, name, { from_version: hex('6') }),
        catalog.transition(stranger, name, '1', { stage: 'Archived', force: true, reason: '' }),
        catalog.transitions(stranger, name, '1'),
        catalog.archiveOldVersions(stranger, name, { keepLatest: 1 }),
        catalog.aliases(stranger, name),
        catalog.setAlias(stranger, name, 'golden' as never, '1', {}),
        catalog.removeAlias(stranger, name, 'golden', {}),
        catalog.removeModel(stranger, name),
        history.deployments(stranger, name, { limit: 1, at: '2999-01-01T00:00:00Z' }),
        history.lineage(stranger, name),
        registry.rollback(stranger, name, {}),
        registry.removeSharing(stranger, name, '1'),
      ];
      for (const answer of await Promise.allSettled(asked))
        expect(answer).toMatchObject({
          status: 'rejected',
          reason: { code: expect.stringMatching(/^(MODEL|VERSION)_NOT_FOUND$/) },
        });
      expect(await history.audit(stranger, { limit: 10, subject: name })).toEqual([]);
      expect((await archive.export(stranger, { limit: 10 })).models).toEqual([]);
    }
    expect(await archive.export(tenantA, { limit: 100 })).toEqual(before);
  });
});
