import { describe, expect, it } from 'vitest';
import { OnnxruntimeExecutor } from '../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { exportOnnx, onnxInputs } from '../../src/ml/onnx/export-onnx.ts';
import { fitPipeline, type PipelineModel } from '../../src/ml/pipeline.ts';
import { categoryColumn, createTable, type Table, takeRows } from '../../src/ml/table.ts';
import { ChoosingExecutor } from '../../src/serving/choosing-executor.ts';
import { batchOfTable, emptyBatch } from '../../src/serving/feature-batch.ts';
import { TypeScriptExecutor } from '../../src/serving/graph/typescript-executor.ts';
import type { ModelExecutor } from '../../src/serving/model-executor.ts';
import { randomTable } from '../unit/ml/support/random-table.ts';

const executors: readonly (readonly [string, ModelExecutor])[] = [
  ['onnxruntime', new OnnxruntimeExecutor()],
  ['TypeScript', new TypeScriptExecutor()],
  ['the choice of both', new ChoosingExecutor(new TypeScriptExecutor(), new OnnxruntimeExecutor())],
];

const kinds = [
  ['gradient_boosting', 'regression', 'numeric'],
  ['ridge', 'regression', 'numeric'],
  ['gradient_boosting', 'classification', 'multiclass'],
  ['logistic_regression', 'classification', 'text'],
  ['random_forest', 'classification', 'multiclass'],
] as const;

const fitted = (table: Table, task: 'classification' | 'regression', algorithm: string, target = 'y') => {
  const result = fitPipeline(table, {
    ...{ task, algorithm, target, randomState: 42 },
    hyperparameters: algorithm === 'ridge' || algorithm === 'logistic_regression' ? {} : { n_estimators: 5 },
  } as never);
  if (!result.done) throw new Error('the fit paused');
  return result.model;
};

const featuresOf = (model: PipelineModel) => onnxInputs(model);

describe.each(
  executors.flatMap(([name, executor]) => kinds.map((kind) => [name, ...kind, executor] as const)),
)('ModelExecutor on %s: %s for %s', (_, algorithm, task, target, executor) => {
  const table = randomTable({ nRows: 300, target });
  const model = fitted(table, task, algorithm);

  it('gives what the model in memory gives, missing values and unknown categories included', async () => {
    const loaded = await executor.load(exportOnnx(model));
    const expected = model.predict(table);
    const actual = await loaded.run(batchOfTable(featuresOf(model), table));
    const [a, b] = [expected.probabilities ?? expected.values!, actual.probabilities ?? actual.values!];
    expect(b).toHaveLength(a.length);
    // float32 sums of a few hundred terms stay within the tolerance of the export step.
    for (let i = 0; i < a.length; i++) {
      expect(Math.abs(a[i]! - b[i]!)).toBeLessThanOrEqual(1e-6 + 1e-5 * Math.abs(a[i]!));
    }
    expect(actual.values === undefined).toBe(task === 'classification');
    await loaded.release();
  });

  it('gives a row of a batch what it gives the row alone', async () => {
    const loaded = await executor.load(exportOnnx(model));
    const batch = await loaded.run(
      batchOfTable(featuresOf(model), takeRows(table, Int32Array.of(0, 1, 2, 3))),
    );
    const all = batch.probabilities ?? batch.values!;
    const width = all.length / 4;
    for (let row = 0; row < 4; row++) {
      const one = await loaded.run(batchOfTable(featuresOf(model), takeRows(table, Int32Array.of(row))));
      expect(Array.from(one.probabilities ?? one.values!)).toEqual(
        Array.from(all.subarray(row * width, (row + 1) * width)),
      );
    }
    await loaded.release();
  });

  it('predicts for a row of which nothing is known', async () => {
    const loaded = await executor.load(exportOnnx(model));
    const output = await loaded.run(emptyBatch(featuresOf(model), 1));
    for (const value of output.probabilities ?? output.values!) expect(value).toBeTypeOf('number');
    expect(Array.from(output.probabilities ?? output.values!).every(Number.isFinite)).toBe(true);
    await loaded.release();
  });
});

describe.each(executors)('ModelExecutor on %s', (_, executor) => {
  it('runs a model whose features have the names of its outputs', async () => {
    const values = Float64Array.from({ length: 60 }, (_, i) => i);
    const names = ['prediction', 'probabilities', 'label', ''];
    const table = createTable([
      ...names.map((name, k) => ({
        name,
        type: 'number' as const,
        values: values.map((v) => (v * (k + 3)) % 17),
      })),
      categoryColumn(
        'x y',
        Array.from(values, (v) => (v % 2 === 0 ? 'a' : 'b')),
      ),
      { name: 'y', type: 'number', values },
    ]);
    const model = fitted(table, 'regression', 'ridge');
    const loaded = await executor.load(exportOnnx(model));
    const actual = (await loaded.run(batchOfTable(featuresOf(model), table))).values!;
    const expected = model.predict(table).values!;
    for (let i = 0; i < 60; i++) expect(actual[i]).toBeCloseTo(expected[i]!, 3);
    await loaded.release();
  });

  it('predicts nothing for a batch of no rows', async () => {
    const table = randomTable({ nRows: 120 });
    const model = fitted(table, 'regression', 'gradient_boosting');
    const loaded = await executor.load(exportOnnx(model));
    expect((await loaded.run(emptyBatch(featuresOf(model), 0))).values).toHaveLength(0);
    await loaded.release();
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['text', Buffer.from('import pickle')],
    ['a pickle', Buffer.from([0x80, 0x04, 0x95, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x8c, 0x05])],
    ['zeros', new Uint8Array(1_000)],
  ])('refuses %s', async (_name, bytes) => {
    await expect(executor.load(bytes)).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED' });
  });

  it('refuses a graph cut short anywhere, and lives on', async () => {
    const table = randomTable({ nRows: 120 });
    const model = fitted(table, 'regression', 'ridge');
    const graph = exportOnnx(model);
    for (const share of [0.05, 0.3, 0.6, 0.9]) {
      const cut = graph.subarray(0, Math.floor(graph.length * share));
      await expect(executor.load(cut)).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED' });
    }
    const loaded = await executor.load(graph);
    expect((await loaded.run(batchOfTable(featuresOf(model), table))).values).toHaveLength(120);
    await loaded.release();
  });
});
