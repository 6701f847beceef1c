import { describe, expect, it } from 'vitest';
import { mostProbableClasses } from '../../src/ml/class-probabilities.ts';
import { exportOnnx, onnxInputs } from '../../src/ml/onnx/export-onnx.ts';
import { fitPipeline, type PipelineModel, pipelineFromJSON, type Task } from '../../src/ml/pipeline.ts';
import { categoryColumn, createTable, type Table } from '../../src/ml/table.ts';
import { randomTable } from '../unit/ml/support/random-table.ts';
import { runOnnx } from './onnx-session.ts';

function fitted(
  train: Table,
  task: Task,
  algorithm: string,
  hyperparameters = {},
  target = 'y',
): PipelineModel {
  const result = fitPipeline(train, { task, target, algorithm, hyperparameters, randomState: 1 });
  if (!result.done) throw new Error('paused without being asked');
  return result.model;
}

/** DETAILS: relative 1e-5 plus absolute 1e-6, for float32 outputs of float64 sums. */
function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const tolerance = 1e-5 * Math.abs(expected[i]!) + 1e-6;
    if (!(Math.abs(actual[i]! - expected[i]!) <= tolerance)) {
      expect.fail(`value ${i}: onnxruntime ${actual[i]} but in memory ${expected[i]}`);
    }
  }
}

async function expectParity(model: PipelineModel, table: Table): Promise<void> {
  const outputs = await runOnnx(model, table);
  const predictions = model.predict(table);
  if (model.task === 'regression') {
    expect(outputs.prediction!.dims).toEqual([table.nRows, 1]);
    expectClose(outputs.prediction!.data as Float32Array, predictions.values!);
    return;
  }
  const classes = model.classes!;
  expect(outputs.probabilities!.dims).toEqual([table.nRows, classes.length]);
  expectClose(outputs.probabilities!.data as Float32Array, predictions.probabilities!);
  const labels = Array.from(outputs.label!.data as ArrayLike<string | bigint>, String);
  const expected = mostProbableClasses(predictions.probabilities!, classes.length);
  const spelled = classes.map((label) =>
    typeof label === 'boolean' ? String(Number(label)) : String(label),
  );
  expect(labels).toEqual(Array.from(expected, (index) => spelled[index]!));
}

/** Rows as in training, rows with everything missing, and rows with unknown categories and extreme numbers. */
function hostileRows(): Table {
  const nan = Number.NaN;
  return createTable([
    { name: 'small', type: 'number', values: Float64Array.of(nan, 0, 1e30, -1e30, 0.1, -0, 1e-40) },
    { name: 'large', type: 'number', values: Float64Array.of(nan, 5e5, 3e38, 12, 1e-30, 0.3, 16777217) },
    { name: 'flag', type: 'boolean', values: Float64Array.of(nan, 1, 0, nan, 1, 0, 1) },
    {
      name: 'when',
      type: 'date',
      values: Float64Array.of(nan, 0, 1.65e12, -1e12, 1650000000123, 8.64e15, 1),
    },
    categoryColumn('city', [null, 'unknown', '東京', 'naïve 🎫', 'PLAIN', 'rare one', 'Zu\u0308rich']),
    { name: 'constant', type: 'number', values: Float64Array.of(nan, 3, 4, 3, 3, 3, 3) },
    { name: 'never', type: 'number', values: Float64Array.of(nan, 1, 2, nan, nan, 5, nan) },
  ]);
}

const cases = [
  ['gradient_boosting', 'regression', 'numeric'],
  ['gradient_boosting', 'classification', 'binary'],
  ['gradient_boosting', 'classification', 'text'],
  ['gradient_boosting', 'classification', 'multiclass'],
  ['logistic_regression', 'classification', 'binary'],
  ['logistic_regression', 'classification', 'text'],
  ['logistic_regression', 'classification', 'multiclass'],
  ['linear_regression', 'regression', 'numeric'],
  ['ridge', 'regression', 'numeric'],
  ['lasso', 'regression', 'numeric'],
  ['elastic_net', 'regression', 'numeric'],
] as const;

describe.each(cases)('the ONNX graph of %s for %s of a %s target', (algorithm, task, target) => {
  const train = randomTable({ target });
  const model = fitted(train, task, algorithm);

  it('predicts what the model in memory predicts, on training rows', async () => {
    await expectParity(model, train);
  });

  it('predicts what the model in memory predicts, on missing, unknown, unicode and extreme values', async () => {
    await expectParity(model, hostileRows());
  });

  it('is the same bytes after a round trip through JSON', () => {
    const copy = pipelineFromJSON(JSON.parse(JSON.stringify(model)));
    expect(exportOnnx(copy)).toEqual(exportOnnx(model));
  });
});

