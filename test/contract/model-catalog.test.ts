import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelName } from '../../src/contracts/names.ts';
import type { ModelCatalog } from '../../src/registry/model-catalog.ts';
import type { ModelRegistry } from '../../src/registry/model-registry.ts';
import type { RegistryArchive } from '../../src/registry/registry-archive.ts';
import type { RegistryHistory } from '../../src/registry/registry-history.ts';
import { type LocalRegistry, startLocalRegistry } from '../support/local-registry.ts';
import { hex, registrationOf, sampleManifest } from '../support/samples.ts';
import { tenantA, tenantAb, tenantB, tenantNamed } from '../support/tenants.ts';

let local: LocalRegistry;
let registry: ModelRegistry;
let catalog: ModelCatalog;
let history: RegistryHistory;
let archive: RegistryArchive;

beforeAll(async () => {
  local = await startLocalRegistry();
  ({ registry, catalog, history, archive } = local);
});
afterAll(() => local?.stop());

const model: LocalRegistry['newModel'] = (...of) => local.newModel(...of);
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
    const admin = local.database.server.connectAsSuperuser('tenantml');
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
