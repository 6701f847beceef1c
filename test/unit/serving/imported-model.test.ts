import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ImportedSignature } from '../../../src/contracts/imported.ts';
import type { ModelManifest } from '../../../src/contracts/models.ts';
import type { FeatureBatch } from '../../../src/serving/feature-batch.ts';
import type { GraphTensor, RunnableGraph } from '../../../src/serving/imported/graph-tensors.ts';
import { ImportedFunction, type ResidentGraph } from '../../../src/serving/imported/imported-function.ts';
import type { ImportedCall } from '../../../src/serving/imported/imported-message.ts';
import { ImportedModel } from '../../../src/serving/imported/imported-model.ts';
import { ModelCache } from '../../../src/serving/model-cache.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { sampleManifest } from '../../support/samples.ts';
import { modelName, tenantNamed } from '../../support/tenants.ts';

const acme = tenantNamed('acme');
const file = Buffer.from('a graph');
const sha256 = createHash('sha256').update(file).digest('hex');
const key = 'tenants/acme/models/m/builds/b/model.onnx';

const signature = (over: Partial<ImportedSignature> = {}): ImportedSignature => ({
  inputs: [{ name: 'X', element_type: 'float', shape: [-1, 2] }],
  outputs: [],
  rows: 'matrix',
  prediction: 'y',
  resident_bytes: 1_000,
  bytes_per_row: 16,
  accepts_missing: true,
  ...over,
});

type Tensors = Readonly<Record<string, GraphTensor>>;
type Give = (inputs: Tensors) => Record<string, GraphTensor>;

/** Sums the features of a row, unless told otherwise; `seen` holds the tensors that it was given. */
class Graph implements RunnableGraph {
  readonly seen: Record<string, GraphTensor>[] = [];
  readonly #give: Give;

  constructor(give: Give = sums) {
    this.#give = give;
  }

  async run(inputs: Tensors) {
    this.seen.push({ ...inputs });
    return this.#give(inputs);
  }

  async release() {}
}

const sums: Give = ({ X }) => {
  const [n, width] = X!.dims as [number, number];
  const values = X!.data as Float32Array;
  const data = Float32Array.from({ length: n }, (_, i) =>
    values.subarray(i * width, (i + 1) * width).reduce((a, b) => a + b, 0),
  );
  return { y: { type: 'float32', dims: [n, 1], data } };
};

function functionOf(graph: RunnableGraph, bytes: Uint8Array = file) {
  const clock = new ManualClock();
  return new ImportedFunction({
    runtime: { load: async () => graph },
    fetch: async () => bytes,
    cache: new ModelCache<ResidentGraph>({ budgetBytes: 1 << 30, maxModels: 5 }, clock),
    residentBytes: () => 0,
    clock,
  });
}

function modelOf(
  graph: RunnableGraph,
  manifest: Partial<ModelManifest>,
  calls: ImportedCall[] = [],
  rowsWithinMs?: number,
) {
  const fn = functionOf(graph);
  return new ImportedModel(
    sampleManifest({
      model_name: modelName('m'),
      task: 'regression',
      classes: undefined,
      features: [
        { name: 'a', type: 'number', input: 'X[0]' },
        { name: 'b', type: 'number', input: 'X[1]' },
      ],
      origin: 'imported',
      imported: signature(),
      ...manifest,
    }),
    100,
    {
      tenant: acme,
      variant: {
        ...{ version: '1.0.0', artifact_key: key, artifact_sha256: sha256, artifact_bytes: file.length },
        ...{ manifest_key: '', manifest_sha256: '', origin: 'imported' },
      },
      graphs: {
        rowsWithinMs,
        link: async (_, of) => `https://bucket.example/${of}?signed`,
        call: (tenant, call) => {
          calls.push(JSON.parse(JSON.stringify(call)) as ImportedCall);
          return fn.answer(tenant, JSON.parse(JSON.stringify(call)) as ImportedCall);
        },
      },
    },
  );
}

const floats = (...columns: number[][]): FeatureBatch => ({
  nRows: columns[0]!.length,
  features: columns.map((column) => ({ input: '', kind: 'float32', data: Float32Array.from(column) })),
});

