import { describe, expect, it } from 'vitest';
import { Kernel } from '../../../../src/ml/kernel/kernel.ts';
import { Random } from '../../../../src/ml/random.ts';
import { boostedScores, fitGradientBoosting } from '../../../../src/ml/tree/gradient-boosting.ts';
import { binaryLogLoss } from '../../../../src/ml/tree/loss.ts';
import { numericColumn } from '../support/tree-columns.ts';

describe('very many rows', () => {
  it('leave bits for derivatives beside those of the count', () => {
    // One more bit for the count than 2^20 - 1 rows take.
    const nRows = 2 ** 20 + 1;
    const random = new Random(1);
    const x = new Float32Array(nRows).map(() => random.nextFloat());
    const classes = Int32Array.from(x, (value) => (random.nextFloat() < (value > 0.5 ? 0.8 : 0.2) ? 1 : 0));
    const result = fitGradientBoosting([numericColumn(x)], nRows, binaryLogLoss(classes), {
      nEstimators: 10,
      learningRate: 0.3,
      maxLeafNodes: 4,
      maxDepth: undefined,
      minSamplesLeaf: 20,
      l2Regularization: 0,
      maxBins: 255,
      subsample: 1,
      nIterNoChange: undefined,
      validationFraction: 0.1,
      tol: 1e-7,
      randomState: 0,
    });
    if (!result.done) throw new Error('paused');
    const [low, high] = boostedScores(result.model, [Float32Array.of(0.25, 0.75)], 2)[0]!;
    expect(1 / (1 + Math.exp(-low!))).toBeCloseTo(0.2, 1);
    expect(1 / (1 + Math.exp(-high!))).toBeCloseTo(0.8, 1);
  });

  it('reach memory beyond 2 GiB', () => {
    const kernel = new Kernel(2 ** 31 + 2 ** 16);
    kernel.setInt(2 ** 31 + 64, 7);
    kernel.setFloat(2 ** 31 + 128, 0.5);
    expect(kernel.getInt(2 ** 31 + 64)).toBe(7);
    expect(kernel.int32(2 ** 31 + 64, 1)[0]).toBe(7);
    expect(kernel.getFloat(2 ** 31 + 128)).toBe(0.5);
  });
});
