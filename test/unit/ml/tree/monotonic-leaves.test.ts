import { describe, expect, it } from 'vitest';
import { fitPipeline } from '../../../../src/ml/pipeline.ts';
import { Random } from '../../../../src/ml/random.ts';
import { createTable } from '../../../../src/ml/table.ts';

describe('a monotonic feature with leaves that take quantiles', () => {
  const nRows = 2_000;
  const random = new Random(5);
  const x = new Float64Array(nRows).map(() => random.nextFloat() * 10);
  const z = new Float64Array(nRows).map(() => random.nextFloat());
  const y = x.map((value, row) => Math.sin(value) + z[row]! + random.nextFloat() * 2);
  const train = createTable([
    { name: 'x', type: 'number', values: x },
    { name: 'z', type: 'number', values: z },
    { name: 'y', type: 'number', values: y },
  ]);

  it.each([
    ['absolute_error', 1],
    ['absolute_error', -1],
    ['quantile', 1],
  ] as const)('%s never goes against its sign %i', (loss, sign) => {
    const hyperparameters = {
      loss,
      quantile: 0.8,
      n_estimators: 30,
      subsample: 0.7,
      monotonic_cst: { x: sign },
    };
    const result = fitPipeline(train, {
      task: 'regression',
      target: 'y',
      algorithm: 'gradient_boosting',
      hyperparameters,
      randomState: 0,
    });
    if (!result.done) throw new Error('paused');
    const nSteps = 200;
    const values = new Float64Array(nSteps).map((_, i) => (i / nSteps) * 10);
    for (const other of [0.1, 0.5, 0.9]) {
      const predicted = result.model.predict(
        createTable([
          { name: 'x', type: 'number', values },
          { name: 'z', type: 'number', values: new Float64Array(nSteps).fill(other) },
        ]),
      ).values!;
      for (let i = 1; i < nSteps; i++)
        expect(sign * (predicted[i]! - predicted[i - 1]!)).toBeGreaterThanOrEqual(0);
      expect(predicted.some((value) => value !== predicted[0])).toBe(true);
    }
  });
});
