import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitPipeline, type PipelineModel, type PipelineSpec } from '../../../src/ml/pipeline.ts';
import { Random } from '../../../src/ml/random.ts';
import { type Column, categoryColumn, createTable, type Table } from '../../../src/ml/table.ts';
import { runOnnx } from '../../parity/onnx-session.ts';
import { randomTable } from './support/random-table.ts';

const SEED = 42;

function fitted(train: Table, spec: Partial<PipelineSpec>): PipelineModel {
  const result = fitPipeline(train, {
    task: 'regression',
    target: 'y',
    algorithm: 'gradient_boosting',
    hyperparameters: {},
    randomState: 0,
    ...spec,
  });
  if (!result.done) throw new Error('paused without being asked');
  return result.model;
}

const everyAlgorithm = [
  { algorithm: 'gradient_boosting', task: 'regression' },
  { algorithm: 'linear_regression', task: 'regression' },
  { algorithm: 'ridge', task: 'regression' },
  { algorithm: 'lasso', task: 'regression' },
  { algorithm: 'gradient_boosting', task: 'classification' },
  { algorithm: 'logistic_regression', task: 'classification' },
] as const;

function binaryTarget(nRows: number): Column {
  return {
    name: 'y',
    type: 'number',
    values: Float64Array.from({ length: nRows }, (_, i) => ((i * 37) % 11 < 5 ? 0 : 1)),
  };
}

describe.each(everyAlgorithm)('$algorithm for $task', (spec) => {
  it('trains on any small table of finite numbers, missing values and text, and agrees with its ONNX graph', async () => {
    const value = fc.option(
      fc.float({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 100), max: 2 ** 100 }),
      {
        nil: Number.NaN,
      },
    );
    const text = fc.option(fc.string({ unit: 'binary', maxLength: 4 }), { nil: null });
    const row = fc.tuple(value, value, text, fc.integer({ min: 0, max: 2 }));
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 8, maxLength: 40 }), async (rows) => {
        const train = createTable([
          { name: 'a', type: 'number', values: Float64Array.from(rows, ([a]) => a) },
          { name: 'b', type: 'number', values: Float64Array.from(rows, ([, b]) => b) },
          categoryColumn(
            'c',
            rows.map(([, , c]) => c),
          ),
          { name: 'steady', type: 'number', values: Float64Array.from(rows, (_, i) => i % 3) },
          { name: 'y', type: 'number', values: Float64Array.from(rows, ([, , , y], i) => (i < 2 ? i : y)) },
        ]);
        const hyperparameters =
          spec.algorithm === 'gradient_boosting' ? { min_samples_leaf: 1, n_estimators: 5 } : {};
        const model = fitted(train, { ...spec, hyperparameters });
        const predictions = model.predict(train);
        const expected = (predictions.values ?? predictions.probabilities)!;
        expect(expected.every(Number.isFinite)).toBe(true);
        const outputs = await runOnnx(model, train);
        const actual = (outputs.prediction ?? outputs.probabilities)!.data as Float32Array;
        // DETAILS: relative 1e-5 plus absolute 1e-6.
        expected.forEach((one, i) => {
          expect(Math.abs(actual[i]! - one)).toBeLessThanOrEqual(1e-5 * Math.abs(one) + 1e-6);
        });
      }),
      { numRuns: 25, seed: SEED },
    );
  });

  it('ignores constant and empty columns', () => {
    const nRows = 150;
    const x: Column = {
      name: 'x',
      type: 'number',
      values: Float64Array.from({ length: nRows }, (_, i) => (i * 31) % 17),
    };
    const plain = fitted(createTable([x, binaryTarget(nRows)]), spec);
    const padded = createTable([
      x,
      { name: 'constant', type: 'number', values: new Float64Array(nRows).fill(-7) },
      { name: 'empty', type: 'date', values: new Float64Array(nRows).fill(Number.NaN) },
      categoryColumn('one', new Array(nRows).fill('same')),
      categoryColumn('none', new Array(nRows).fill(null)),
      binaryTarget(nRows),
    ]);
    expect(fitted(padded, spec).predict(padded)).toEqual(plain.predict(padded));
  });

  it('copes with a column that is there twice', () => {
    const nRows = 150;
    const values = Float64Array.from({ length: nRows }, (_, i) => (i * 31) % 17);
    const train = createTable([
      { name: 'x', type: 'number', values },
      { name: 'again', type: 'number', values },
      binaryTarget(nRows),
    ]);
    const { values: y, probabilities } = fitted(train, spec).predict(train);
    expect((y ?? probabilities)!.every(Number.isFinite)).toBe(true);
  });

  it('copes with 10,000 categories, and learns nothing from an identifier', () => {
    const nRows = 10_000;
    const random = new Random(5);
    const noise: Column = {
      name: 'y',
      type: 'number',
      values: Float64Array.from({ length: nRows }, () => random.nextInt(2)),
    };
    const ids = categoryColumn(
      'id',
      Array.from({ length: nRows }, (_, i) => `row ${i}`),
    );
    const train = createTable([ids, noise]);
    const { values, probabilities } = fitted(train, spec).predict(train);
    // Every row gets the same answer.
    expect(new Set(values ?? probabilities!.filter((_, i) => i % 2 === 1)).size).toBe(1);
  });

  it('rejects a single class, a single row and no rows', () => {
    const x = (nRows: number): Column => ({
      name: 'x',
      type: 'number',
      values: new Float64Array(nRows).map((_, i) => i),
    });
    const y = (nRows: number): Column => ({
      name: 'y',
      type: 'number',
      values: new Float64Array(nRows).fill(1),
    });
    for (const [nRows, code] of [
      [20, 'CONSTANT_TARGET'],
      [1, 'INSUFFICIENT_SAMPLES'],
      [0, 'INSUFFICIENT_SAMPLES'],
    ] as const) {
      expect(() => fitted(createTable([x(nRows), y(nRows)]), spec)).toThrowError(
        expect.objectContaining({ code }),
      );
    }
  });
});

