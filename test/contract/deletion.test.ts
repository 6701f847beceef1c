import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ModelName } from '../../src/contracts/names.ts';
import { type DeletionParts, deleteModel, deleteVersion } from '../../src/registry/deletion.ts';
import { Promotion } from '../../src/registry/promotion.ts';
import type { ServingPointer, WithdrawnPointer } from '../../src/serving/serving-pointer.ts';
import { type LocalRegistry, startLocalRegistry } from '../support/local-registry.ts';
import { tenantA } from '../support/tenants.ts';

let local: LocalRegistry;
let parts: DeletionParts;
/** Builds whose bytes were removed, in order. */
let removedBuilds: string[];
/** What stands in the pointers, by environment. */
let pointers: Map<string, ServingPointer | WithdrawnPointer>;
/** Whether the process dies when bytes are to go. */
let isDying = false;

beforeAll(async () => {
  local = await startLocalRegistry();
  const { registry, catalog } = local;
  const promotion = new Promotion({
    registry,
    pointers: {
      write: async (_tenant, pointer) => {
        pointers.set(pointer.environment ?? 'production', pointer);
        return true;
      },
    },
    intents: { open: async () => 'intent', close: async () => {}, owner: async () => undefined } as never,
    events: { publish: async () => {} },
  });
  const artifacts = {
    remove: async (_tenant: unknown, _model: unknown, buildId: string) => {
      if (isDying) throw new Error('died');
      removedBuilds.push(buildId);
    },
  };
  parts = { registry, promotion, artifacts, catalog };
});
afterAll(() => local?.stop());

let model: ModelName;
beforeEach(async () => {
  model = await local.newModel(2);
  removedBuilds = [];
  pointers = new Map();
});

const buildOf = async (version: string) => (await parts.registry.version(tenantA, model, version)).build_id;
const versions = async () =>
  (await parts.registry.model(tenantA, model)).versions.map(({ version }) => version).sort();
const remove = (version: string) => deleteVersion(tenantA, model, version, { force: false }, parts);
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code });

describe('a version that is deleted', () => {
  it('takes its bytes along', async () => {
    const build = await buildOf('1.0.0');
    expect(await remove('1')).toBe('1.0.0');
    expect([removedBuilds, await versions()]).toEqual([[build], ['1.1.0']]);
  });

  it('leaves bytes that another version has, which the last of them takes along', async () => {
    const build = await buildOf('1.0.0');
    for (let i = 0; i < 2; i++) await parts.catalog.create(tenantA, model, { from_version: '1.0.0' });
    await remove('1.0.0');
    await remove('1.1.1');
    expect(removedBuilds).toEqual([]);
    await remove('1.1.2');
    expect([removedBuilds, await versions()]).toEqual([[build], ['1.1.0']]);
  });

  it('at once with all that share its bytes leaves none of them, and no bytes', async () => {
    const build = await buildOf('1.0.0');
    for (let i = 0; i < 4; i++) await parts.catalog.create(tenantA, model, { from_version: '1.0.0' });
    await Promise.all(['1.0.0', '1.1.1', '1.1.2', '1.1.3', '1.1.4'].map(remove));
    expect([new Set(removedBuilds), await versions()]).toEqual([new Set([build]), ['1.1.0']]);
  });

  it('keeps its row until its bytes are gone: the deletion is sent again, and ends', async () => {
    isDying = true;
    await expect(remove('1.0.0')).rejects.toThrow('died');
    isDying = false;
    expect(await versions()).toEqual(['1.0.0', '1.1.0']);
    await refused(parts.promotion.deploy(tenantA, model, '1.0.0'), 'VERSION_NOT_VERIFIED');
    await remove('1.0.0');
    expect([removedBuilds.length, await versions()]).toEqual([1, ['1.1.0']]);
  });
});

describe('a model that is deleted', () => {
  it.each(['production', 'staging'] as const)(
    'is not touched while it serves %s, unless by force',
    async (where) => {
      if (where === 'production') await parts.promotion.deploy(tenantA, model, '1.0.0');
      else await parts.promotion.deployTo(tenantA, model, where, '1.0.0');
      const drop = (force: boolean) => deleteModel(tenantA, model, { force }, parts);
      await refused(drop(false), 'MODEL_DEPLOYED');
      expect([removedBuilds, await versions()]).toEqual([[], ['1.0.0', '1.1.0']]);
      expect(pointers.get(where)).toMatchObject({ version: '1.0.0' });
      expect(await drop(true)).toMatchObject({ versions: ['1.1.0', '1.0.0'] });
      expect(pointers.get(where)).toMatchObject({ withdrawn: true });
      expect(removedBuilds).toHaveLength(2);
    },
  );

  it('serves nothing any more before anything of it is gone', async () => {
    await parts.promotion.deploy(tenantA, model, '1.0.0');
    for (const environment of ['development', 'staging'] as const)
      await parts.promotion.deployTo(tenantA, model, environment, '1.1.0');
    isDying = true;
    await expect(deleteModel(tenantA, model, { force: true }, parts)).rejects.toThrow('died');
    isDying = false;
    expect([...pointers.values()].map((pointer) => 'withdrawn' in pointer)).toEqual([true, true, true]);
    expect(await versions()).toEqual(['1.0.0', '1.1.0']);
    await deleteModel(tenantA, model, { force: false }, parts);
    await refused(parts.registry.model(tenantA, model), 'MODEL_NOT_FOUND');
  });
});
