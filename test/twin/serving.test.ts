import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { HttpClient } from '../../src/client/http-client.ts';
import { pullModel } from '../../src/client/pull-model.ts';
import { createModelServer, type ModelServer } from '../../src/composition/model-server.ts';
import type { ModelName } from '../../src/contracts/names.ts';
import type { Explanation, Prediction } from '../../src/contracts/prediction.ts';
import type { ServingConfigurationRequest } from '../../src/contracts/serving.ts';
import { slice } from '../support/proof.ts';
import { createSample, type RunningTwin, rawRequest, runTwin, trainSample } from '../support/running-twin.ts';

let running: RunningTwin;
let client: HttpClient;
let token: string;
/** The container of an endpoint of SageMaker. */
let container: ModelServer;
const models = mkdtempSync(join(tmpdir(), 'tenantml-container-'));
const row = { amount: 9, country: 'US', is_new: true, age: 30 };
const model = 'risk' as ModelName;

beforeAll(async () => {
  container = createModelServer({ models, host: '127.0.0.1', port: 0 });
  const { url } = await container.start();
  running = await runTwin({
    sageMakerEndpoints: `tenantml--acme--large=${url}`,
    functionEnvironment: { TENANT_PLANS: JSON.stringify({ small: { requestsPerSecond: 2, burst: 3 } }) },
  });
  client = running.client('acme');
  token = await running.twin.issueToken('acme');
  const { dataset_id } = await createSample(client);
  for (const seed of [1, 2]) {
    const job = await trainSample(client, model, {
      ...{ dataset_id, auto_promote: seed === 1, random_state: 42 },
      hyperparameters: { n_estimators: 5 * seed },
    });
    expect(job.status).toBe('completed');
  }
});
afterAll(async () => {
  await running?.stop();
  await container?.stop();
  rmSync(models, { recursive: true, force: true });
});

const predict = (headers: Record<string, string> = {}, body: object = { input_data: row }) =>
  rawRequest(`${running.twin.url}/api/v1/ml/predict/${model}`, {
    ...{ method: 'POST', token, headers: { 'content-type': 'application/json', ...headers } },
    body: JSON.stringify(body),
  });
const deploy = (version: string) =>
  client.call('deployModel', { params: { model_name: model, model_version: version } });
const configure = (body: ServingConfigurationRequest) =>
  client.call('putServing', { params: { model_name: model }, body });
/** A change takes effect within five seconds: so long it is asked for. */
/** Of a machine that does other things as well. */
const soon = { timeout: 20_000, interval: 100 };
/** A pointer lives for two seconds in each environment: then no environment has the one before. */
const everywhere = () => new Promise((resolve) => setTimeout(resolve, 2_200));
const header = async (name: string, headers?: Record<string, string>) =>
  (await predict(headers)).headers.get(name);

describe('a hot swap under constant load', { timeout: slice(90_000, 480_000) }, () => {
  it('fails no request, and every answer names a version that was active shortly before', async () => {
    const swaps = slice(2, 50);
    /** Shorter than the five seconds that are promised, so that a pointer that lives too long is seen. */
    const withinMs = slice(3_000, 5_000);
    /** A version is active from before its deployment is asked for, until that of another one is answered. */
    const active = [{ version: '1.0.0', untilMs: Number.POSITIVE_INFINITY }];
    const wrong: unknown[] = [];
    let answers = 0;
    let stopping = false;
    // However it ends, nobody calls on.
    onTestFinished(() => {
      stopping = true;
    });
    const caller = async () => {
      while (!stopping) {
        const startMs = performance.now();
        const { status, json } = await predict();
        answers++;
        const recent = active.filter(({ untilMs }) => untilMs > startMs - withinMs);
        if (status !== 200 || !recent.some(({ version }) => version === json.model_version))
          wrong.push({ status, json, recent });
      }
    };
    const callers = Array.from({ length: 4 }, caller);
    for (let i = 0; i < swaps; i++) {
      const version = i % 2 === 0 ? '1.1.0' : '1.0.0';
      const before = active.at(-1)!;
      // A pointer may be written before the answer comes.
      active.push({ version, untilMs: Number.POSITIVE_INFINITY });
      await deploy(version);
      before.untilMs = performance.now();
      await new Promise((resolve) => setTimeout(resolve, withinMs + 300));
    }
    stopping = true;
    await Promise.all(callers);
    expect(wrong).toEqual([]);
    expect(answers).toBeGreaterThan(100 * swaps);
    await deploy('1.0.0');
    await expect.poll(() => header('x-model-version'), soon).toBe('1.0.0');
  });
});

