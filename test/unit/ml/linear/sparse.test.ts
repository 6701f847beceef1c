import { describe, expect, it } from 'vitest';
import { bestShift } from '../../../../src/ml/linear/class-shift.ts';
import type { DesignMatrix } from '../../../../src/ml/linear/design-matrix.ts';
import { fitElasticNet } from '../../../../src/ml/linear/elastic-net.ts';
import { fitLeastSquares } from '../../../../src/ml/linear/least-squares.ts';
import { minimumNormSolver } from '../../../../src/ml/linear/minimum-norm.ts';
import { fitSparseLogistic } from '../../../../src/ml/linear/sparse-logistic.ts';
import type { FitHooks, FitResult } from '../../../../src/ml/pipeline.ts';
import { Random } from '../../../../src/ml/random.ts';

const N = 300;

/** Two useful columns, one that repeats the first, one constant, one of noise, and a one-hot block. */
function sample(seed: number) {
  const random = new Random(seed);
  const column = () => Float64Array.from({ length: N }, () => random.nextFloat() * 4 - 2);
  const [first, second, noise] = [column(), column(), column()];
  const codes = Int32Array.from({ length: N }, () => random.nextInt(4) - 1);
  const design: DesignMatrix = {
    nRows: N,
    nColumns: 8,
    dense: [first!, second!, first!, new Float64Array(N).fill(2), noise!],
    blocks: [{ codes, width: 3 }],
  };
  const score = first!.map(
    (value, i) => 2 * value - second![i]! + Math.max(0, codes[i]!) + random.nextFloat(),
  );
  return { design, score };
}

function resumed<Model>(run: (hooks: FitHooks, checkpoint?: unknown) => FitResult<Model>): [Model, number] {
  let result = run({ shouldPause: () => true });
  let slices = 1;
  for (; !result.done; slices++) {
    result = run({ shouldPause: () => true }, JSON.parse(JSON.stringify(result.checkpoint)));
  }
  return [result.model, slices];
}

function finished<Model>(result: FitResult<Model>): Model {
  if (!result.done) throw new Error('paused without being asked');
  return result.model;
}

describe('the minimum-norm solver', () => {
  it('solves a system of full rank', () => {
    const x = minimumNormSolver(Float64Array.of(4, 2, 2, 3), 2)(Float64Array.of(8, 8));
    expect(x[0]).toBeCloseTo(1, 12);
    expect(x[1]).toBeCloseTo(2, 12);
  });

  it('shares weight between rows that depend on each other by their length, and gives empty ones none', () => {
    // The gram matrix of the columns a, 2a and 0.
    const a = Float64Array.of(1, 2, 0, 2, 4, 0, 0, 0, 0);
    const x = minimumNormSolver(a, 3)(Float64Array.of(5, 10, 0));
    expect(Array.from(x, (value) => Math.round(value * 1e9) / 1e9)).toEqual([1, 2, 0]);
  });
});

describe('least squares', () => {
  it('shares the weight of repeated columns, and gives constant ones none', () => {
    const { design, score } = sample(1);
    const { weights } = fitLeastSquares(design, score);
    expect(weights[0]! + weights[2]!).toBeCloseTo(2, 1);
    expect(weights[0]).toBeCloseTo(weights[2]!, 9);
    expect(weights[3]).toBe(0);
  });

  it('does not blow up where columns differ by rounding only', () => {
    const { design, score } = sample(2);
    const nearly = design.dense[0]!.map((value, i) => value * (1 + 1e-9 * (i % 2)));
    const { weights } = fitLeastSquares({ ...design, dense: [...design.dense.slice(0, 4), nearly] }, score);
    expect(Math.max(...weights.map(Math.abs))).toBeLessThan(3);
  });

  it('keeps the digits of a badly conditioned design', () => {
    const t = Float64Array.from({ length: N }, (_, i) => i / N);
    const dense = [1, 2, 3, 4, 5].map((power) => t.map((value) => value ** power));
    const truth = [1, -2, 3, -4, 5];
    const y = t.map((_, i) => truth.reduce((sum, weight, j) => sum + weight * dense[j]![i]!, 7));
    const { weights, intercept } = fitLeastSquares({ nRows: N, nColumns: 5, dense, blocks: [] }, y);
    // The gram matrix has condition 1e9: without corrections about seven digits would be left.
    truth.forEach((weight, j) => {
      expect(weights[j]).toBeCloseTo(weight, 8);
    });
    expect(intercept).toBeCloseTo(7, 9);
  });
});

