import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Prediction } from '../../src/contracts/prediction.ts';
import type { Job } from '../../src/contracts/training.ts';
import { importModel } from '../support/import-model.ts';
import { jobEnd, type RunningTwin, rawRequest, runTwin } from '../support/running-twin.ts';
import { treeClassifier, treeRegressor } from '../unit/ml/onnx/brought-models.ts';
import { onnxFile } from '../unit/ml/onnx/onnx-file.ts';

let running: RunningTwin;
const client = () => running.client('acme');
const classifier = onnxFile(treeClassifier);
const regressor = onnxFile(treeRegressor);
const digestOf = (bytes: Uint8Array) => `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;

const predict = (model: string, row: unknown, tenant = 'acme') =>
  running.client(tenant).call('predict', {
    params: { model_name: model as never },
    body: { input_data: row as never },
  }) as Promise<Prediction>;

const send = async (path: string, body: unknown, method = 'POST') =>
  rawRequest(`${running.twin.url}${path}`, {
    method,
    token: await running.twin.issueToken('acme'),
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

beforeAll(async () => {
  running = await runTwin();
});
afterAll(() => running.stop());

describe('an imported classifier', () => {
  let job: Job;
  beforeAll(async () => {
    job = await importModel(client(), 'brought', classifier, {
      content_digest: digestOf(classifier),
      feature_names: ['a', 'b', 'c', 'd'],
      framework: 'scikit-learn',
      description: 'a stump',
      deploy: true,
    });
  });

  it('is inspected, tried, registered and deployed by one job', async () => {
    expect(job).toMatchObject({
      kind: 'import',
      status: 'completed',
      model_version: '1.0.0',
      promotion: { decision: 'deploy' },
      inspection: {
        operators: { TreeEnsembleClassifier: 1 },
        task: 'classification',
        classes: ['no', 'yes'],
        signature: { rows: 'matrix', label: 'label', probabilities: 'probabilities', accepts_missing: true },
      },
    });
    const metadata = await client().call('getModelMetadata', {
      params: { model_name: 'brought' as never },
      query: {},
    });
    expect(metadata).toMatchObject({
      origin: 'imported',
      framework: 'scikit-learn',
      sha256: createHash('sha256').update(classifier).digest('hex'),
      manifest: { notes: 'a stump', self_test: { n_rows: 3 }, features: [{ name: 'a' }, {}, {}, {}] },
    });
    expect(metadata).not.toHaveProperty('algorithm');
  });

  it('predicts by name of feature, by tensors of the graph, and by the scoring protocol', async () => {
    // Column 0 above 0.5 is the second leaf: 0.5 and 0.25 for "yes" alone, else 0.25 for "no".
    expect(await predict('brought', { a: 1, b: 0, c: 0, d: 0 })).toMatchObject({
      prediction: 'yes',
      probabilities: [0, 0.75],
      confidence: 0.75,
      model_version: '1.0.0',
    });
    const about = await send('/v2/models/brought', undefined, 'GET');
    expect(about.json).toMatchObject({
      inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [
        { name: 'label', datatype: 'BYTES', shape: [-1] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
      ],
    });
    const inferred = await send('/v2/models/brought/infer', {
      inputs: [{ name: 'X', shape: [2, 4], datatype: 'FP32', data: [1, 0, 0, 0, 0, 0, 0, 0] }],
    });
    expect(inferred.json.outputs).toMatchObject([
      { name: 'label', data: ['yes', expect.any(String)] },
      { name: 'probabilities', shape: [2, 2] },
    ]);
    const scored = await send('/endpoints/brought/invocations', { instances: [[1, 0, 0, 0]] });
    expect(scored.json).toEqual({ predictions: ['yes'] });
  });

  it('never runs in predict, and never in a process that serves another tenant', async () => {
    await importModel(running.client('zeta'), 'theirs', classifier, { deploy: true });
    await predict('theirs', [1, 0, 0, 0], 'zeta');
    await predict('brought', [1, 0, 0, 0]);
    const [ours, theirs] = ['acme', 'zeta'].map((tenant) =>
      running.twin.functionPids('predict-imported', tenant),
    );
    expect(ours!.length).toBeGreaterThan(0);
    expect(theirs!.length).toBeGreaterThan(0);
    expect(ours!.filter((pid) => theirs!.includes(pid))).toEqual([]);
    expect(running.twin.functionPids('predict-imported', 'nobody')).toEqual([]);
  });

  it('says in the dialect of the caller that its process was killed, and answers the next call', async () => {
    const pids = running.twin.functionPids('predict-imported', 'acme');
    // Stopped, so that the call is in flight when the process goes.
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    const inFlight = send('/v2/models/brought/infer', {
      inputs: [{ name: 'X', shape: [1, 4], datatype: 'FP32', data: [1, 0, 0, 0] }],
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    const answer = await inFlight;
    expect([answer.status, answer.json.error]).toEqual([
      502,
      expect.stringMatching(/^IMPORTED_MODEL_CRASHED: /),
    ]);
    expect(await predict('brought', [1, 0, 0, 0])).toMatchObject({ prediction: 'yes' });
    const next = running.twin.functionPids('predict-imported', 'acme');
    expect(next.filter((pid) => pids.includes(pid))).toEqual([]);
  });
});

it('rows of a call that does not wait are scored by the graph as well', async () => {
  const started = await rawRequest(`${running.twin.url}/api/v1/ml/predict/brought`, {
    method: 'POST',
    token: await running.twin.issueToken('acme'),
    headers: { 'content-type': 'application/json', prefer: 'respond-async' },
    body: JSON.stringify({ input_data: [[1, 0, 0, 0], { a: 'many' }] }),
  });
  expect(started.status).toBe(202);
  const job = await jobEnd(client(), started.json.job_id as never);
  expect(job).toMatchObject({ status: 'completed', result: { n_rows: 2, n_failed_rows: 1 } });
  const [first] = (await (await fetch(job.result!.url!)).json()) as Prediction[];
  expect(first).toMatchObject({ prediction: 'yes', probabilities: [0, 0.75] });
});

it('an imported regressor is kept until it is deployed, and a second import is the next version', async () => {
  const first = await importModel(client(), 'price', regressor, {});
  expect(first).toMatchObject({ status: 'completed', promotion: { decision: 'keep' } });
  expect((await send('/api/v1/ml/predict/price', { input_data: [1, 0, 0] })).status).toBe(404);
  await importModel(client(), 'price', regressor, { deploy: true });
  expect(await predict('price', { x0: 1, x1: 0, x2: 0 })).toMatchObject({
    prediction: 0.75,
    model_version: '1.1.0',
  });
});

it('a classifier that gives labels only is answered without probabilities, in every dialect', async () => {
  const labelOnly = { ...treeClassifier, outputs: [treeClassifier.outputs[0]!] };
  await importModel(client(), 'labels', onnxFile(labelOnly), { deploy: true });
  const answer = await predict('labels', [1, 0, 0, 0]);
  expect(answer).toMatchObject({ prediction: 'yes' });
  expect(Object.keys(answer)).not.toContain('probabilities');
  const inferred = await send('/v2/models/labels/infer', {
    inputs: [{ name: 'X', shape: [1, 4], datatype: 'FP32', data: [1, 0, 0, 0] }],
  });
  expect(inferred.json.outputs).toEqual([{ name: 'label', shape: [1], datatype: 'BYTES', data: ['yes'] }]);
  const scored = (params: object) =>
    send('/endpoints/labels/invocations', { instances: [[1, 0, 0, 0]], params });
  expect((await scored({ predict_method: 'predict' })).json).toEqual({ predictions: ['yes'] });
  expect((await scored({ predict_method: 'predict_proba' })).status).toBe(400);
});

describe('a file that is refused', () => {
  const flipped = Uint8Array.from(classifier);
  flipped[flipped.length - 30]! ^= 1;
  const cases: [string, Uint8Array, Record<string, unknown>, string][] = [
    ['a pickle', Buffer.from('80049500000000000000', 'hex'), {}, 'MODEL_PICKLED'],
    [
      'a graph with an operator that is not on the list',
      onnxFile({ ...treeRegressor, nodes: [{ op: 'Loop', inputs: ['input'], outputs: ['variable'] }] }),
      {},
      'ONNX_OPERATOR_NOT_ALLOWED',
    ],
    ['a file with a flipped bit', flipped, { content_digest: digestOf(classifier) }, 'DIGEST_MISMATCH'],
    ['a graph of other width', classifier, { feature_names: ['a'] }, 'IMPORT_REQUEST_MISMATCH'],
  ];
  it.each(cases)('%s says why, and leaves nothing', async (_, bytes, request, code) => {
    const job = await importModel(client(), 'refused', bytes, request);
    expect(job).toMatchObject({ status: 'failed', error: { code }, refusal: { code } });
    expect(job.refusal!.remedy).not.toBe('');
    expect((await send('/api/v1/ml/models/refused', undefined, 'GET')).status).toBe(404);
  });
});
