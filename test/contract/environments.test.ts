import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { intentReferenceText } from '../../src/adapters/aws/dynamodb-promotion-intents.ts';
import type { TrialEnvironment } from '../../src/contracts/environment-names.ts';
import type { ModelName } from '../../src/contracts/names.ts';
import { Promotion } from '../../src/registry/promotion.ts';
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
import { modelName, tenantA, tenantAb } from '../support/tenants.ts';

let local: LocalRegistry;
let beside: LocalPointers;
let registry: LocalRegistry['registry'];
let catalog: LocalRegistry['catalog'];
let history: LocalRegistry['history'];
let intents: LocalPointers['intents'];
let reader: LocalPointers['reader'];
let promotion: Promotion;
const clock = new ManualClock();
const published: unknown[] = [];
const events = { publish: async (_tenant: TenantContext, event: unknown) => void published.push(event) };

beforeAll(async () => {
  beside = await startLocalPointers(clock);
  local = await startLocalRegistry();
  ({ registry, catalog, history } = local);
  ({ intents, reader } = beside);
  promotion = new Promotion({ registry, pointers: beside.pointers, intents, events });
});
afterAll(async () => {
  await local?.stop();
  await beside?.stop();
});

let model: ModelName;
beforeEach(async () => {
  model = await local.newModel(3);
  published.length = 0;
});

const deployTo = (environment: TrialEnvironment, version?: string, options = {}) =>
  promotion.deployTo(tenantA, model, environment, version, options);
const served = async (environment?: TrialEnvironment, tenant = tenantA) =>
  (await reader.pointer(tenant, model, environment))?.version;
const stageOf = async (version: string) => (await registry.version(tenantA, model, version)).stage;
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code });
const where = async () =>
  Object.fromEntries(
    (await registry.environments(tenantA, model)).map((one) => [one.environment, one.model_version]),
  );

