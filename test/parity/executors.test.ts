/** The executor in TypeScript against onnxruntime and against the model in memory, over tables of every kind. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OnnxruntimeExecutor } from '../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { exportOnnx, onnxInputs } from '../../src/ml/onnx/export-onnx.ts';
import { readModel } from '../../src/ml/onnx/read/read-model.ts';
import type { PipelineModel } from '../../src/ml/pipeline.ts';
import { Random } from '../../src/ml/random.ts';
import { categoryColumn, createTable, type Table, takeRows } from '../../src/ml/table.ts';
import { batchOfTable, type FeatureBatch } from '../../src/serving/feature-batch.ts';
import { TypeScriptExecutor } from '../../src/serving/graph/typescript-executor.ts';
import type { LoadedModel } from '../../src/serving/model-executor.ts';
import { everyAlgorithm, fewTrees, fitted, has, outputsOf } from '../unit/ml/support/fitting.ts';

const onnxruntime = new OnnxruntimeExecutor();
const typescript = new TypeScriptExecutor();
const N_CATEGORIES = 60;

/** Numbers, dates of four centuries and categories whose sets matter, not their order; a third of all is missing. */
function mixedTable(seed: number, nRows: number, nClasses: number, missing: number): Table {
  const random = new Random(seed);
  const list = (value: () => number) =>
    Float64Array.from({ length: nRows }, () => (random.nextFloat() < missing ? Number.NaN : value()));
  const a = list(() => Math.fround(random.nextFloat() * 10 - 5));
  const whole = list(() => random.nextInt(9));
  const flag = list(() => random.nextInt(2));
  const when = list(() => Math.floor((random.nextFloat() - 0.6) * 1.2e13));
  const kinds = Array.from({ length: nRows }, () => random.nextInt(N_CATEGORIES));
  const other = Array.from({ length: nRows }, () => random.nextInt(4));
  // The side of a category turns around with the flag: no order of categories separates them.
  const score = (row: number) =>
    (((kinds[row]! * 7) % 3) - 1) * (flag[row] === 1 ? -2 : 2) +
    (a[row]! || 0) * (other[row]! - 1) +
    (new Date(when[row] || 0).getUTCMonth() > 5 ? 1.5 : 0) +
    random.nextFloat();
  const scores = Float64Array.from(kinds, (_, row) => score(row));
  const sorted = Float64Array.from(scores).sort();
  const classOf = (value: number) =>
    Math.min(nClasses - 1, Math.floor((sorted.findIndex((one) => one >= value) / nRows) * nClasses));
  return createTable([
    { name: 'a', type: 'number', values: a },
    { name: 'whole', type: 'number', values: whole },
    { name: 'flag', type: 'boolean', values: flag },
    { name: 'when', type: 'date', values: when },
    categoryColumn(
      'kind',
      kinds.map((kind) => (random.nextFloat() < missing ? null : `kind ${kind} é`)),
    ),
    categoryColumn(
      'other',
      other.map((kind) => 'abcd'[kind]!),
    ),
    {
      name: 'y',
      type: 'number',
      values: nClasses === 0 ? scores : scores.map(classOf),
    },
  ]);
}

/** Values that no training row has. */
function hostileTable(): Table {
  const nan = Number.NaN;
  const numbers = Float64Array.of(nan, 0, -0, 1e30, -1e30, 1e-40, 4.9999999, 2);
  const dates = [nan, 0, -1, 8.64e15, -8.64e15, -62_135_596_800_000, 951_782_399_999, -2_203_891_200_001];
  return createTable([
    { name: 'a', type: 'number', values: numbers },
    { name: 'whole', type: 'number', values: Float64Array.from(numbers).reverse() },
    { name: 'flag', type: 'boolean', values: Float64Array.of(nan, 1, 0, 1, 0, nan, 1, 0) },
    { name: 'when', type: 'date', values: Float64Array.from(dates) },
    categoryColumn('kind', [null, 'unknown', 'kind 1 é', 'kind 2 é', '', 'KIND 3 É', 'kind 4 é', '\ud800']),
    categoryColumn('other', ['a', null, 'e', 'b', 'c', 'd', 'a ', 'a']),
  ]);
}

const resultOf = async (loaded: LoadedModel, batch: FeatureBatch) => {
  const { probabilities, values } = await loaded.run(batch);
  return (probabilities ?? values)!;
};

/** DETAILS: relative 1e-5 plus absolute 1e-6, of float32 outputs. */
function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  expect(actual.length).toBe(expected.length);
  const wrong = Array.from(expected).flatMap((value, i) =>
    Math.abs(actual[i]! - value) <= 1e-5 * Math.abs(value) + 1e-6 ? [] : [`${i}: ${value} ≠ ${actual[i]}`],
  );
  expect(wrong, what).toEqual([]);
}