describe('the elastic net', () => {
  const options = { alpha: 0.1, l1Ratio: 1, maxIter: 10_000, tol: 1e-10 };

  it('meets the condition of the minimum: a gradient of alpha where a weight is not zero, and no more where it is', () => {
    const { design, score } = sample(3);
    const { weights, intercept } = finished(fitElasticNet(design, score, options));
    const residuals = score.map((value, i) => {
      let predicted = intercept;
      design.dense.forEach((column, j) => {
        predicted += weights[j]! * column[i]!;
      });
      const code = design.blocks[0]!.codes[i]!;
      return value - predicted - (code < 0 ? 0 : weights[5 + code]!);
    });
    design.dense.forEach((column, j) => {
      const gradient = column.reduce((sum, value, i) => sum + value * residuals[i]!, 0) / N;
      if (weights[j] === 0) expect(Math.abs(gradient)).toBeLessThan(0.1 + 1e-9);
      else expect(gradient).toBeCloseTo(0.1 * Math.sign(weights[j]!), 8);
    });
    expect(weights.filter((weight) => weight === 0).length).toBeGreaterThan(1);
  });

  it('leaves no weight at the largest alpha that it measures the default by', () => {
    const { design, score } = sample(3);
    const some = finished(fitElasticNet(design, score, { ...options, alpha: undefined }));
    expect(some.weights.some((weight) => weight !== 0)).toBe(true);
    const none = finished(fitElasticNet(design, score, { ...options, alpha: 1e3 }));
    expect(Array.from(none.weights)).toEqual(new Array(8).fill(0));
    expect(none.intercept).toBeCloseTo(score.reduce((sum, value) => sum + value, 0) / N, 12);
  });

  it('ends with the same weights when it was paused after every iteration', () => {
    const { design, score } = sample(4);
    const [model, slices] = resumed((hooks, checkpoint) =>
      fitElasticNet(design, score, options, hooks, checkpoint),
    );
    expect(slices).toBeGreaterThan(5);
    expect(model).toEqual(finished(fitElasticNet(design, score, options)));
  });
});

describe('the shift of the classes of a column', () => {
  it.each([
    [[3, 1, 2], 1, 0, 2],
    [[3, 1, 2, -5], 1, 0, 1],
    [[3, -1, 2, -5], 1, 0, 0],
    [[3, 1, 2, 6], 0, 1, 3],
    [[0, 0, 5], 1, 1, 4 / 3],
    [[0, 0, 5], 6, 1, 0],
  ])('of %j with l1=%d and l2=%d is %d', (weights, l1, l2, expected) => {
    expect(bestShift(weights, l1, l2)).toBeCloseTo(expected, 12);
  });
});

describe('sparse logistic regression', () => {
  it.each([2, 4])(
    'ends with the same weights when it was paused after every iteration, with %d classes',
    (nClasses) => {
      const { design, score } = sample(5);
      const classes = Int32Array.from(score, (value) =>
        Math.max(0, Math.min(nClasses - 1, Math.floor(value + nClasses / 2))),
      );
      const options = { C: 0.2, l1Ratio: 0.9, maxIter: 100, tol: 1e-8 };
      const run = (hooks: FitHooks, checkpoint?: unknown) =>
        fitSparseLogistic(design, classes, nClasses, options, undefined, hooks, checkpoint);
      const [model, slices] = resumed(run);
      expect(slices).toBeGreaterThan(4);
      expect(slices).toBeLessThan(100 * nClasses);
      expect(model).toEqual(finished(run({})));
      expect(model.weights.some((weight) => weight === 0)).toBe(true);
    },
  );
});