describe('an environment beside production', () => {
  it('serves a version that production does not, and leaves production as it is', async () => {
    await promotion.deploy(tenantA, model, '1.0.0');
    published.length = 0;
    const change = await deployTo('staging', '1.1.0', { reason: 'ready for tests' });
    expect(change).toMatchObject({ environment: 'staging', version: '1.1.0', revision: 2 });
    expect(change.previousVersion).toBeUndefined();
    expect([await served(), await served('staging'), await served('development')]).toEqual([
      ...['1.0.0', '1.1.0'],
      undefined,
    ]);
    expect(await where()).toEqual({ development: undefined, staging: '1.1.0', production: '1.0.0' });
    expect([await stageOf('1.0.0'), await stageOf('1.1.0')]).toEqual(['Production', 'Staging']);
    // What is told to others is what production serves.
    expect(published).toEqual([]);
    expect(await intents.waiting()).toEqual([]);
  });

  it('serves archived models too, which can be described then', async () => {
    await catalog.update(tenantA, model, { archived: true }, {});
    await deployTo('staging', '1.0.0');
    await catalog.update(tenantA, model, { description: 'tried once more' }, {});
    expect(await registry.model(tenantA, model)).toMatchObject({
      ...{ archived: true, description: 'tried once more' },
    });
    await refused(catalog.update(tenantA, model, { archived: true }, {}), 'MODEL_DEPLOYED');
  });

  it('serves models that were never deployed to production', async () => {
    await deployTo('development', '1.0.0');
    expect([await served(), await served('development')]).toEqual([undefined, '1.0.0']);
    // A trial says nothing of the version yet.
    expect(await stageOf('1.0.0')).toBe('Development');
    await promotion.deploy(tenantA, model, 'development');
    expect([await served(), await served('development')]).toEqual(['1.0.0', '1.0.0']);
  });

  it('keeps its version while production goes on, with the settings of the model', async () => {
    await deployTo('staging', '1.0.0');
    await promotion.deploy(tenantA, model, '1.0.0');
    await promotion.deploy(tenantA, model, '1.1.0');
    expect([await stageOf('1.0.0'), await served('staging')]).toEqual(['Archived', '1.0.0']);
    const settings = { log: 'durable' } as const;
    await promotion.configure(tenantA, model, { canary: { version: '1.2.0', weight: 0.5 }, settings });
    const pointer = await reader.pointer(tenantA, model, 'staging');
    expect(pointer).toMatchObject({ environment: 'staging', version: '1.0.0', settings, revision: 4 });
    // A canary is one of production.
    expect(pointer).not.toHaveProperty('canary');
    expect(await registry.deployment(tenantA, model)).toMatchObject({ champion: { version: '1.1.0' } });
  });

  it('is a name of the version that it serves', async () => {
    await promotion.deploy(tenantA, model, '1.0.0');
    await deployTo('staging', '1.2.0');
    const named = async (name: string) => (await registry.version(tenantA, model, name)).version;
    expect([await named('staging'), await named('production'), await named('champion')]).toEqual([
      ...['1.2.0', '1.0.0', '1.0.0'],
    ]);
    await refused(named('development'), 'VERSION_NOT_FOUND');
    await promotion.deploy(tenantA, model, 'staging');
    expect(await where()).toMatchObject({ staging: '1.2.0', production: '1.2.0' });
    // In Production it is not moved back by being tried again.
    await deployTo('staging', '1.2.0');
    expect(await stageOf('1.2.0')).toBe('Production');
  });

  it('is emptied once: the pointer goes, the version stays as it is', async () => {
    await deployTo('staging', '1.1.0');
    const change = await deployTo('staging');
    expect(change).toMatchObject({ version: undefined, previousVersion: '1.1.0', revision: 2 });
    expect([await served('staging'), await stageOf('1.1.0')]).toEqual([undefined, 'Staging']);
    await refused(deployTo('staging'), 'NOTHING_DEPLOYED');
    await refused(deployTo('development'), 'NOTHING_DEPLOYED');
    // Nothing was begun that a repair would have to wake Postgres for.
    expect(await intents.waiting()).toEqual([]);
    await deployTo('staging', '1.0.0');
    expect(await served('staging')).toBe('1.0.0');
  });

  it('has lines in the history, and what was Production at a time is none of them', async () => {
    await promotion.deploy(tenantA, model, '1.0.0');
    await deployTo('staging', '1.1.0');
    await deployTo('staging', '1.2.0', { reason: 'better' });
    await deployTo('staging');
    const of = async (page: object) =>
      (await history.deployments(tenantA, model, { limit: 10, ...page })).items.map((one) => [
        ...[one.revision, one.environment, one.action, one.model_version, one.previous_version],
      ]);
    const staging = [
      [4, 'staging', 'withdraw', undefined, '1.2.0'],
      [3, 'staging', 'deploy', '1.2.0', '1.1.0'],
      [2, 'staging', 'deploy', '1.1.0', undefined],
    ];
    expect(await of({ environment: 'staging' })).toEqual(staging);
    expect(await of({})).toEqual([...staging, [1, 'production', 'deploy', '1.0.0', undefined]]);
    const { production_at } = await history.deployments(tenantA, model, {
      ...{ limit: 1, at: new Date(Date.now() + 1_000).toISOString() },
    });
    expect(production_at).toMatchObject({ model_version: '1.0.0', revision: 1 });
    const [entry] = await history.audit(tenantA, { limit: 1, subject: model });
    expect(entry).toMatchObject({
      ...{ action: 'withdraw', subject: `${model}/1.2.0` },
      detail: {
        environment: 'staging',
        before: { staging_version: '1.2.0' },
        after: { staging_version: null },
      },
    });
  });

  it('is nothing that a rollback goes back to', async () => {
    await promotion.deploy(tenantA, model, '1.0.0');
    await deployTo('staging', '1.2.0');
    await refused(promotion.rollback(tenantA, model, {}), 'NOTHING_TO_ROLL_BACK_TO');
    await promotion.deploy(tenantA, model, '1.1.0');
    await deployTo('development', '1.2.0');
    await promotion.rollback(tenantA, model, {});
    expect(await where()).toEqual({ development: '1.2.0', staging: '1.2.0', production: '1.0.0' });
  });
});

