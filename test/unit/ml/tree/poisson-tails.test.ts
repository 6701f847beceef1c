import { describe, expect, it } from 'vitest';
import { fitPipeline } from '../../../../src/ml/pipeline.ts';
import { createTable } from '../../../../src/ml/table.ts';

describe('poisson of amounts that are mostly nothing', () => {
  // 40 of 20,000 rows hold everything: a Newton step from the common mean to theirs is 499, of a logarithm.
  const nRows = 20_000;
  const x = Float64Array.from({ length: nRows }, (_, i) => (i % 500 === 0 ? 1 : -(i % 97)));
  const y = x.map((value) => (value > 0 ? 1e6 : 0));
  const train = createTable([
    { name: 'x', type: 'number', values: x },
    { name: 'y', type: 'number', values: y },
  ]);

  it.each([0.1, 1])('does not overshoot without end at learning rate %d', (rate) => {
    const result = fitPipeline(train, {
      task: 'regression',
      target: 'y',
      algorithm: 'gradient_boosting',
      hyperparameters: { loss: 'poisson', learning_rate: rate, n_estimators: 150 },
      randomState: 0,
    });
    if (!result.done) throw new Error('paused');
    const predicted = result.model.predict(train).values!;
    expect(predicted.every(Number.isFinite)).toBe(true);
    expect(predicted[0]! / 1e6).toBeCloseTo(1, 1);
  });
});