describe('relabelled classes', () => {
  it.each(['gradient_boosting', 'logistic_regression'])('only rename the columns of %s', (algorithm) => {
    const train = randomTable({ target: 'multiclass' });
    const y = train.columns.at(-1)!;
    if (y.type === 'category') throw new Error('the target is numeric here');
    const renamed = categoryColumn(
      'y',
      Array.from(y.values, (value) => ({ 10: 'ä', 20: 'b', 40: 'c 🎈' })[value]!),
    );
    // Both fits near their limit, so that only rounding differs: sums over classes run in another order.
    const hyperparameters = algorithm === 'logistic_regression' ? { tol: 1e-8 } : {};
    const spec = { task: 'classification', algorithm, hyperparameters } as const;
    const numeric = fitted(train, spec);
    const text = fitted(createTable([...train.columns.slice(0, -1), renamed]), spec);
    expect(numeric.classes).toEqual([10, 20, 40]);
    expect(text.classes).toEqual(['b', 'c 🎈', 'ä']);
    const asNumeric = numeric.predict(train).probabilities!;
    const asText = text.predict(train).probabilities!;
    for (let row = 0; row < train.nRows; row++) {
      expect(asText[3 * row]!).toBeCloseTo(asNumeric[3 * row + 1]!, 3);
      expect(asText[3 * row + 2]!).toBeCloseTo(asNumeric[3 * row]!, 3);
    }
  });
});

describe('class_weight', () => {
  it.each(['gradient_boosting', 'logistic_regression'])(
    'balanced moves the mean probability of a rare class to one half in %s',
    (algorithm) => {
      const nRows = 600;
      const random = new Random(8);
      const train = createTable([
        { name: 'x', type: 'number', values: Float64Array.from({ length: nRows }, () => random.nextFloat()) },
        {
          name: 'y',
          type: 'boolean',
          values: Float64Array.from({ length: nRows }, (_, i) => (i % 10 === 0 ? 1 : 0)),
        },
      ]);
      const hyperparameters = algorithm === 'gradient_boosting' ? { n_estimators: 3 } : {};
      const meanOf = (extra: object) => {
        const spec = {
          task: 'classification',
          algorithm,
          hyperparameters: { ...hyperparameters, ...extra },
        } as const;
        const { probabilities } = fitted(train, spec).predict(train);
        return probabilities!.reduce((sum, value, i) => sum + (i % 2 === 1 ? value : 0), 0) / nRows;
      };
      expect(meanOf({})).toBeCloseTo(0.1, 1);
      expect(meanOf({ class_weight: 'balanced' })).toBeCloseTo(0.5, 1);
    },
  );
});