async function expectParity(model: PipelineModel, tables: readonly Table[]): Promise<void> {
  const graph = exportOnnx(model);
  const own = await typescript.load(graph);
  const other = await onnxruntime.load(graph);
  for (const table of tables) {
    const batch = batchOfTable(onnxInputs(model), table);
    const actual = await resultOf(own, batch);
    expectClose(actual, await resultOf(other, batch), 'beside onnxruntime');
    expectClose(actual, outputsOf(model, table), 'beside the model in memory');
  }
  await other.release();
  await own.release();
}

describe.each(everyAlgorithm)('the graph of $algorithm for $task', ({ algorithm, task }) => {
  const hyperparameters = {
    ...fewTrees(algorithm),
    ...(has(algorithm, 'min_samples_leaf') ? { min_samples_leaf: 2 } : {}),
  };

  it('gives in TypeScript what it gives in onnxruntime and in memory, on any table', async () => {
    const anyTable = fc.record({
      seed: fc.nat(1e6),
      nRows: fc.integer({ min: 40, max: 700 }),
      nClasses: task === 'regression' ? fc.constant(0) : fc.integer({ min: 2, max: 5 }),
      missing: fc.constantFrom(0, 0.05, 0.3),
    });
    await fc.assert(
      fc.asyncProperty(anyTable, async ({ seed, nRows, nClasses, missing }) => {
        const table = mixedTable(seed, nRows, nClasses, missing);
        const model = fitted(table, { algorithm, task, hyperparameters });
        await expectParity(model, [table, hostileTable()]);
      }),
      { numRuns: 8, seed: 17 },
    );
  });

  it('gives every row what it gives the row alone, to the bit, whatever the size of the batch', async () => {
    const table = mixedTable(4, 600, task === 'regression' ? 0 : 3, 0.1);
    const model = fitted(table, { algorithm, task, hyperparameters });
    const loaded = await typescript.load(exportOnnx(model));
    const all = await resultOf(loaded, batchOfTable(onnxInputs(model), table));
    const width = all.length / 600;
    for (const size of [1, 2, 3, 4, 5, 7, 255, 257]) {
      const rows = Int32Array.from({ length: size }, (_, i) => (i * 37 + size) % 600);
      const some = await resultOf(loaded, batchOfTable(onnxInputs(model), takeRows(table, rows)));
      const expected = Array.from(rows, (row) => Array.from(all.subarray(row * width, (row + 1) * width)));
      expect(Array.from(some)).toEqual(expected.flat());
    }
  });
});

describe('trees that test sets of categories', () => {
  it.each(['gradient_boosting', 'random_forest', 'extra_trees'])(
    'are chains of equalities in the graph of %s or codes in order, and the same in TypeScript',
    async (algorithm) => {
      const table = mixedTable(11, 3_000, 2, 0.05);
      const hyperparameters = { n_estimators: 30, min_samples_leaf: 5 };
      const model = fitted(table, { algorithm, task: 'classification', hyperparameters });
      const trees = readModel(exportOnnx(model)).graph.nodes.find(
        ({ opType }) => opType === 'TreeEnsembleRegressor',
      )!;
      const modes = trees.attributes.find(({ name }) => name === 'nodes_modes')!.strings.toArray();
      const nEqualities = modes.filter((mode) => mode === 'BRANCH_EQ').length;
      if (algorithm === 'gradient_boosting') expect(nEqualities).toBeGreaterThan(20);
      await expectParity(model, [table, hostileTable()]);
    },
  );
});

describe('two models in one executor', () => {
  it('share scratch memory and nothing else', async () => {
    const table = mixedTable(3, 300, 0, 0.1);
    const [one, other] = ['ridge', 'gradient_boosting'].map((algorithm) =>
      fitted(table, { algorithm, task: 'regression', hyperparameters: fewTrees(algorithm) }),
    ) as [PipelineModel, PipelineModel];
    const loaded = [await typescript.load(exportOnnx(one)), await typescript.load(exportOnnx(other))];
    const batch = batchOfTable(onnxInputs(one), table);
    const first = await resultOf(loaded[0]!, batch);
    const second = await resultOf(loaded[1]!, batch);
    expect(Array.from(await resultOf(loaded[0]!, batch))).toEqual(Array.from(first));
    expect(Array.from(await resultOf(loaded[1]!, batch))).toEqual(Array.from(second));
    expectClose(first, outputsOf(one, table), 'the first');
    expectClose(second, outputsOf(other, table), 'the second');
  });
});
