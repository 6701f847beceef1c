import { beforeEach, describe, expect, it } from 'vitest';
import type { ServingApp } from '../../../../src/serving/http/serving-app.ts';
import { send, servingApp } from '../../../support/serving-call.ts';
import { built, MemoryServingStore } from '../../../support/serving-samples.ts';
import { tenantA } from '../../../support/tenants.ts';

const classifier = built('text', 1);
const regressor = built('numeric', 3);
const path = '/endpoints/income/invocations';
const csv = { 'content-type': 'text/csv' };
let app: ServingApp;

beforeEach(() => {
  const store = new MemoryServingStore();
  store.deploy(tenantA, 'income', '1.0.0', classifier);
  store.deploy(tenantA, 'amount', '2.0.0', regressor);
  app = servingApp(store).app;
});

const invoke = async (body: unknown, headers: Record<string, string> = {}, at = path) => {
  const answer = await send(app, { path: at, body, headers });
  return { ...answer, predictions: answer.json?.predictions as unknown };
};

describe('invocations', () => {
  const columns = ['city', 'small', 'flag', 'ignored'];
  const data = [
    ['plain', 1.5, true, 'x'],
    ['東京', -2, null, null],
  ];
  const records = data.map((row) => Object.fromEntries(columns.map((name, j) => [name, row[j]])));

  it('answer the same for the same rows in every form', async () => {
    const { predictions } = await invoke({ dataframe_split: { columns, data } });
    expect(predictions).toHaveLength(2);
    expect(classifier.manifest.classes).toContain((predictions as string[])[0]);
    const forms: unknown[] = [
      { dataframe_split: { columns, data, index: [0, 1] } },
      { dataframe_records: records },
      { instances: records },
      { inputs: Object.fromEntries(columns.map((name, j) => [name, data.map((row) => row[j])])) },
      { inputs: Object.fromEntries(columns.map((name, j) => [name, data.map((row) => [row[j]])])) },
      { instances: data.map(([city, small, flag]) => [small, null, flag, null, city, null, null]) },
      { inputs: data.map(([city, small, flag]) => [small, null, flag, null, city, null, null]) },
    ];
    for (const form of forms) expect((await invoke(form)).predictions).toEqual(predictions);
    expect((await invoke('city,small,flag\nplain,1.5,true\n東京,-2,\n', csv)).predictions).toEqual(
      predictions,
    );
    expect(
      (await invoke('\ufeffflag,small,city\r\n1.0,1.5,"plain"\r\nNaN,-2,東京', csv)).predictions,
    ).toEqual(predictions);
  });

  it('answer values for a regression, and probabilities for who asks for them', async () => {
    const { predictions } = await invoke({ instances: [{ small: 1 }] }, {}, '/endpoints/amount/invocations');
    expect(predictions).toEqual([expect.any(Number)]);
    const answer = await invoke({ instances: [{ small: 1 }], params: { predict_method: 'predict_proba' } });
    const [row] = answer.predictions as number[][];
    expect(row).toHaveLength(2);
    expect(row![0]! + row![1]!).toBeCloseTo(1, 5);
    expect((await invoke({ instances: [{ small: 1 }], params: { temperature: 1 } })).status).toBe(200);
  });

  it('go to the model that the header of SageMaker names, and give its id back', async () => {
    const headers = {
      'x-amzn-sagemaker-target-model': 'income',
      'x-amzn-sagemaker-inference-id': 'abc',
    };
    const answer = await invoke({ instances: [{ small: 1 }] }, headers, '/invocations');
    expect([answer.status, answer.headers['x-amzn-sagemaker-inference-id']]).toEqual([200, 'abc']);
    expect(answer.headers['x-amzn-invoked-production-variant']).toBe('1.0.0');
    expect((await invoke({ instances: [{}] }, {}, '/invocations')).status).toBe(400);
  });

  it.each<[string, unknown, Record<string, string>, number, string]>([
    ['none of the forms', { data: [] }, {}, 400, 'INVALID_PARAMETER_VALUE'],
    ['two of the forms', { instances: [{}], inputs: [[1]] }, {}, 400, 'INVALID_PARAMETER_VALUE'],
    ['a list', [[1, 2]], {}, 400, 'INVALID_PARAMETER_VALUE'],
    ['no JSON', '{', {}, 400, 'BAD_REQUEST'],
    ['another type', 'x', { 'content-type': 'application/x-parquet' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['another charset', 'x', { 'content-type': 'text/csv; charset=latin1' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['no rows', { instances: [] }, {}, 400, 'INVALID_PARAMETER_VALUE'],
    ['a row that is none', { dataframe_records: [1] }, {}, 400, 'INVALID_PARAMETER_VALUE'],
    [
      'columns of two lengths',
      { inputs: { small: [1, 2], city: ['x'] } },
      {},
      400,
      'INVALID_PARAMETER_VALUE',
    ],
    [
      'the same column twice',
      { dataframe_split: { columns: ['small', 'small'], data: [[1, 2]] } },
      {},
      400,
      'INVALID_PARAMETER_VALUE',
    ],
    [
      'columns of another model',
      { dataframe_split: { columns: ['z'], data: [[1]] } },
      {},
      400,
      'INVALID_PARAMETER_VALUE',
    ],
    [
      'rows longer than the columns',
      { dataframe_split: { columns: ['small'], data: [[1, 2]] } },
      {},
      400,
      'INVALID_PARAMETER_VALUE',
    ],
    ['a text for a number', { instances: [{ small: 'x' }] }, {}, 400, 'INVALID_PARAMETER_VALUE'],
    ['CSV without rows', 'small,city\n', csv, 400, 'INVALID_PARAMETER_VALUE'],
    ['CSV that ends inside a quote', 'small\n"1', csv, 400, 'INVALID_PARAMETER_VALUE'],
    ['CSV with a text for a number', 'small\nx\n', csv, 400, 'INVALID_PARAMETER_VALUE'],
    ['CSV with a row too long', 'small\n1,2\n', csv, 400, 'INVALID_PARAMETER_VALUE'],
    ['too many rows', { instances: new Array(1_001).fill({}) }, {}, 413, 'TOO_MANY_ROWS'],
    ['too many lines', `small\n${'1\n'.repeat(1_001)}`, csv, 413, 'TOO_MANY_ROWS'],
    [
      'too many values of a column',
      { inputs: { small: new Array(1_001).fill(1) } },
      {},
      413,
      'TOO_MANY_ROWS',
    ],
    [
      'a method that is none',
      { instances: [{}], params: { predict_method: 'x' } },
      {},
      400,
      'INVALID_PARAMETER_VALUE',
    ],
  ])("are refused with %s in MLflow's form", async (_, body, headers, status, code) => {
    const answer = await invoke(body, headers);
    expect([answer.status, answer.json]).toEqual([
      status,
      { error_code: code, message: expect.stringMatching(/./) },
    ]);
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it('of a model that is not there are 404', async () => {
    const answer = await invoke({ instances: [{}] }, {}, '/endpoints/absent/invocations');
    expect([answer.status, answer.json!.error_code]).toEqual([404, 'RESOURCE_DOES_NOT_EXIST']);
  });
});

describe('ping', () => {
  it('answers a line when the server, or the model, is there', async () => {
    for (const at of ['/ping', '/health', '/endpoints/income/ping']) {
      const answer = await send(app, { path: at });
      expect([answer.status, answer.body, answer.headers['content-type']]).toEqual([
        200,
        '\n',
        'application/json',
      ]);
    }
    expect((await send(app, { path: '/endpoints/absent/ping' })).status).toBe(404);
    expect((await send(app, { path: '/version' })).body).toBe('9.9.9');
  });
});

it('points into the form that was sent', async () => {
  for (const form of ['instances', 'inputs'])
    expect((await invoke({ [form]: [[1], [2]] })).json!.message).toMatch(`${form}/0: 1 values`);
});

describe('what data frames send', () => {
  it('takes the missing time of pandas for a missing date', async () => {
    const split = (when: unknown) => ({ dataframe_split: { columns: ['when', 'small'], data: [[when, 1]] } });
    const proba = { params: { predict_method: 'predict_proba' } };
    const missing = await invoke({ ...split(null), ...proba });
    expect((await invoke({ ...split('NaT'), ...proba })).predictions).toEqual(missing.predictions);
    expect((await invoke(split('NaN'))).status).toBe(400);
  });

  it('says that infinity was sent, as Python writes it', async () => {
    for (const word of ['Infinity', '-Infinity']) {
      const { status, json } = await invoke(`{"instances":[{"small":${word},"city":"NaN","flag":NaN}]}`);
      expect([status, json!.message]).toEqual([400, expect.stringContaining('Infinity')]);
    }
    const inText = await invoke('{"instances":[{"small":NaN,"city":"to Infinity and \\"NaN"}]}');
    expect(inText.status).toBe(200);
  });

  it('takes a byte order mark before JSON, as bytes and as text', async () => {
    const body = '\ufeff{"instances":[{"small":1}]}';
    expect((await invoke(body)).status).toBe(200);
    expect((await invoke(Buffer.from(body))).status).toBe(200);
  });

  it('refuses CSV with two columns of one feature, and ignores other columns that repeat', async () => {
    expect(await invoke('small,small\n1,2\n', csv)).toMatchObject({
      ...{ status: 400, json: { message: expect.stringContaining('small') } },
    });
    expect((await invoke('small,,\n1,,\n', csv)).status).toBe(200);
  });
});

describe('ping', () => {
  it('of no model asks whether the server is ready, and its only model in the name of who watches', async () => {
    const store = new MemoryServingStore();
    store.deploy(tenantA, 'income', '1.0.0', classifier);
    const stranger = new Error('no token');
    const ping = (more: object) => send(servingApp(store, more).app, { path: '/ping', tenant: stranger });
    expect((await ping({})).status).toBe(200);
    expect((await ping({ isReady: () => false })).status).toBe(503);
    expect((await ping({ defaultModel: 'income', watcher: tenantA })).status).toBe(200);
    expect((await ping({ defaultModel: 'absent', watcher: tenantA })).status).toBe(404);
  });
});
