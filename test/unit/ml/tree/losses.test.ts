import { describe, expect, it } from 'vitest';
import { fitPipeline, type PipelineSpec } from '../../../../src/ml/pipeline.ts';
import { Random } from '../../../../src/ml/random.ts';
import { createTable, type Table } from '../../../../src/ml/table.ts';
import { BoostingPipelineModel } from '../../../../src/ml/tree/boosting-pipeline.ts';
import { quantileOf } from '../../../../src/ml/tree/quantile.ts';
import { nTreesOf } from '../../../../src/ml/tree/tree.ts';
import { runOnnx } from '../../../parity/onnx-session.ts';

/** y = 3x plus noise of a long right tail; z is noise. */
function skewed(nRows = 3_000): Table {
  const random = new Random(2);
  const x = new Float64Array(nRows).map(() => random.nextFloat() * 4);
  const z = new Float64Array(nRows).map(() => random.nextFloat());
  const y = x.map((value) => 3 * value - Math.log(1 - random.nextFloat()) * 2);
  return tableOf(x, z, y);
}

function tableOf(x: Float64Array, z: Float64Array, y: Float64Array): Table {
  return createTable([
    { name: 'x', type: 'number', values: x },
    { name: 'z', type: 'number', values: z },
    { name: 'y', type: 'number', values: y },
  ]);
}

function fitted(
  table: Table,
  hyperparameters: Record<string, unknown>,
  task: PipelineSpec['task'] = 'regression',
) {
  const spec: PipelineSpec = {
    task,
    target: 'y',
    algorithm: 'gradient_boosting',
    hyperparameters,
    randomState: 0,
  };
  const result = fitPipeline(table, spec);
  if (!result.done || !(result.model instanceof BoostingPipelineModel))
    throw new Error('not a boosting model');
  return result.model;
}

function valuesOf(table: Table, name: string): Float64Array {
  const column = table.columns.find((one) => one.name === name)!;
  if (column.type === 'category') throw new Error('a category');
  return column.values;
}

describe('losses', () => {
  const table = skewed();
  const y = valuesOf(table, 'y');
  const shareBelow = (model: BoostingPipelineModel) => {
    const predicted = model.predict(table).values!;
    return y.filter((value, i) => value <= predicted[i]!).length / y.length;
  };

  it.each([0.1, 0.5, 0.9])('quantile %d is exceeded by the rest of the rows', (quantile) => {
    expect(shareBelow(fitted(table, { loss: 'quantile', quantile }))).toBeCloseTo(quantile, 1);
  });

  it('absolute_error gives the median, and errs less in absolute terms than squared_error', () => {
    const median = fitted(table, { loss: 'absolute_error' });
    const mean = fitted(table, {});
    const meanAbsoluteError = (model: BoostingPipelineModel) => {
      const predicted = model.predict(table).values!;
      return y.reduce((sum, value, i) => sum + Math.abs(value - predicted[i]!), 0) / y.length;
    };
    expect(shareBelow(median)).toBeCloseTo(0.5, 1);
    expect(meanAbsoluteError(median)).toBeLessThan(meanAbsoluteError(mean));
  });

  it('poisson gives positive means by a log link, the same in the ONNX graph', async () => {
    const random = new Random(4);
    const x = new Float64Array(2_000).map(() => random.nextFloat() * 3);
    const counts = x.map((value) => {
      let count = -1;
      for (let product = 1; product > Math.exp(-Math.exp(value - 1)); count++) product *= random.nextFloat();
      return Math.max(0, count);
    });
    const data = tableOf(
      x,
      x.map(() => random.nextFloat()),
      counts,
    );
    const model = fitted(data, { loss: 'poisson' });
    const predicted = model.predict(data).values!;
    expect(predicted.every((value) => value > 0)).toBe(true);
    const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
    expect(total(predicted) / total(counts)).toBeCloseTo(1, 2);
    const { prediction } = await runOnnx(model, data);
    const actual = prediction!.data as Float32Array;
    // DETAILS: relative 1e-5 plus absolute 1e-6.
    expect(predicted.every((value, i) => Math.abs(actual[i]! - value) <= 1e-5 * value + 1e-6)).toBe(true);
  });

  it('poisson learns amounts of any size', () => {
    const y = valuesOf(table, 'y').map(Math.abs);
    const scaled = tableOf(
      valuesOf(table, 'x'),
      valuesOf(table, 'z'),
      y.map((value) => value * 1e12),
    );
    const model = fitted(scaled, { loss: 'poisson' });
    const error = model
      .predict(scaled)
      .values!.reduce((sum, one, i) => sum + Math.abs(one / 1e12 - y[i]!), 0);
    const spread = y.reduce((sum, one) => sum + Math.abs(one - 8), 0);
    expect(error).toBeLessThan(spread / 2);
  });

  it('poisson refuses a negative target, and a loss of another task is refused', () => {
    const negative = tableOf(
      valuesOf(table, 'x'),
      valuesOf(table, 'z'),
      y.map((value) => value - 100),
    );
    expect(() => fitted(negative, { loss: 'poisson' })).toThrowError(
      expect.objectContaining({ code: 'NEGATIVE_TARGET' }),
    );
    expect(() => fitted(table, { loss: 'log_loss' })).toThrowError(/loss=log_loss is not for regression/);
  });

  it('is not confused by targets near the largest float32', () => {
    const huge = tableOf(
      valuesOf(table, 'x'),
      valuesOf(table, 'z'),
      y.map((value) => (value - 5) * 1e37),
    );
    const values = fitted(huge, {}).predict(huge).values!;
    expect(values.every(Number.isFinite)).toBe(true);
  });
});

