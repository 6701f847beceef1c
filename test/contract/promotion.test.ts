import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { intentReferenceText } from '../../src/adapters/aws/dynamodb-promotion-intents.ts';
import type { ModelName } from '../../src/contracts/names.ts';
import type { EventPublisher, PlatformEvent } from '../../src/registry/event-publisher.ts';
import { Promotion } from '../../src/registry/promotion.ts';
import type { ManifestSignatures } from '../../src/serving/manifest-signatures.ts';
import { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { registrySteps } from '../../src/training/registry-steps.ts';
import {
  type LocalPointers,
  type LocalRegistry,
  startLocalPointers,
  startLocalRegistry,
} from '../support/local-registry.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { registrationOf, sampleManifest } from '../support/samples.ts';
import { signaturesBy, signingKey } from '../support/signing.ts';
import { modelName, tenantA, tenantAb } from '../support/tenants.ts';

/** The function died here. */
class Crash extends Error {}

let local: LocalRegistry;
let beside: LocalPointers;
let registry: LocalRegistry['registry'];
let pointers: LocalPointers['pointers'];
let intents: LocalPointers['intents'];
let reader: LocalPointers['reader'];
const clock = new ManualClock();
const published: PlatformEvent[] = [];
const events: EventPublisher = {
  publish: async (_tenant, event) => {
    published.push(event);
  },
};

beforeAll(async () => {
  beside = await startLocalPointers(clock);
  local = await startLocalRegistry();
  ({ registry } = local);
  ({ pointers, intents, reader } = beside);
});
afterAll(async () => {
  await local?.stop();
  await beside?.stop();
});

let model: ModelName;
beforeEach(async () => {
  model = await local.newModel(2);
  await promotionWith({}).deploy(tenantA, model, '1.0.0');
  published.length = 0;
});

type Parts = ConstructorParameters<typeof Promotion>[0];
const promotionWith = (over: Partial<Parts>): Promotion =>
  new Promotion({ registry, pointers, intents, events, ...over });

/** The part, but one method dies before or after it has done its work. */
function dying<Part extends object>(part: Part, method: keyof Part, when: 'before' | 'after'): Part {
  return new Proxy(part, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (name !== method) return call;
      return async (...args: unknown[]) => {
        if (when === 'after') await call(...args);
        throw new Crash(`${String(method)} ${when}`);
      };
    },
  });
}

/** What the schedule and the relay do between them. */
async function repairWaiting(): Promise<number> {
  const waiting = await intents.waiting();
  for (const { reference, ageMs } of waiting) {
    const tenant = await TenantContext.fromJob(intents, intentReferenceText(reference), 'repair');
    const { modelName: name, intentId } = (await intents.read(reference))!;
    await promotionWith({}).repair(tenant, name, intentId, { isOver: ageMs > 30_000 });
  }
  return waiting.length;
}

const served = async () => (await reader.pointer(tenantA, model))?.version;
const registered = async () => (await registry.deployment(tenantA, model))?.champion?.version;