describe('an imported model', () => {
  it('gives what the graph gives, by messages that are JSON', async () => {
    const graph = new Graph();
    expect(await modelOf(graph, {}).run(floats([1, 2], [10, 20]))).toEqual({
      values: Float32Array.of(11, 22),
    });
    expect(graph.seen[0]!.X).toMatchObject({ dims: [2, 2], data: Float32Array.of(1, 10, 2, 20) });
  });

  it('divides rows by what one takes while it is predicted, and joins what came out', async () => {
    const calls: ImportedCall[] = [];
    // Half a GiB over 256 MiB a row: two rows at a time.
    const model = modelOf(new Graph(), { imported: signature({ bytes_per_row: 2 ** 28 }) }, calls);
    const output = await model.run(floats([1, 2, 3, 4, 5], [0, 0, 0, 0, 0]));
    expect(output.values).toEqual(Float32Array.of(1, 2, 3, 4, 5));
    expect(calls.map(({ rows }) => rows!.n_rows)).toEqual([2, 2, 1]);
  });

  it('stops between its parts when the time of the whole call is over', async () => {
    const calls: ImportedCall[] = [];
    const model = modelOf(new Graph(), { imported: signature({ bytes_per_row: 2 ** 28 }) }, calls, 0);
    await expect(model.run(floats([1, 2, 3], [0, 0, 0]))).rejects.toMatchObject({
      code: 'IMPORTED_MODEL_TIMED_OUT',
    });
    expect(calls).toEqual([]);
  });

  it('refuses a missing value by name where the graph gave nothing for one', async () => {
    const model = modelOf(new Graph(), { imported: signature({ accepts_missing: false }) });
    await expect(model.run(floats([1, 2], [1, Number.NaN]))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('row 1: b is missing'),
    });
  });

  it('names labels as the import did, with probabilities or without', async () => {
    const labels: GraphTensor = { type: 'int64', dims: [2], data: BigInt64Array.of(1n, 0n) };
    const model = modelOf(new Graph(() => ({ label: labels })), {
      task: 'classification',
      classes: ['no', 'yes'],
      imported: signature({ prediction: undefined, label: 'label', graph_classes: [0, 1] }),
    });
    expect(await model.run(floats([1, 2], [1, 2]))).toEqual({ labels: ['yes', 'no'] });
  });

  it('says of whole numbers which row holds none', async () => {
    const integers = signature({ inputs: [{ name: 'X', element_type: 'int64', shape: [-1, 2] }] });
    await expect(
      modelOf(new Graph(), { imported: integers }).run(floats([1, 2.5], [1, 1])),
    ).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('row 1 holds 2.5'),
    });
  });

  it('is an error of its own when the graph fails or gives other shapes', async () => {
    const throwing = new Graph(() => {
      throw new Error('Non-zero status code\nat some node');
    });
    await expect(modelOf(throwing, {}).run(floats([1], [1]))).rejects.toMatchObject({
      code: 'IMPORTED_MODEL_FAILED',
      message: expect.not.stringContaining('at some node'),
    });
    const short = new Graph(() => ({ y: { type: 'float32', dims: [1, 1], data: Float32Array.of(1) } }));
    await expect(modelOf(short, {}).run(floats([1, 2], [1, 2]))).rejects.toMatchObject({
      code: 'IMPORTED_MODEL_FAILED',
    });
  });
});

describe('the function of imported graphs', () => {
  const call = (url: string): ImportedCall => ({
    kind: 'load',
    artifact: { url, sha256, bytes: file.length },
    graph: signature(),
  });

  it.each([
    'https://bucket.example/tenants/acme-two/models/m/model.onnx',
    'https://bucket.example/tenants/acm/models/m/model.onnx',
    'https://bucket.example/tenants/acme/../zeta/model.onnx',
    'https://bucket.example/tenants/acme/%2e%2e/zeta/model.onnx',
    'https://bucket.example/other',
  ])('opens no file that is not of the tenant of its environment: %s', async (url) => {
    expect(await functionOf(new Graph()).answer(acme, call(url))).toMatchObject({
      ok: false,
      code: 'ARTIFACT_DAMAGED',
    });
  });

  it('runs no bytes but those that were registered', async () => {
    const changed = functionOf(new Graph(), Buffer.from('a grapH'));
    expect(await changed.answer(acme, call(`https://bucket.example/${key}`))).toMatchObject({
      ok: false,
      code: 'ARTIFACT_DAMAGED',
    });
    expect(await functionOf(new Graph()).answer(acme, call(`https://bucket.example/bucket/${key}`))).toEqual({
      ok: true,
    });
  });
});

describe('the self-test', () => {
  const test = (graph: RunnableGraph, over: Partial<ImportedSignature> = {}) =>
    functionOf(graph).answer(acme, {
      kind: 'self-test',
      artifact: { url: `https://bucket.example/${key}`, sha256, bytes: file.length },
      graph: signature(over),
    });

  it('finds out whether a missing value gives a finite prediction', async () => {
    expect(await test(new Graph())).toMatchObject({
      ok: true,
      self_test: { n_rows: 3, accepts_missing: false },
    });
    const ignoring = new Graph(({ X }) => ({
      y: { type: 'float32', dims: [X!.dims[0]!, 1], data: new Float32Array(X!.dims[0]!) },
    }));
    expect(await test(ignoring)).toMatchObject({ ok: true, self_test: { accepts_missing: true } });
  });

  it.each<[string, Give]>([
    [
      'rows that depend on others',
      ({ X }) => ({ y: { ...sums({ X: X! }).y!, data: new Float32Array(X!.dims[0]!).fill(X!.dims[0]!) } }),
    ],
    [
      'predictions that are not finite',
      ({ X }) => ({ y: { ...sums({ X: X! }).y!, data: new Float32Array(X!.dims[0]!).fill(Number.NaN) } }),
    ],
    [
      'fewer predictions than rows',
      () => ({ y: { type: 'float32', dims: [1, 1], data: new Float32Array(1) } }),
    ],
    ['an output that is not there', () => ({})],
  ])('refuses %s', async (_, give) => {
    expect(await test(new Graph(give))).toMatchObject({ ok: false, code: 'MODEL_SELF_TEST_FAILED' });
  });
});
