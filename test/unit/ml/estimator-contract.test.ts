/** What every algorithm of the catalogue promises; a new one is covered by being in it. */
import { describe, expect, it } from 'vitest';
import { algorithms } from '../../../src/ml/algorithms.ts';
import { mostProbableClasses } from '../../../src/ml/class-probabilities.ts';
import { fitPipeline, type PipelineSpec, pipelineFromJSON } from '../../../src/ml/pipeline.ts';
import { classTarget } from '../../../src/ml/preprocessing/target.ts';
import { type Column, createTable, type Table, takeRows } from '../../../src/ml/table.ts';
import { expectGraphAgrees, fewTrees, fitted, outputsOf } from './support/fitting.ts';
import { randomTable } from './support/random-table.ts';

function withColumn(table: Table, column: Column): Table {
  return createTable(table.columns.map((one) => (one.name === column.name ? column : one)));
}

function withoutColumn(table: Table, name: string): Table {
  return createTable(table.columns.filter((column) => column.name !== name));
}

function numbersNamed(table: Table, name: string): Float64Array {
  const column = table.columns.find((one) => one.name === name)!;
  if (column.type === 'category') throw new Error(`${name} is a category`);
  return column.values;
}

/** Values of the same columns, compared byte for byte. */
function snapshot(table: Table): string {
  return JSON.stringify(
    table.columns.map((column) =>
      Array.from(column.type === 'category' ? column.codes : column.values, String),
    ),
  );
}

/** Their fit is one computation with nothing between two iterations to pause at. */
const solvedAtOnce = new Set(['linear_regression', 'ridge', 'baseline']);

const cases = algorithms.flatMap(({ name, tasks }) =>
  tasks.flatMap((task) =>
    (task === 'regression' ? (['numeric'] as const) : (['binary', 'text', 'multiclass'] as const)).map(
      (target) => ({ algorithm: name, task, target }) as const,
    ),
  ),
);

