import { beforeEach, describe, expect, it } from 'vitest';
import type { ServingApp } from '../../../../src/serving/http/serving-app.ts';
import { UnauthenticatedError } from '../../../../src/tenancy/tenant-context.ts';
import { type Call, send, servingApp } from '../../../support/serving-call.ts';
import { built, MemoryServingStore } from '../../../support/serving-samples.ts';
import { tenantA, tenantAb } from '../../../support/tenants.ts';

const classifier = built('text', 1);
const path = '/api/v1/ml/predict/income';
let store: MemoryServingStore;
let app: ServingApp;

beforeEach(() => {
  store = new MemoryServingStore();
  store.deploy(tenantA, 'income', '1.0.0', classifier);
  app = servingApp(store).app;
});

describe('native predictions', () => {
  it('answer one row with its keys, and say whether the model was in memory', async () => {
    const first = await send(app, { path, body: { input_data: { small: 1 } } });
    expect(first.status).toBe(200);
    expect(Object.keys(first.json!).sort()).toEqual([
      ...['confidence', 'model_id', 'model_version', 'prediction'],
      ...['prediction_id', 'probabilities', 'request_id'],
    ]);
    expect(first.headers).toMatchObject({ 'x-model-cache': 'miss', 'x-model-version': '1.0.0' });
    expect(first.headers['x-prediction-id']).toBe(first.json!.prediction_id);
    const second = await send(app, { path, body: { input_data: { small: 1 } } });
    expect(second.headers['x-model-cache']).toBe('hit');
    expect(second.json!.probabilities).toEqual(first.json!.probabilities);
  });

  it('answer an object, the same values in feature order, and the alias alike', async () => {
    const row = {
      small: 1,
      large: 5,
      flag: true,
      when: '2024-01-01',
      city: 'plain',
      constant: 3,
      never: null,
    };
    const byName = await send(app, { path, body: { input_data: row } });
    const byOrder = await send(app, { path, body: { input_data: Object.values(row) } });
    const alias = await send(app, { path: '/api/ml/predict/income', body: row });
    expect(byOrder.json!.probabilities).toEqual(byName.json!.probabilities);
    const { prediction } = alias.json! as unknown as { prediction: Record<string, unknown> };
    expect(prediction.probabilities).toEqual(byName.json!.probabilities);
    expect(prediction.request_id).toBe('request-1');
  });

  it('answer a list for a list', async () => {
    const answer = await send(app, { path, body: { input_data: [{ small: 1 }, { small: 2 }] } });
    expect(answer.json).toHaveLength(2);
  });

  it.each<[string, Call, number, string]>([
    ['no input_data', { path, body: { age: 1 } }, 422, 'VALIDATION_FAILED'],
    ['more than input_data', { path, body: { input_data: {}, tenant_id: 'bb' } }, 422, 'VALIDATION_FAILED'],
    ['an array for a body', { path, body: [] }, 422, 'VALIDATION_FAILED'],
    ['no body', { path, method: 'POST' }, 422, 'VALIDATION_FAILED'],
    ['an inherited input_data', { path, body: '{"__proto__":{"input_data":{}}}' }, 422, 'VALIDATION_FAILED'],
    ['no JSON', { path, body: '{' }, 400, 'INVALID_JSON'],
    ['infinity', { path, body: '{"input_data":{"small":Infinity}}' }, 400, 'INVALID_JSON'],
    ['a name that is none', { path: '/api/v1/ml/predict/..', body: {} }, 422, 'VALIDATION_FAILED'],
    ['a name with an escape', { path: '/api/v1/ml/predict/a%2Fb', body: {} }, 422, 'VALIDATION_FAILED'],
    ['a deeper path', { path: `${path}/x`, body: {} }, 404, 'ROUTE_NOT_FOUND'],
    ['another method', { path, method: 'GET' }, 405, 'METHOD_NOT_ALLOWED'],
    [
      'no tenant',
      { path, body: '{', tenant: new UnauthenticatedError('UNAUTHENTICATED', 'who?') },
      401,
      'UNAUTHENTICATED',
    ],
    ['the model of another', { path, body: { input_data: {} }, tenant: tenantAb }, 404, 'MODEL_NOT_FOUND'],
    ['an array by the alias', { path: '/api/ml/predict/income', body: [1] }, 422, 'VALIDATION_FAILED'],
    ['too many bytes', { path, body: { input_data: 'x'.repeat(4 * 1024 * 1024) } }, 413, 'PAYLOAD_TOO_LARGE'],
    [
      'too many rows',
      { path, body: { input_data: Array.from({ length: 1_001 }, () => ({ small: 1 })) } },
      413,
      'TOO_MANY_ROWS',
    ],
    ['a form', { path, body: 'a=1', headers: { 'content-type': 'x/y' } }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [
      'an encoding that is none',
      { path, body: 'a', headers: { 'content-encoding': 'br' } },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'bytes that are not packed',
      { path, body: 'a', headers: { 'content-encoding': 'gzip' } },
      400,
      'INVALID_ENCODING',
    ],
  ])('refuse %s with a problem', async (_, call, status, code) => {
    const answer = await send(app, call);
    expect([answer.status, answer.json!.code]).toEqual([status, code]);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.headers.link).toBe(
      status === 413 ? '</api/v1/ml/batch-predict>; rel="alternate"' : undefined,
    );
    if (status === 405) expect(answer.headers.allow).toBe('POST');
  });

  it('take NaN, which Python writes, for missing, and leave texts alone', async () => {
    const withWord = await send(app, {
      path,
      body: '{"input_data":{"small":NaN,"city":"NaN, said \\"he\\"","large":5}}',
    });
    const withNull = await send(app, {
      path,
      body: { input_data: { small: null, city: 'NaN, said "he"', large: 5 } },
    });
    expect(withWord.status).toBe(200);
    expect(withWord.json!.probabilities).toEqual(withNull.json!.probabilities);
  });
});

