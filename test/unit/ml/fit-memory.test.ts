import { describe, expect, it } from 'vitest';
import { algorithms } from '../../../src/ml/algorithms.ts';
import { estimateFitBytes } from '../../../src/ml/fit-memory.ts';
import { fitPipeline } from '../../../src/ml/pipeline.ts';
import { Random } from '../../../src/ml/random.ts';
import { createTable } from '../../../src/ml/table.ts';

const size = { hyperparameters: {}, nRows: 100_000, nColumns: 20, nClasses: 2, nThreads: 2 };

describe('the estimate of memory before a fit', () => {
  it.each(algorithms.map(({ name }) => name))('of %s grows with rows, columns and classes', (algorithm) => {
    const bytes = estimateFitBytes({ ...size, algorithm });
    // The table alone: float64, once more for the training part, and float32.
    expect(bytes).toBeGreaterThan(100_000 * 20 * 20);
    expect(estimateFitBytes({ ...size, algorithm, nRows: 200_000 })).toBeGreaterThan(bytes * 1.5);
    expect(estimateFitBytes({ ...size, algorithm, nColumns: 40 })).toBeGreaterThan(bytes * 1.2);
    expect(estimateFitBytes({ ...size, algorithm, nClasses: 50 })).toBeGreaterThanOrEqual(bytes);
  });

  it('is held: what boosting allocates beside the table is what was planned', () => {
    // 500,000 rows of 28 columns: (8 + 8 + 4) * 28 bytes of table a row, and less than 130 bytes of the fit's own.
    const bytes = estimateFitBytes({ ...size, algorithm: 'gradient_boosting', nRows: 500_000, nColumns: 28 });
    expect(bytes).toBeGreaterThan(500_000 * 28 * 20);
    expect(bytes).toBeLessThan(500_000 * (28 * 20 + 130));
  });
});

describe('a forest that would be too large', () => {
  it('is refused after its first trees, with the figures and the remedy', () => {
    const random = new Random(1);
    const nRows = 4_000;
    const noise = () => new Float64Array(nRows).map(() => random.nextFloat());
    const table = createTable([
      { name: 'x', type: 'number', values: noise() },
      { name: 'z', type: 'number', values: noise() },
      { name: 'y', type: 'number', values: noise() },
    ]);
    const spec = {
      task: 'regression',
      target: 'y',
      algorithm: 'random_forest',
      hyperparameters: { n_estimators: 5_000, min_samples_leaf: 1 },
      randomState: 0,
    } as const;
    expect(() => fitPipeline(table, spec)).toThrowError(
      expect.objectContaining({
        code: 'MODEL_TOO_LARGE',
        message: expect.stringMatching(/must be <= 360 MiB; raise min_samples_leaf/),
      }),
    );
    const messageWith = (nThreads: number) => {
      try {
        // No other thread takes part, but rounds are as long as if it did.
        fitPipeline(table, spec, { parallel: { nThreads, start: () => undefined } });
      } catch (error) {
        return String(error);
      }
    };
    expect(messageWith(2)).toBe(messageWith(1));
  });
});