describe('a canary', () => {
  it('takes its share, sticks by the key of the caller, and is named by the answer', async () => {
    const configuration = await configure({ canary: { version: '1.1.0', weight: 0.5 } });
    expect(configuration).toMatchObject({
      champion_version: '1.0.0',
      canary: { version: '1.1.0', weight: 0.5 },
    });
    const versionOf = async (user: string) => (await predict({ 'x-routing-key': user })).json.model_version;
    const users = Array.from({ length: 16 }, (_, i) => `user-${i}`);
    await expect.poll(async () => new Set(await Promise.all(users.map(versionOf))).size, soon).toBe(2);
    // Once every environment has seen the change, which each does within two seconds.
    let before: unknown[] = [];
    await expect
      .poll(async () => {
        const now = await Promise.all(users.map(versionOf));
        const isSame = JSON.stringify(now) === JSON.stringify(before);
        before = now;
        await new Promise((resolve) => setTimeout(resolve, 500));
        return isSame;
      }, soon)
      .toBe(true);
    for (let i = 0; i < 5; i++) expect(await Promise.all(users.map(versionOf))).toEqual(before);
    const canary = await rawRequest(`${running.twin.url}/v2/models/${model}/versions/1.1.0/ready`, { token });
    expect(canary.status).toBe(200);
    await configure({});
    await expect
      .poll(async () => new Set(await Promise.all(users.map(versionOf))), soon)
      .toEqual(new Set(['1.0.0']));
  });
});

describe('the prediction log', () => {
  it('of a durable model has every prediction that was answered; features are hashed where that is wanted', async () => {
    await configure({ settings: { log: 'durable', log_features: 'hash' } });
    await everywhere();
    await expect
      .poll(async () => {
        const { prediction_id } = (await predict()).json as unknown as Prediction;
        const found = await client
          .call('getPrediction', { params: { prediction_id } })
          .catch(() => undefined);
        return found?.features?.country;
      }, soon)
      .toMatch(/^[\w-]{22}$/);
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(String((await predict()).json.prediction_id));
    const { items, n_lost_batches } = await client.call('listPredictions', { query: { limit: 5 } });
    expect(items.map(({ prediction_id }) => prediction_id).sort()).toEqual(ids.sort());
    expect(n_lost_batches).toBe(0);
    await configure({});
  });
});

describe('a shadow', () => {
  it('scores what the champion scored, and is compared with it', async () => {
    await configure({ shadow: { version: '1.1.0' }, settings: { log: 'durable' } });
    await everywhere();
    const report = () =>
      rawRequest(`${running.twin.url}/api/v1/ml/predictions/shadow?model_name=${model}`, { token });
    await expect
      .poll(async () => {
        expect((await predict()).json.model_version).toBe('1.0.0');
        return ((await report()).json.comparisons as unknown[]).length;
      }, soon)
      .toBe(1);
    expect((await report()).json).toMatchObject({
      comparisons: [{ model_version: '1.0.0', shadow_version: '1.1.0', n_failed: 0, agreement: 1 }],
    });
    await configure({});
  });
});

describe('the model cache', () => {
  it('shows a tenant its own models, and that a second call finds them there', async () => {
    await predict();
    expect(await header('x-model-cache')).toBe('hit');
    const view = await client.call('modelCache', {});
    expect(view.models.map(({ model_id }) => model_id)).toContain(model);
    const other = await running.client('zeta').call('modelCache', {});
    expect(other).toMatchObject({ models: [], totals: { models: 0, loaded_bytes: 0 } });
  });
});