describe.each(cases)('$algorithm for $task of a $target target', ({ algorithm, task, target }) => {
  const train = randomTable({ target });
  const spec: PipelineSpec = { task, target: 'y', algorithm, hyperparameters: {}, randomState: 3 };
  const model = fitted(train, spec);

  it('fits with default hyperparameters and says what it is', () => {
    expect(model).toMatchObject({ task, algorithm, target: 'y' });
    expect(model.features.map(({ name }) => name)).toEqual(
      train.columns.map(({ name }) => name).filter((name) => name !== 'y'),
    );
  });

  it('learns: its predictions are far better than a constant, but for the baseline, which is one', () => {
    const outputs = model.predict(train);
    if (algorithm === 'baseline') {
      const first = outputsOf(model, takeRows(train, Int32Array.of(0)));
      expect(outputsOf(model, train)).toEqual(Array.from({ length: train.nRows }, () => first).flat());
      return;
    }
    if (task === 'regression') {
      const y = numbersNamed(train, 'y');
      const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
      const errors = y.reduce((sum, value, i) => sum + (value - outputs.values![i]!) ** 2, 0);
      const variation = y.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      expect(1 - errors / variation).toBeGreaterThan(0.8);
    } else {
      const { indices } = classTarget(train.columns.find((one) => one.name === 'y')!, model.classes!);
      const predicted = mostProbableClasses(outputs.probabilities!, outputs.nClasses!);
      const right = indices.filter((index, row) => index === predicted[row]).length;
      expect(right / train.nRows).toBeGreaterThan(0.8);
    }
  });

  it('gives the same model for the same seed', () => {
    expect(fitted(train, spec).toJSON()).toEqual(model.toJSON());
  });

  it('forgets what an earlier fit saw', () => {
    fitted(randomTable({ target, seed: 99 }), spec);
    expect(fitted(train, spec).toJSON()).toEqual(model.toJSON());
  });

  it('leaves its inputs as they were', () => {
    const table = randomTable({ target });
    const before = snapshot(table);
    fitted(table, spec).predict(table);
    expect(snapshot(table)).toBe(before);
  });

  it('predicts a subset as the subset of the prediction, and one row as in the batch', () => {
    const whole = outputsOf(model, train);
    const width = whole.length / train.nRows;
    for (const rows of [Int32Array.of(17, 3, 380, 3), Int32Array.of(211)]) {
      const expected = Array.from(rows).flatMap((row) => whole.slice(row * width, (row + 1) * width));
      expect(outputsOf(model, takeRows(train, rows))).toEqual(expected);
    }
  });

  it('predicts no rows as no predictions', () => {
    expect(outputsOf(model, takeRows(train, new Int32Array(0)))).toEqual([]);
  });

  it('does not depend on the order of columns, nor on columns it does not know', () => {
    const reordered = createTable([...train.columns].reverse());
    const extended = createTable([
      { name: 'extra', type: 'number', values: new Float64Array(train.nRows) },
      ...train.columns,
    ]);
    expect(outputsOf(model, reordered)).toEqual(outputsOf(model, train));
    expect(outputsOf(model, extended)).toEqual(outputsOf(model, train));
  });

  it('rejects a missing feature by name', () => {
    expect(() => model.predict(withoutColumn(train, 'when'))).toThrowError(
      expect.objectContaining({ code: 'FEATURE_NOT_FOUND', message: expect.stringContaining('"when"') }),
    );
  });

  it('rejects a feature of another type by name', () => {
    const text = withColumn(train, {
      name: 'small',
      type: 'category',
      codes: new Int32Array(train.nRows),
      categories: ['a'],
    });
    expect(() => model.predict(text)).toThrowError(
      expect.objectContaining({ code: 'FEATURE_TYPE_MISMATCH', message: expect.stringContaining('"small"') }),
    );
  });

  it.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e39])(
    'rejects %d by name, in fit and predict',
    (value) => {
      const values = Float64Array.from(numbersNamed(train, 'large'));
      values[5] = value;
      const infinite = withColumn(train, { name: 'large', type: 'number', values });
      const named = expect.objectContaining({
        code: 'INFINITE_VALUE',
        message: expect.stringContaining('"large"'),
      });
      expect(() => model.predict(infinite)).toThrowError(named);
      expect(() => fitPipeline(infinite, spec)).toThrowError(named);
    },
  );

  it('is finite for missing values and unknown categories', () => {
    const unknown = withColumn(train, {
      name: 'city',
      type: 'category',
      codes: Int32Array.from({ length: train.nRows }, (_, i) => (i % 2) - 1),
      categories: ['never seen'],
    });
    const nothing = withColumn(unknown, {
      name: 'small',
      type: 'number',
      values: new Float64Array(train.nRows).fill(Number.NaN),
    });
    expect(outputsOf(model, nothing).every(Number.isFinite)).toBe(true);
  });

  it('drops rows without a target', () => {
    const some = Int32Array.from({ length: 300 }, (_, i) => i);
    const y = train.columns.find(({ name }) => name === 'y')!;
    const holes: Column =
      y.type === 'category'
        ? { ...y, codes: y.codes.map((code, i) => (i < 300 ? code : -1)) }
        : { ...y, values: y.values.map((value, i) => (i < 300 ? value : Number.NaN)) };
    expect(fitted(withColumn(train, holes), spec).toJSON()).toEqual(
      fitted(takeRows(train, some), spec).toJSON(),
    );
  });

  it('is frozen', () => {
    expect(Object.isFrozen(model)).toBe(true);
  });

  it('predicts the same after a round trip through JSON', () => {
    const copy = pipelineFromJSON(JSON.parse(JSON.stringify(model)));
    expect(outputsOf(copy, train)).toEqual(outputsOf(model, train));
    expect(copy.toJSON()).toEqual(model.toJSON());
  });

  it.each([
    ['as it is', (checkpoint: unknown) => checkpoint],
    ['as JSON', (checkpoint: unknown) => JSON.parse(JSON.stringify(checkpoint))],
  ])('ends with the same model when it was paused after every iteration, its state kept %s', (_, keep) => {
    const short = { ...spec, hyperparameters: fewTrees(algorithm, 20) };
    let result = fitPipeline(train, short, { shouldPause: () => true });
    let slices = 1;
    for (; !result.done; slices++) {
      result = fitPipeline(train, short, { shouldPause: () => true }, keep(result.checkpoint));
    }
    expect(result.model.toJSON()).toEqual(fitted(train, short).toJSON());
    if (!solvedAtOnce.has(algorithm)) expect(slices).toBeGreaterThan(5);
  });

  it('reports progress that rises to 1', () => {
    const fractions: number[] = [];
    fitPipeline(train, spec, { onProgress: (fraction) => fractions.push(fraction) });
    expect(fractions.at(-1)).toBe(1);
    expect(fractions.every((fraction) => fraction > 0)).toBe(true);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });

  it('has an ONNX graph that predicts the same', async () => {
    await expectGraphAgrees(model, train);
  });
});

describe('a paused fit', () => {
  it('refuses the checkpoint of another fit', () => {
    const train = randomTable({ target: 'binary' });
    const spec: PipelineSpec = {
      task: 'classification',
      target: 'y',
      algorithm: 'gradient_boosting',
      hyperparameters: {},
      randomState: 3,
    };
    const paused = fitPipeline(train, spec, { shouldPause: () => true });
    if (paused.done) throw new Error('did not pause');
    const other = { ...spec, hyperparameters: { learning_rate: 0.3 } };
    for (const [table, changed] of [
      [train, other],
      [
        takeRows(
          train,
          Int32Array.from({ length: 200 }, (_, i) => i),
        ),
        spec,
      ],
    ] as const) {
      expect(() => fitPipeline(table, changed, {}, paused.checkpoint)).toThrowError(
        expect.objectContaining({ code: 'CHECKPOINT_MISMATCH' }),
      );
    }
  });
});