describe('an environment refuses', () => {
  it('what does not exist, what was not verified, what has failed, and what was decided on an older state', async () => {
    await refused(deployTo('staging', '9.9.9'), 'VERSION_NOT_FOUND');
    await refused(promotion.deployTo(tenantA, modelName('absent'), 'staging', undefined), 'MODEL_NOT_FOUND');
    await registry.retire(tenantA, model, '1.2.0', { force: false });
    await refused(deployTo('staging', '1.2.0'), 'VERSION_NOT_VERIFIED');
    await catalog.transition(tenantA, model, '1.1.0', { stage: 'Failed', force: false, reason: '' });
    await refused(deployTo('staging', '1.1.0'), 'STAGE_TRANSITION_REFUSED');
    expect(await served('staging')).toBeUndefined();
    // Looking into why it failed is what development is for.
    await deployTo('development', '1.1.0');
    expect(await stageOf('1.1.0')).toBe('Failed');
    await deployTo('staging', '1.1.0', { forced: true });
    const { items } = await history.deployments(tenantA, model, { limit: 1 });
    expect(items[0]).toMatchObject({ environment: 'staging', forced: true });
    const { rowVersion } = await registry.model(tenantA, model);
    await refused(deployTo('staging', '1.0.0', { ifMatch: rowVersion - 1 }), 'PRECONDITION_FAILED');
    await deployTo('staging', '1.0.0', { ifMatch: rowVersion });
  });

  it('to lose its version to a stage, to the archive of old versions, or with the model', async () => {
    await deployTo('staging', '1.0.0');
    for (const stage of ['Archived', 'Failed'] as const)
      await refused(
        catalog.transition(tenantA, model, '1.0.0', { stage, force: true, reason: '' }),
        'VERSION_DEPLOYED',
      );
    const { archived } = await catalog.archiveOldVersions(tenantA, model, { keepLatest: 1 });
    expect(archived).toEqual(['1.1.0']);
    const archive = () => catalog.update(tenantA, model, { archived: true }, {});
    await refused(archive(), 'MODEL_DEPLOYED');
    // What can be done about it is not to delete what is only tried.
    await expect(archive()).rejects.toThrow('empty its environments');
    await refused(registry.retire(tenantA, model, '1.0.0', { force: false }), 'VERSION_DEPLOYED');
    expect(await served('staging')).toBe('1.0.0');
  });
});

describe('a version that is deleted', () => {
  it('leaves every environment that it serves, each with a line in the history', async () => {
    await promotion.deploy(tenantA, model, '1.0.0');
    for (const environment of ['development', 'staging'] as const) await deployTo(environment, '1.1.0');
    await promotion.configure(tenantA, model, { canary: { version: '1.1.0', weight: 0.5 } });
    await promotion.retire(tenantA, model, '1.1.0', { force: true });
    expect([await served(), await served('development'), await served('staging')]).toEqual([
      ...['1.0.0', undefined, undefined],
    ]);
    expect(await reader.pointer(tenantA, model)).not.toHaveProperty('canary');
    const { items } = await history.deployments(tenantA, model, { limit: 3 });
    expect(items.map(({ revision, environment, action }) => [revision, environment, action])).toEqual([
      [7, 'production', 'configure'],
      [6, 'staging', 'withdraw'],
      [5, 'development', 'withdraw'],
    ]);
    await registry.remove(tenantA, model, '1.1.0');
  });

  it('is told to others only when production loses it', async () => {
    await deployTo('staging', '1.1.0');
    await promotion.retire(tenantA, model, '1.1.0', { force: true });
    expect(published).toEqual([]);
    await promotion.deploy(tenantA, model, '1.0.0');
    await deployTo('development', '1.2.0');
    published.length = 0;
    await promotion.retire(tenantA, model, '1.2.0', { force: true });
    expect(published).toEqual([]);
    await deployTo('staging', '1.0.0');
    await promotion.retire(tenantA, model, '1.0.0', { force: true });
    expect(published).toMatchObject([{ type: 'ml.model.withdrawn', data: { previous_version: '1.0.0' } }]);
  });

  it('as the champion takes production out of service, and no other environment', async () => {
    await promotion.deploy(tenantA, model, '1.0.0');
    await deployTo('staging', '1.1.0');
    await promotion.retire(tenantA, model, '1.0.0', { force: true });
    expect([await served(), await served('staging')]).toEqual([undefined, '1.1.0']);
  });
});