describe('thresholds in float32', () => {
  it('send every value to the same side as onnxruntime, however close neighbours are', async () => {
    // Neighbouring float32 numbers: the middle of two cannot be represented.
    const values = new Float32Array(64);
    const bits = new Uint32Array(values.buffer);
    for (let i = 0; i < bits.length; i++) bits[i] = 0x3f800000 + i;
    const train = createTable([
      { name: 'x', type: 'number', values: Float64Array.from(values) },
      { name: 'y', type: 'number', values: Float64Array.from(values, (_, i) => (i * 7919) % 64) },
    ]);
    const model = fitted(train, 'regression', 'gradient_boosting', { min_samples_leaf: 1, n_estimators: 30 });
    await expectParity(model, train);
    expect(new Set(model.predict(train).values).size).toBe(64);
  });
});

describe('targets and names that need care', () => {
  it('keeps small predictions exact where the target is large', async () => {
    const x = Float64Array.from({ length: 200 }, (_, i) => i);
    const train = createTable([
      { name: 'x', type: 'number', values: x },
      {
        name: 'y',
        type: 'number',
        values: x.map((value) => (value % 2 === 0 ? 1e7 * (value - 100) : value / 1000)),
      },
    ]);
    await expectParity(fitted(train, 'regression', 'gradient_boosting', { min_samples_leaf: 1 }), train);
  });

  it('labels fractions as text and whole numbers as int64', async () => {
    const x = Float64Array.from({ length: 100 }, (_, i) => i);
    const fractions = createTable([
      { name: 'x', type: 'number', values: x },
      { name: 'y', type: 'number', values: x.map((value) => (value < 50 ? 0.5 : 1.5)) },
    ]);
    await expectParity(fitted(fractions, 'classification', 'logistic_regression'), fractions);
  });

  it('numbers the input of a feature that is named like an output', async () => {
    const x = Float64Array.from({ length: 100 }, (_, i) => i);
    const train = createTable([
      { name: 'label', type: 'number', values: x },
      { name: 'probabilities', type: 'number', values: x.map((value) => -value) },
      { name: 'Cast', type: 'number', values: x.map((value) => value % 7) },
      { name: '特徴 "1"', type: 'number', values: x.map((value) => value % 3) },
      { name: '', type: 'number', values: x.map((value) => value % 5) },
      { name: 'y', type: 'number', values: x.map((value) => (value < 50 ? 0 : 1)) },
    ]);
    for (const algorithm of ['gradient_boosting', 'logistic_regression']) {
      const model = fitted(train, 'classification', algorithm);
      expect(onnxInputs(model).map(({ input }) => input)).toEqual([
        'label_1',
        'probabilities_1',
        'Cast',
        '特徴 "1"',
        'feature_4',
      ]);
      await expectParity(model, train);
    }
  });

  it('trains and runs with a feature that has the name of a property of every object', async () => {
    const x = Float64Array.from({ length: 100 }, (_, i) => i);
    const train = createTable([
      { name: '__proto__', type: 'number', values: x },
      { name: 'constructor', type: 'number', values: x.map((value) => value % 7) },
      { name: 'y', type: 'number', values: x.map((value) => (value < 50 ? 0 : 1)) },
    ]);
    for (const algorithm of ['gradient_boosting', 'logistic_regression']) {
      const model = fitted(train, 'classification', algorithm);
      expect(onnxInputs(model).map(({ name, input }) => [name, input])).toEqual([
        ['__proto__', 'feature_0'],
        ['constructor', 'constructor'],
      ]);
      await expectParity(model, train);
    }
  });

  it('exports a model that looks at no feature', async () => {
    const train = createTable([
      categoryColumn(
        'id',
        Array.from({ length: 30 }, (_, i) => `id ${i}`),
      ),
      { name: 'y', type: 'number', values: Float64Array.from({ length: 30 }, (_, i) => i % 2) },
    ]);
    for (const algorithm of ['gradient_boosting', 'logistic_regression']) {
      await expectParity(fitted(train, 'classification', algorithm), train);
    }
    for (const algorithm of ['gradient_boosting', 'ridge']) {
      await expectParity(fitted(train, 'regression', algorithm), train);
    }
  });

  it('exports a model of categories alone', async () => {
    const train = createTable([
      categoryColumn(
        'kind',
        Array.from({ length: 120 }, (_, i) => ['a', 'b', 'c'][(i * 7) % 3]!),
      ),
      { name: 'y', type: 'number', values: Float64Array.from({ length: 120 }, (_, i) => (i * 7) % 3) },
    ]);
    for (const algorithm of ['gradient_boosting', 'ridge']) {
      await expectParity(fitted(train, 'regression', algorithm), train);
    }
    for (const algorithm of ['gradient_boosting', 'logistic_regression']) {
      await expectParity(fitted(train, 'classification', algorithm), train);
    }
  });
});
