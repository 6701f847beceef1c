import { describe, expect, it } from 'vitest';
import { Random } from '../../../../src/ml/random.ts';
import {
  type BoostingOptions,
  boostedScores,
  fitGradientBoosting,
} from '../../../../src/ml/tree/gradient-boosting.ts';
import { squaredLoss } from '../../../../src/ml/tree/loss.ts';
import type { TreeEnsemble } from '../../../../src/ml/tree/tree.ts';
import { numericColumn } from '../support/tree-columns.ts';

const defaults: BoostingOptions = {
  nEstimators: 1,
  learningRate: 1,
  maxLeafNodes: 31,
  maxDepth: undefined,
  minSamplesLeaf: 1,
  l2Regularization: 0,
  maxBins: 255,
  randomState: 0,
  subsample: 1,
  nIterNoChange: undefined,
  validationFraction: 0.1,
  tol: 0,
};

function boosted(columns: readonly Float32Array[], y: Float64Array, options: Partial<BoostingOptions> = {}) {
  const sources = columns.map((values) => numericColumn(values));
  const result = fitGradientBoosting(sources, y.length, squaredLoss(y), { ...defaults, ...options });
  if (!result.done) throw new Error('paused without being asked');
  return result.model;
}

function depthsOfLeaves({ feature, left, right, roots }: TreeEnsemble, tree: number): number[] {
  const walk = (node: number, depth: number): number[] =>
    feature[node]! < 0 ? [depth] : [...walk(left[node]!, depth + 1), ...walk(right[node]!, depth + 1)];
  return walk(roots[tree]!, 0);
}

function noise(nRows: number, seed: number): Float64Array {
  const random = new Random(seed);
  return Float64Array.from({ length: nRows }, () => random.nextFloat());
}

describe('a tree', () => {
  it('takes the split that lowers the squared error most, found by trying all', () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(seed);
      const columns = [0, 1, 2].map(() => Float32Array.from({ length: 40 }, () => random.nextInt(12)));
      const y = noise(40, seed + 100);
      const { trees } = boosted(columns, y, { maxLeafNodes: 2, minSamplesLeaf: 5 });
      const errorOf = (column: number, threshold: number) => {
        const sides = [0, 1].map((side) =>
          y.filter((_, i) => (columns[column]![i]! <= threshold ? 0 : 1) === side),
        );
        if (sides.some((side) => side.length < 5)) return Number.POSITIVE_INFINITY;
        return sides.reduce((sum, side) => {
          const mean = side.reduce((total, value) => total + value, 0) / side.length;
          return sum + side.reduce((total, value) => total + (value - mean) ** 2, 0);
        }, 0);
      };
      let least = Number.POSITIVE_INFINITY;
      for (let column = 0; column < 3; column++) {
        for (let threshold = 0.5; threshold < 11; threshold++)
          least = Math.min(least, errorOf(column, threshold));
      }
      expect(errorOf(trees.feature[0]!, trees.threshold[0]!)).toBeCloseTo(least, 9);
    }
  });

  it('sends missing values to the side where they belong, on their own if need be', () => {
    const x = Float32Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? Number.NaN : i));
    const y = Float64Array.from(x, (value) => (Number.isNaN(value) ? 10 : 0));
    const scores = boostedScores(boosted([x], y), [x], 60)[0]!;
    scores.forEach((score, i) => {
      expect(score).toBeCloseTo(y[i]!, 5);
    });
    const low = Float64Array.from(x, (value) => (Number.isNaN(value) || value < 30 ? 10 : 0));
    const { trees } = boosted([x], low, { maxLeafNodes: 2 });
    expect(trees.missingLeft[0]).toBe(1);
  });

  it('sends missing values that training did not see to the larger side', () => {
    const x = Float32Array.from({ length: 60 }, (_, i) => i);
    const right = boosted(
      [x],
      Float64Array.from(x, (value) => (value < 10 ? 1 : 0)),
      { maxLeafNodes: 2 },
    );
    const left = boosted(
      [x],
      Float64Array.from(x, (value) => (value < 50 ? 1 : 0)),
      { maxLeafNodes: 2 },
    );
    expect([right.trees.missingLeft[0], left.trees.missingLeft[0]]).toEqual([0, 1]);
  });

  it('obeys max_leaf_nodes, max_depth and min_samples_leaf', () => {
    const columns = [1, 2].map((seed) => Float32Array.from(noise(500, seed)));
    const y = noise(500, 3);
    expect(depthsOfLeaves(boosted(columns, y, { maxLeafNodes: 7 }).trees, 0)).toHaveLength(7);
    expect(Math.max(...depthsOfLeaves(boosted(columns, y, { maxDepth: 3 }).trees, 0))).toBe(3);
    const model = boosted(columns, y, { minSamplesLeaf: 40 });
    const counts = new Map<number, number>();
    for (const score of boostedScores(model, columns, 500)[0]!)
      counts.set(score, (counts.get(score) ?? 0) + 1);
    expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(40);
    expect(counts.size).toBeGreaterThan(4);
  });

  it('grows the leaf with the largest gain first, to any depth', () => {
    const x = Float32Array.from({ length: 12 }, (_, i) => i);
    // Each value outweighs all smaller ones together, so each split cuts off the largest.
    const y = Float64Array.from(x, (value) => 10 ** value);
    const depths = depthsOfLeaves(boosted([x], y, { maxLeafNodes: 6 }).trees, 0);
    expect(Math.max(...depths)).toBe(5);
  });

  it.each([1e-12, 1e12])('is the same tree for a target of another unit (times %d)', (unit) => {
    const columns = [1, 2].map((seed) => Float32Array.from(noise(300, seed)));
    const y = Float64Array.from(columns[0]!, (value, i) => Math.sin(6 * value) + columns[1]![i]!);
    const scaled = boosted(
      columns,
      y.map((value) => value * unit),
    );
    expect(scaled.trees.feature).toEqual(boosted(columns, y).trees.feature);
  });

  it('shrinks leaves by learning_rate and l2_regularization', () => {
    const x = Float32Array.of(0, 0, 1, 1);
    const y = Float64Array.of(-1, -1, 1, 1);
    const lastScore = (options: Partial<BoostingOptions>) =>
      boostedScores(boosted([x], y, options), [x], 4)[0]![3]!;
    expect(lastScore({})).toBe(1);
    expect(lastScore({ learningRate: 0.5 })).toBe(0.5);
    expect(lastScore({ l2Regularization: 2 })).toBe(0.5);
  });
});