describe('batches of rows that stand for themselves', () => {
  const batch = (body: unknown) => send(app, { path: `${path}/batch`, body });

  it('answer as many as were sent, in order, and errors where a row cannot be read', async () => {
    const rows = [{ small: 1 }, { small: 'x' }, 7, [1, 2], { small: -1 }];
    const answer = await batch({ input_batch: rows, batch_size: 2 });
    expect([answer.status, answer.json!.n_rows, answer.json!.n_failed]).toEqual([200, 5, 3]);
    const predictions = answer.json!.predictions as unknown as Record<string, unknown>[];
    expect(predictions.map((one) => 'error' in one)).toEqual([false, true, true, true, false]);
    expect(predictions[1]).toMatchObject({
      error: { code: 'INVALID_INPUT', errors: [{ pointer: '/input_batch/1/small' }] },
    });
    for (const i of [0, 4]) {
      const alone = await send(app, { path, body: { input_data: rows[i] } });
      expect(predictions[i]!.probabilities).toEqual(alone.json!.probabilities);
    }
  });

  it('answer errors only when no row can be read', async () => {
    const answer = await batch({ input_batch: [{ small: 'x' }, null] });
    expect([answer.status, answer.json!.n_failed]).toEqual([200, 2]);
  });

  it.each<[string, unknown, number]>([
    ['no rows', { input_batch: [] }, 422],
    ['no list', { input_batch: {} }, 422],
    ['a size that is none', { input_batch: [{}], batch_size: 0 }, 422],
    ['a field too many', { input_batch: [{}], tenant: 'bb' }, 422],
    ['too many rows', { input_batch: new Array(1_001).fill({}) }, 413],
  ])('are refused with %s', async (_, body, status) => {
    expect((await batch(body)).status).toBe(status);
  });
});