describe('what is served beside the champion', () => {
  const configure = (request: Parameters<Promotion['configure']>[2]) =>
    promotionWith({}).configure(tenantA, model, request);
  const pointer = () => reader.pointer(tenantA, model);

  it('is projected with it, and kept when another version is deployed', async () => {
    await registry.register(tenantA, registrationOf(tenantA, sampleManifest({ model_name: model })));
    const settings = { log: 'durable', log_features: 'hash' } as const;
    const deployment = await configure({
      ...{ canary: { version: '1.1.0', weight: 0.25 }, shadow: { version: '2' }, settings },
    });
    expect(deployment.revision).toBe(2);
    expect(await pointer()).toMatchObject({
      ...{ version: '1.0.0', revision: 2, settings },
      ...{ canary: { version: '1.1.0', weight: 0.25 }, shadow: { version: '1.1.0' } },
    });
    expect(await registry.serving(tenantA, model)).toEqual({
      ...{ model_name: model, revision: 2, champion_version: '1.0.0', settings },
      ...{ canary: { version: '1.1.0', weight: 0.25 }, shadow: { version: '1.1.0' } },
    });
    expect(published).toEqual([]);
    await promotionWith({}).deploy(tenantA, model, '1.2.0');
    expect(await pointer()).toMatchObject({ version: '1.2.0', canary: { version: '1.1.0' }, settings });
  });

  it('ends with what is left out, and a canary with its own deployment', async () => {
    await configure({ canary: { version: '1.1.0', weight: 0.5 }, settings: { log: 'off' } });
    await promotionWith({}).deploy(tenantA, model, '1.1.0');
    expect(await pointer()).toMatchObject({ version: '1.1.0', settings: { log: 'off' } });
    expect(await pointer()).not.toHaveProperty('canary');
    await configure({});
    expect(await pointer()).not.toHaveProperty('settings');
  });

  it('ends with the version that is deleted, and all of it when the model goes out of service', async () => {
    await configure({ canary: { version: '1.1.0', weight: 0.5 } });
    const retire = (version: string, force: boolean) =>
      promotionWith({}).retire(tenantA, model, version, { force });
    await expect(retire('1.1.0', false)).rejects.toMatchObject({ code: 'VERSION_DEPLOYED' });
    await retire('1.1.0', true);
    expect(await pointer()).toMatchObject({ version: '1.0.0', revision: 3 });
    expect(await pointer()).not.toHaveProperty('canary');
    await registry.register(tenantA, registrationOf(tenantA, sampleManifest({ model_name: model })));
    await configure({ canary: { version: '1.2.0', weight: 0.5 } });
    await retire('1.0.0', true);
    expect(await pointer()).toBeUndefined();
    expect(await registry.serving(tenantA, model)).not.toHaveProperty('canary');
  });

  it('is refused for versions that are not there, not verified, or the champion itself, and changes nothing', async () => {
    const refused = async (request: Parameters<typeof configure>[0], code: string) =>
      expect(configure(request)).rejects.toMatchObject({ code });
    await refused({ canary: { version: '9.0.0', weight: 0.5 } }, 'VERSION_NOT_FOUND');
    await refused({ canary: { version: '1.0.0', weight: 0.5 } }, 'CANARY_IS_CHAMPION');
    await promotionWith({}).retire(tenantA, model, '1.1.0', { force: false });
    await refused({ shadow: { version: '1.1.0' } }, 'VERSION_NOT_VERIFIED');
    const other = modelName(`${model}-undeployed`);
    await registry.register(tenantA, registrationOf(tenantA, sampleManifest({ model_name: other })));
    await expect(promotionWith({}).configure(tenantA, other, {})).rejects.toMatchObject({
      code: 'NOTHING_DEPLOYED',
    });
    await expect(promotionWith({}).configure(tenantAb, model, {})).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    });
    expect((await pointer())?.revision).toBe(1);
  });

  it('is repaired like a deployment', async () => {
    // Those of the refusals above.
    clock.advance(31_000);
    await repairWaiting();
    const broken = promotionWith({ pointers: dying(pointers, 'write', 'before') });
    await expect(
      broken.configure(tenantA, model, { canary: { version: '1.1.0', weight: 0.5 } }),
    ).rejects.toThrow(Crash);
    expect(await pointer()).not.toHaveProperty('canary');
    clock.advance(31_000);
    expect(await repairWaiting()).toBe(1);
    expect(await pointer()).toMatchObject({ canary: { version: '1.1.0', weight: 0.5 } });
  });
});