describe('the promotion gate of a training job', () => {
  const gate = (model_version = '1.2.0') => {
    const job = { job_id: 'j', request: { model_name: model, auto_promote: true } };
    const context = { tenant: tenantA, job, registry, promotion } as unknown as Parameters<
      (typeof registrySteps)['promotion-gate']
    >[0];
    return registrySteps['promotion-gate'](context, { model_version });
  };

  it('deploys the first version of a model that was only tried', async () => {
    await deployTo('staging', '1.0.0');
    expect(await gate()).toMatchObject({ decision: 'deploy', reasons: ['nothing is deployed yet'] });
    await deployTo('staging');
    expect((await gate()).decision).toBe('deploy');
  });

  it('keeps out of service what was taken out of it, whatever is tried since', async () => {
    await promotion.deploy(tenantA, model, '1.0.0');
    await promotion.retire(tenantA, model, '1.0.0', { force: true });
    await deployTo('staging', '1.1.0');
    expect(await gate()).toMatchObject({ decision: 'keep' });
  });

  it('takes a model that was deleted and made again for a new one', async () => {
    await promotion.deploy(tenantA, model, '1.0.0');
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
      await promotion.retire(tenantA, model, version, { force: true });
      await registry.remove(tenantA, model, version);
    }
    await catalog.removeModel(tenantA, model);
    const { version } = await registry.register(
      tenantA,
      registrationOf(tenantA, sampleManifest({ model_name: model })),
    );
    await deployTo('staging', version);
    expect(await gate(version)).toMatchObject({ decision: 'deploy' });
  });
});

describe('a change that dies after its transaction', () => {
  it('is repaired like a deployment', async () => {
    const dying = new Promotion({
      ...{ registry, intents, events },
      pointers: {
        write: async () => {
          throw new Error('the function died here');
        },
      },
    });
    await expect(dying.deployTo(tenantA, model, 'staging', '1.1.0')).rejects.toThrow('died');
    expect([await served('staging'), (await where()).staging]).toEqual([undefined, '1.1.0']);
    const waiting = async () =>
      (await intents.waiting()).filter(({ reference }) =>
        intentReferenceText(reference).includes(`${model}/`),
      );
    const [{ reference }] = (await waiting()) as [Awaited<ReturnType<typeof waiting>>[number]];
    const tenant = await TenantContext.fromJob(intents, intentReferenceText(reference), 'repair');
    const { intentId } = (await intents.read(reference))!;
    await promotion.repair(tenant, model, intentId, { isOver: true });
    expect(await served('staging')).toBe('1.1.0');
    expect(await waiting()).toEqual([]);
  });

  it('leaves the newest of twenty at once served, in a line of revisions', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        i % 2 === 0 ? deployTo('staging', `1.${i % 3}.0`) : promotion.deploy(tenantA, model, `1.${i % 3}.0`),
      ),
    );
    const { items } = await history.deployments(tenantA, model, { limit: 100 });
    expect(items.map(({ revision }) => revision)).toEqual(Array.from({ length: 20 }, (_, i) => 20 - i));
    const newest = (environment: string) =>
      items.find((one) => one.environment === environment)!.model_version;
    expect([await served(), await served('staging')]).toEqual([newest('production'), newest('staging')]);
  });
});

describe('environments of two tenants', () => {
  it('do not meet, in Postgres or in the pointers', async () => {
    await registry.register(tenantAb, registrationOf(tenantAb, sampleManifest({ model_name: model })));
    await deployTo('staging', '1.1.0');
    expect(await served('staging', tenantAb)).toBeUndefined();
    const other = await registry.environments(tenantAb, model);
    expect(other.map(({ model_version }) => model_version)).toEqual([undefined, undefined, undefined]);
    await refused(promotion.deployTo(tenantAb, model, 'staging', '1.1.0'), 'VERSION_NOT_FOUND');
    await promotion.deployTo(tenantAb, model, 'staging', '1.0.0');
    expect([await served('staging'), await served('staging', tenantAb)]).toEqual(['1.1.0', '1.0.0']);
  });
});