describe('an explanation', () => {
  it('adds up to the probability that was predicted', async () => {
    const { json } = await predict({}, { input_data: row, explain: 'shap' });
    const { explanation, probabilities } = json as unknown as {
      explanation: Explanation;
      probabilities: number[];
    };
    const score = Object.values(explanation.values).reduce(
      (sum, [value]) => sum + value!,
      explanation.base_values[0]!,
    );
    expect(explanation.scale).toBe('log_odds');
    expect(1 / (1 + Math.exp(-score))).toBeCloseTo(probabilities[1]!, 5);
  });
});

describe('the prediction cache', () => {
  it('gives equal inputs the same answer, in whatever form they come, and another version its own', async () => {
    await configure({ settings: { prediction_cache_seconds: 60 } });
    await everywhere();
    await expect.poll(() => header('x-cache'), soon).toBe('hit');
    const native = (await predict()).json.probabilities;
    const body = JSON.stringify({ input_data: Object.fromEntries(Object.entries(row).reverse()) });
    const turned = await rawRequest(`${running.twin.url}/api/v1/ml/predict/${model}`, {
      ...{ method: 'POST', token, headers: { 'content-type': 'application/json' }, body },
    });
    expect([turned.headers.get('x-cache'), turned.json.probabilities]).toEqual(['hit', native]);
    const other = await rawRequest(`${running.twin.url}/api/v1/ml/predict/${model}`, {
      ...{ method: 'POST', token, headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ input_data: { ...row, amount: 1 } }),
    });
    expect(other.headers.get('x-cache')).toBe('miss');
    await configure({});
  });
});

describe('a model at an endpoint of SageMaker', () => {
  it('answers what it answers here, and a failure of the endpoint in the dialect that was spoken', async () => {
    const here = (await predict()).json.probabilities as unknown as number[];
    await pullModel(client, model, models);
    await configure({ settings: { sagemaker_endpoint: 'large', log: 'off' } });
    await expect
      .poll(async () => (await predict()).json.probabilities, soon)
      .toEqual(here.map((value) => expect.closeTo(value, 6)));
    await configure({ settings: { sagemaker_endpoint: 'absent' } });
    await everywhere();
    expect((await predict()).status).toBe(502);
    const infer = await rawRequest(`${running.twin.url}/v2/models/${model}/infer`, {
      ...{ method: 'POST', token, headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ inputs: [{ name: 'amount', shape: [1, 1], datatype: 'FP32', data: [1] }] }),
    });
    expect([infer.status, infer.json.error]).toEqual([502, expect.stringContaining('BACKEND_FAILED')]);
    await configure({});
    await everywhere();
    expect((await predict()).status).toBe(200);
  });
});

describe('a tenant with a plan', () => {
  it('is kept to it, is told when to come again, and costs no other tenant anything', async () => {
    const dynamodb = DynamoDBDocumentClient.from(
      new DynamoDBClient({
        ...{ region: 'us-east-1', endpoint: running.twin.endpoints.dynamodb },
        credentials: running.twin.administrator,
      }),
    );
    const table = running.twin.template
      .ofType('AWS::DynamoDB::Table')
      .find(({ logicalId }) => logicalId.startsWith('ServingTable'))!;
    const Item = { pk: 'tenant/bounded/', sk: 'settings/', plan: 'small' };
    await dynamodb.send(new PutCommand({ TableName: table.physicalId, Item }));
    const bounded = await running.twin.issueToken('bounded');
    const ask = () =>
      rawRequest(`${running.twin.url}/endpoints/none/invocations`, {
        ...{ method: 'POST', token: bounded, headers: { 'content-type': 'application/json' } },
        body: JSON.stringify({ instances: [{}] }),
      });
    const answers = await Promise.all(Array.from({ length: 20 }, ask));
    const refused = answers.filter(({ status }) => status === 429);
    // Those that are admitted find no model.
    expect(answers.filter(({ status }) => status === 404).length + refused.length).toBe(20);
    expect(refused.length).toBeGreaterThanOrEqual(13);
    expect(refused[0]!.json).toMatchObject({ error_code: 'RATE_LIMITED' });
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(refused[0]!.headers.get('ratelimit-policy')).toBe('"tenant";q=2;w=1');
    expect((await predict()).status).toBe(200);
  });
});