describe('Promotion', () => {
  it('moves the pointer with the champion, tells it, and leaves no intent', async () => {
    const deployment = await promotionWith({}).deploy(tenantA, model, '1.1.0');
    expect(deployment.revision).toBe(2);
    expect([await served(), await registered()]).toEqual(['1.1.0', '1.1.0']);
    expect(published).toEqual([
      {
        type: 'ml.model.promoted',
        subject: model,
        data: { model_name: model, model_version: '1.1.0', previous_version: '1.0.0', revision: 2 },
      },
    ]);
    clock.advance(31_000);
    expect(await repairWaiting()).toBe(0);
  });

  it('opens no intent for what does not exist', async () => {
    await expect(promotionWith({}).deploy(tenantA, model, '9.0.0')).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
    });
    await expect(promotionWith({}).deploy(tenantAb, model, '1.0.0')).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    });
    clock.advance(31_000);
    expect(await intents.waiting()).toEqual([]);
    expect(published).toEqual([]);
  });

  const faults = [
    ['intents', 'open', 'before', '1.0.0', 0],
    ['intents', 'open', 'after', '1.0.0', 1],
    ['registry', 'deploy', 'before', '1.0.0', 1],
    ['registry', 'deploy', 'after', '1.1.0', 1],
    ['pointers', 'write', 'before', '1.1.0', 1],
    ['pointers', 'write', 'after', '1.1.0', 1],
    ['events', 'publish', 'before', '1.1.0', 1],
    ['intents', 'close', 'before', '1.1.0', 1],
    ['intents', 'close', 'after', '1.1.0', 0],
  ] as const;

  it.each(faults)(
    'that dies at %s.%s (%s) ends at %s after repair',
    async (part, method, when, end, left) => {
      const parts: Parts = { registry, pointers, intents, events };
      const broken = { [part]: dying(parts[part] as never, method as never, when) } as Partial<Parts>;
      await expect(promotionWith(broken).deploy(tenantA, model, '1.1.0')).rejects.toThrow(Crash);
      // The registry and what is served may differ now, by this one change, until the next look.
      expect(await repairWaiting()).toBe(left);
      expect([await registered(), await served()]).toEqual([end, end]);
      // Kept in sight while something of it might still be under way.
      clock.advance(31_000);
      expect(await repairWaiting()).toBe(left);
      expect([await registered(), await served()]).toEqual([end, end]);
      expect(await repairWaiting()).toBe(0);
    },
  );

  it('that dies while it takes a model out of service ends with nothing served', async () => {
    const broken = promotionWith({ pointers: dying(pointers, 'write', 'before') });
    await expect(broken.retire(tenantA, model, '1.0.0', { force: true })).rejects.toThrow(Crash);
    expect(await served()).toBe('1.0.0');
    clock.advance(31_000);
    expect(await repairWaiting()).toBe(1);
    expect([await registered(), await served()]).toEqual([undefined, undefined]);
  });

  it('that dies after its transaction is repaired, although another of the same model ended meanwhile', async () => {
    const firstMayGoOn = Promise.withResolvers<void>();
    const slowRegistry = new Proxy(registry, {
      get(target, name) {
        const call = (Reflect.get(target, name) as (...args: unknown[]) => unknown).bind(target);
        return name !== 'deploy'
          ? call
          : async (...args: unknown[]) => {
              await firstMayGoOn.promise;
              return call(...args);
            };
      },
    });
    const first = promotionWith({ registry: slowRegistry, pointers: dying(pointers, 'write', 'before') });
    const dies = expect(first.deploy(tenantA, model, '1.1.0')).rejects.toThrow(Crash);
    await promotionWith({}).deploy(tenantA, model, '1.0.0');
    firstMayGoOn.resolve();
    await dies;
    expect([await registered(), await served()]).toEqual(['1.1.0', '1.0.0']);
    clock.advance(31_000);
    expect(await repairWaiting()).toBe(1);
    expect([await registered(), await served()]).toEqual(['1.1.0', '1.1.0']);
  });

  it('leaves the newest of twenty deployments at once served', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        promotionWith({}).deploy(tenantA, model, i % 2 === 0 ? '1.1.0' : '1.0.0'),
      ),
    );
    expect((await reader.pointer(tenantA, model))?.revision).toBe(21);
    expect(await served()).toBe(await registered());
    clock.advance(31_000);
    expect(await intents.waiting()).toEqual([]);
  });

  it('repairs nothing of a newer deployment when an old intent is found late', async () => {
    const left = promotionWith({ intents: dying(intents, 'close', 'before') });
    await expect(left.deploy(tenantA, model, '1.1.0')).rejects.toThrow(Crash);
    await promotionWith({}).deploy(tenantA, model, '1.0.0');
    clock.advance(31_000);
    expect(await repairWaiting()).toBe(1);
    expect([await registered(), await served()]).toEqual(['1.0.0', '1.0.0']);
  });
});

