import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelName } from '../../src/contracts/names.ts';
import { lineageGraph } from '../../src/registry/lineage.ts';
import type { ModelCatalog } from '../../src/registry/model-catalog.ts';
import type { ModelRegistry } from '../../src/registry/model-registry.ts';
import type { RegistryHistory } from '../../src/registry/registry-history.ts';
import { type LocalRegistry, startLocalRegistry } from '../support/local-registry.ts';
import { datasetId, registrationOf, sampleManifest } from '../support/samples.ts';
import { tenantA } from '../support/tenants.ts';

let local: LocalRegistry;
let registry: ModelRegistry;
let catalog: ModelCatalog;
let history: RegistryHistory;

beforeAll(async () => {
  local = await startLocalRegistry();
  ({ registry, catalog, history } = local);
});
afterAll(() => local?.stop());

const model: LocalRegistry['newModel'] = (...of) => local.newModel(...of);
const shown = (name: ModelName, tenant = tenantA) => registry.model(tenant, name);
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code });

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