describe('monotonic_cst', () => {
  it.each([1, -1])('keeps predictions in order where the data is not (%d)', (sign) => {
    const random = new Random(6);
    const x = new Float64Array(3_000).map(() => random.nextFloat() * 10);
    const z = x.map(() => random.nextFloat());
    const table = tableOf(
      x,
      z,
      x.map((value, i) => sign * value + 4 * Math.sin(3 * value) + z[i]!),
    );
    const model = fitted(table, { monotonic_cst: { x: sign } });
    const grid = Float64Array.from({ length: 500 }, (_, i) => i / 50);
    for (const other of [0.1, 0.5, 0.9]) {
      const rows = createTable([
        { name: 'x', type: 'number', values: grid },
        { name: 'z', type: 'number', values: grid.map(() => other) },
      ]);
      const values = model.predict(rows).values!;
      expect(values.every((value, i) => i === 0 || sign * (value - values[i - 1]!) >= 0)).toBe(true);
    }
    const free = fitted(table, {}).predict(table).values!;
    expect(free).not.toEqual(model.predict(table).values);
  });

  it('names a feature that is not there', () => {
    expect(() => fitted(skewed(200), { monotonic_cst: { w: 1 } })).toThrowError(
      /"w", which is not a feature/,
    );
  });
});

describe('early stopping', () => {
  it('stops when the rest is noise, with the trees of the best iteration, far before the last', () => {
    const model = fitted(skewed(), { n_estimators: 500, n_iter_no_change: 5 });
    expect(nTreesOf(model.boosted.trees)).toBeGreaterThan(5);
    expect(nTreesOf(model.boosted.trees)).toBeLessThan(200);
  });

  it('holds rows back from amounts of which no two are equal, too', () => {
    const table = skewed();
    const y = valuesOf(table, 'y').map(Math.abs);
    const model = fitted(tableOf(valuesOf(table, 'x'), valuesOf(table, 'z'), y), {
      loss: 'poisson',
      n_estimators: 500,
      n_iter_no_change: 5,
    });
    expect(nTreesOf(model.boosted.trees)).toBeLessThan(300);
  });

  it('keeps whole iterations of more than two classes', () => {
    const table = skewed(1_000);
    const y = valuesOf(table, 'y').map((value) => Math.min(2, Math.floor(value / 4)));
    const classes = tableOf(valuesOf(table, 'x'), valuesOf(table, 'z'), y);
    const model = fitted(classes, { n_estimators: 200, n_iter_no_change: 3 }, 'classification');
    expect(nTreesOf(model.boosted.trees) % 3).toBe(0);
    expect(nTreesOf(model.boosted.trees)).toBeLessThan(600);
  });
});

describe('subsample', () => {
  it('learns from another part of the rows each time, the same for the same seed', () => {
    const table = skewed();
    const [a, b] = [fitted(table, { subsample: 0.3 }), fitted(table, { subsample: 0.3 })];
    expect(a.toJSON()).toEqual(b.toJSON());
    const roots = Array.from(a.boosted.trees.roots.subarray(0, -1), (root) => a.boosted.trees.cover[root]!);
    expect(new Set(roots)).toEqual(new Set([900]));
  });
});

describe('quantileOf', () => {
  it('is the linear quantile of numpy, whatever the order', () => {
    const random = new Random(8);
    for (let n = 1; n < 40; n++) {
      const values = Float64Array.from({ length: n }, () => random.nextInt(10));
      const sorted = Float64Array.from(values).sort();
      const quantile = random.nextFloat();
      const position = quantile * (n - 1);
      const [low, high] = [sorted[Math.floor(position)]!, sorted[Math.ceil(position)]!];
      expect(quantileOf(values, quantile)).toBeCloseTo(low + (position % 1) * (high - low), 12);
    }
  });
});