describe('a version that would not be loaded', () => {
  const key = signingKey();
  const pointer = () => reader.pointer(tenantA, model);
  const signedBy = (signatures: ManifestSignatures) => promotionWith({ signatures });
  /** Registers a build that is signed for this tenant, or for another, or not at all. */
  const register = (signedFor?: string) => {
    const manifest = sampleManifest({ model_name: model });
    const { signature: _, ...registration } = registrationOf(tenantA, manifest);
    const { manifestSha256 } = registration;
    const statement = { modelName: model, buildId: manifest.build_id, manifestSha256 };
    return registry.register(tenantA, {
      ...registration,
      ...(signedFor === undefined ? {} : { signature: key.signed({ ...statement, tenantId: signedFor }) }),
    });
  };

  it.each([
    ['has no signature', undefined],
    ['is signed for another tenant', 'bb'],
  ])('since it %s is not deployed, not even as canary or shadow', async (_, signedFor) => {
    const { version } = await register(signedFor);
    const promotion = signedBy(signaturesBy([key]));
    for (const change of [
      promotion.deploy(tenantA, model, version),
      promotion.rollback(tenantA, model, { toVersion: version, reason: '' }),
      promotion.configure(tenantA, model, { canary: { version, weight: 0.5 } }),
      promotion.configure(tenantA, model, { shadow: { version } }),
    ])
      await expect(change).rejects.toMatchObject({ code: 'VERSION_NOT_SIGNED' });
    expect(await pointer()).toMatchObject({ version: '1.0.0', revision: 1 });
  });

  it('since it was signed for this tenant is not this one', async () => {
    const { version } = await register('aa');
    await signedBy(signaturesBy([key])).deploy(tenantA, model, version);
    expect(await pointer()).toMatchObject({ version, signature: { key_id: 'key-1' } });
  });

  it('is not rolled back to either, when it is what served before', async () => {
    const { version } = await register();
    await promotionWith({}).deploy(tenantA, model, version);
    const { version: signed } = await register('aa');
    const promotion = signedBy(signaturesBy([key]));
    await promotion.deploy(tenantA, model, signed);
    await expect(promotion.rollback(tenantA, model, { reason: '' })).rejects.toMatchObject({
      code: 'VERSION_NOT_SIGNED',
    });
    expect(await pointer()).toMatchObject({ version: signed });
  });

  it('is not rolled back to after the model was configured, which moves what the last line of the history names', async () => {
    const { version } = await register();
    await promotionWith({}).deploy(tenantA, model, version);
    const { version: signed } = await register('aa');
    const promotion = signedBy(signaturesBy([key]));
    await promotion.deploy(tenantA, model, signed);
    await promotion.configure(tenantA, model, { settings: {} });
    await expect(promotion.rollback(tenantA, model, { reason: '' })).rejects.toMatchObject({
      code: 'VERSION_NOT_SIGNED',
    });
    expect(await pointer()).toMatchObject({ version: signed });
  });

  it('is deployed where the stage lets versions from before pass, with a pointer that has no signature', async () => {
    const { version } = await register();
    await signedBy(signaturesBy([key], 'allow')).deploy(tenantA, model, version);
    expect(await pointer()).toMatchObject({ version, revision: 2 });
    expect(await pointer()).not.toHaveProperty('signature');
  });

  it('keeps its signature in a version that is made of it with other metadata', async () => {
    const { version } = await register('aa');
    const { catalog } = local;
    const made = await catalog.create(tenantA, model, {
      from_version: version,
      description: 'renamed',
    } as never);
    await signedBy(signaturesBy([key])).deploy(tenantA, model, made.version);
    expect(await pointer()).toMatchObject({ version: made.version, signature: { key_id: 'key-1' } });
  });
});

describe('decisions', () => {
  const promote = (name: ModelName, version: string) =>
    promotionWith({}).promote(
      tenantA,
      name,
      { version, improvement_threshold: 0.01, force: false, reason: '' },
      {},
    );

  it('roll back past a version that was deleted', async () => {
    const promotion = promotionWith({});
    const { version } = await registry.register(
      tenantA,
      registrationOf(tenantA, sampleManifest({ model_name: model })),
    );
    await promotion.deploy(tenantA, model, '1.1.0');
    await promotion.deploy(tenantA, model, version);
    await promotion.retire(tenantA, model, '1.1.0', { force: false });
    await registry.remove(tenantA, model, '1.1.0');
    await promotion.rollback(tenantA, model, { reason: '' });
    expect(await registered()).toBe('1.0.0');
    expect(await served()).toBe('1.0.0');
  });

  it('on a model that was never deployed are one, when two are made at once', async () => {
    const name = await local.newModel(2);
    // The other one is deployed after this one has looked, and before it deploys.
    const late = new Proxy(registry, {
      get: (_, method) => {
        const value = Reflect.get(registry, method) as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          if (method === 'deploy') await promote(name, '1.1.0');
          return value.apply(registry, args);
        };
      },
    });
    await expect(
      promotionWith({ registry: late }).promote(
        tenantA,
        name,
        { version: '1.0.0', improvement_threshold: 0.01, force: false, reason: '' },
        {},
      ),
    ).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
    expect((await registry.deployment(tenantA, name))?.champion?.version).toBe('1.1.0');
  });

  it('of a training job give way to a better version that was deployed after its gate', async () => {
    const versionWith = async (f1_score: number) => {
      const manifest = sampleManifest({ model_name: model, metrics: { f1_score, accuracy: 0.9 } });
      return (await registry.register(tenantA, registrationOf(tenantA, manifest))).version;
    };
    const [better, best] = [await versionWith(0.85), await versionWith(0.95)];
    const job = { job_id: 'j', request: { model_name: model, auto_promote: true } };
    const context = { tenant: tenantA, job, registry, promotion: promotionWith({}) } as unknown as Parameters<
      (typeof registrySteps)['deploy']
    >[0];
    const passed = await registrySteps['promotion-gate'](context, { model_version: better });
    expect(passed.decision).toBe('deploy');
    await promotionWith({}).deploy(tenantA, model, best);
    expect((await registrySteps.deploy(context, passed)).decision).toBe('keep');
    expect(await registered()).toBe(best);
    expect(await registrySteps.deploy(context, { decision: 'deploy', model_version: best })).toMatchObject({
      decision: 'deploy',
    });
    expect(await served()).toBe(best);
  });
});
