import { describe, expect, it } from 'vitest';
import { fitPipeline } from '../../../../src/ml/pipeline.ts';
import { categoryColumn, createTable, type Table } from '../../../../src/ml/table.ts';

function predictionOf(table: Table, task: 'classification' | 'regression', hyperparameters = {}) {
  const spec = { task, target: 'y', algorithm: 'baseline', hyperparameters, randomState: 0 };
  const result = fitPipeline(table, spec);
  if (!result.done) throw new Error('paused without being asked');
  return result.model.predict(table);
}

const features = (nRows: number) =>
  ({ name: 'x', type: 'number', values: new Float64Array(nRows).fill(1) }) as const;
const numbers = createTable([
  features(5),
  { name: 'y', type: 'number', values: Float64Array.of(1, 2, 3, 4, 90) },
]);

describe('the baseline', () => {
  it('predicts the mean, or the median when asked', () => {
    expect(Array.from(predictionOf(numbers, 'regression').values!)).toEqual([20, 20, 20, 20, 20]);
    expect(predictionOf(numbers, 'regression', { strategy: 'median' }).values![0]).toBe(3);
  });

  it('predicts the shares of two classes and of more', () => {
    const two = createTable([features(4), categoryColumn('y', ['a', 'b', 'b', 'b'])]);
    const [no, yes] = predictionOf(two, 'classification').probabilities!;
    expect(no).toBeCloseTo(0.25, 14);
    expect(yes).toBeCloseTo(0.75, 14);
    const three = createTable([features(8), categoryColumn('y', [...'abbccccc'])]);
    const [a, b, c] = predictionOf(three, 'classification').probabilities!;
    expect(a).toBeCloseTo(0.125, 14);
    expect(b).toBeCloseTo(0.25, 14);
    expect(c).toBeCloseTo(0.625, 14);
  });
});
