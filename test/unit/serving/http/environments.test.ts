import { beforeEach, describe, expect, it } from 'vitest';
import { OnnxruntimeExecutor } from '../../../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import type { LoggedCall } from '../../../../src/serving/log/prediction-log.ts';
import { unsignedManifests } from '../../../../src/serving/manifest-signatures.ts';
import { ModelCache } from '../../../../src/serving/model-cache.ts';
import { Predictor, type Resident } from '../../../../src/serving/predictor.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { type Call, send, servingApp } from '../../../support/serving-call.ts';
import { built, MemoryServingStore } from '../../../support/serving-samples.ts';
import { tenantA } from '../../../support/tenants.ts';

const champion = built('text', 1);
const candidate = built('text', 2);
let store: MemoryServingStore;
let app: ReturnType<typeof servingApp>['app'];

beforeEach(() => {
  store = new MemoryServingStore();
  store.deploy(tenantA, 'm', '1.0.0', champion);
  store.deploy(tenantA, 'm', '1.1.0', candidate, { environment: 'staging' });
  ({ app } = servingApp(store));
});

const row = { small: 1 };
const tensors = { inputs: [{ name: 'small', shape: [1, 1], datatype: 'FP32', data: [1] }] };
const instances = { instances: [row] };
/** How each dialect asks for an environment; what it answers by is in a header of all of them. */
const asked: Record<string, (environment: string) => Call> = {
  native: (environment) => ({
    ...{ path: '/api/v1/ml/predict/m', query: { environment }, body: { input_data: row } },
  }),
  'bare feature object': (environment) => ({
    ...{ path: '/api/ml/predict/m', query: { environment }, body: row },
  }),
  'rows that stand for themselves': (environment) => ({
    ...{ path: '/api/v1/ml/predict/m/batch', query: { environment }, body: { input_batch: [row] } },
  }),
  'Open Inference Protocol': (environment) => ({
    ...{ path: '/v2/models/m/infer', query: { environment }, body: tensors },
  }),
  'Open Inference Protocol, as a version': (environment) => ({
    ...{ path: `/v2/models/m/versions/${environment}/infer`, body: tensors },
  }),
  scoring: (environment) => ({
    ...{ path: '/endpoints/m/invocations', query: { environment }, body: instances },
  }),
  'scoring, as the variant of an endpoint': (environment) => ({
    path: '/endpoints/m/invocations',
    ...{ headers: { 'x-amzn-sagemaker-target-variant': environment }, body: instances },
  }),
};

describe.each(Object.entries(asked))('an environment that is asked for in %s', (_, call) => {
  it('answers by its own version, and production by that of everybody', async () => {
    const answers = async (environment: string) =>
      (await send(app, { ...call(environment), method: 'POST' })).headers['x-model-version'];
    expect(await answers('staging')).toBe('1.1.0');
    expect(await answers('production')).toBe('1.0.0');
    // And again, from memory.
    expect(await answers('staging')).toBe('1.1.0');
  });

  it('answers 404 where nothing is deployed, and says how to deploy there', async () => {
    const { status, body } = await send(app, call('development'));
    expect([status, body]).toEqual([404, expect.stringContaining('environments/development')]);
  });
});

describe('an environment', () => {
  const error = async (call: Call) => {
    const { status, json } = await send(app, call);
    return [status, json!.code ?? json!.error ?? json!.error_code, json!.detail ?? ''];
  };

  it('has to be one that there is, and the same wherever it is named', async () => {
    expect(await error(asked.native!('prod'))).toEqual([
      ...[422, 'VALIDATION_FAILED', expect.stringContaining('development, staging, production')],
    ]);
    expect(
      await error({
        ...asked['Open Inference Protocol, as a version']!('staging'),
        query: { environment: 'production' },
      }),
    ).toEqual([400, expect.stringMatching(/^VALIDATION_FAILED: .*leave one out/), '']);
  });

  it('may be asked for one of its versions only', async () => {
    const infer = (version: string, query = {}) =>
      send(app, { path: `/v2/models/m/versions/${version}/infer`, query, body: tensors });
    expect((await infer('1.1.0', { environment: 'staging' })).headers['x-model-version']).toBe('1.1.0');
    expect((await infer('1.1.0')).status).toBe(404);
    expect((await infer('1.0.0', { environment: 'staging' })).status).toBe(404);
  });

  it.each(['', 'AllTraffic'])(
    'is not what the variant %j of an endpoint names, nor is a version',
    async (variant) => {
      const headers = { 'x-amzn-sagemaker-target-variant': variant };
      const version = async (query = {}) =>
        (await send(app, { path: '/endpoints/m/invocations', headers, query, body: instances })).headers[
          'x-model-version'
        ];
      expect([await version(), await version({ environment: 'staging' })]).toEqual(['1.0.0', '1.1.0']);
    },
  );

  it('is described and ready on its own', async () => {
    const about = await send(app, { path: '/v2/models/m', query: { environment: 'staging' } });
    expect(about.json!.versions).toEqual(['1.1.0']);
    expect((await send(app, { path: '/v2/models/m/versions/staging/ready' })).status).toBe(200);
    expect((await send(app, { path: '/v2/models/m/versions/development/ready' })).status).toBe(404);
    expect(
      (await send(app, { path: '/endpoints/m/ping', query: { environment: 'development' } })).status,
    ).toBe(404);
  });

  it('is served the newest of its pointers after two seconds, apart from those of production', async () => {
    const { app: own, clock } = servingApp(store);
    const version = async () => (await send(own, asked.native!('staging'))).headers['x-model-version'];
    expect(await version()).toBe('1.1.0');
    store.deploy(tenantA, 'm', '1.2.0', champion, { environment: 'staging', revision: 2 });
    expect(await version()).toBe('1.1.0');
    clock.advance(2_001);
    expect(await version()).toBe('1.2.0');
  });
});

describe('a call that does not want to wait', () => {
  const asking = async (more: Partial<Call>) => {
    const started: object[] = [];
    const batches = {
      startFromRows: async (_tenant: unknown, request: object) => {
        started.push(request);
        return { job_id: 'j', status: 'queued', model_name: 'm', created_at: 'now' } as never;
      },
    };
    const { status } = await send(servingApp(store, { batches }).app, {
      ...{ path: '/api/v1/ml/predict/m', body: { input_data: row }, ...more },
      headers: { prefer: 'respond-async', ...more.headers },
    });
    return [status, ...started];
  };

  it('asks for the environment and the version that it would wait for', async () => {
    const variant = { 'x-amzn-sagemaker-target-variant': '1.1.0' };
    expect(await asking({})).toEqual([202, { model_name: 'm', rows: [row] }]);
    expect(await asking({ headers: variant })).toMatchObject([202, { version: '1.1.0' }]);
    expect(await asking({ headers: variant, query: { environment: 'staging' } })).toMatchObject([
      202,
      { version: '1.1.0', environment: 'staging' },
    ]);
  });
});

it('is written down with what was predicted there, and production is not', async () => {
  const calls: LoggedCall[] = [];
  const log = {
    place: () => ({ batch: 1, firstRow: 0 }),
    add: (_tenant: unknown, _position: unknown, call: LoggedCall) => void calls.push(call),
  };
  const clock = new ManualClock();
  const predictor = new Predictor({
    ...{ store, clock, log, signatures: unsignedManifests, executor: new OnnxruntimeExecutor() },
    cache: new ModelCache<Resident>({ budgetBytes: 64 * 1024 * 1024, maxModels: 10 }, clock),
  });
  const { app: logged } = servingApp(store, { predictor });
  for (const environment of ['staging', 'production']) await send(logged, asked.native!(environment));
  expect(calls.map(({ version, environment }) => [version, environment])).toEqual([
    ['1.1.0', 'staging'],
    ['1.0.0', undefined],
  ]);
});

it('runs its version here, also where that of production runs on an endpoint', async () => {
  const settings = { sagemaker_endpoint: 'large' };
  store.deploy(tenantA, 'm', '1.0.0', champion, { settings });
  store.deploy(tenantA, 'm', '1.1.0', candidate, { settings, environment: 'staging' });
  const asked: string[] = [];
  const clock = new ManualClock();
  const predictor = new Predictor({
    ...{ store, clock, signatures: unsignedManifests, executor: new OnnxruntimeExecutor() },
    cache: new ModelCache<Resident>({ budgetBytes: 64 * 1024 * 1024, maxModels: 10 }, clock),
    endpoints: {
      invoke: async (_tenant, name) => {
        asked.push(name);
        return JSON.stringify({ predictions: [champion.manifest.classes!.map(() => 0.5)] });
      },
    },
  });
  const { app: own } = servingApp(store, { predictor });
  const native = (environment: string): Call => ({
    ...{ path: '/api/v1/ml/predict/m', query: { environment }, body: { input_data: row } },
  });
  expect((await send(own, native('production'))).status).toBe(200);
  expect(asked).toEqual(['large']);
  // The endpoint has one model, and it is not this one.
  expect((await send(own, native('staging'))).headers['x-model-version']).toBe('1.1.0');
  expect(asked).toEqual(['large']);
});
