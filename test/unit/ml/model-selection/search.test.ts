import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { algorithms, resolveHyperparameters } from '../../../../src/ml/algorithms.ts';
import type { Candidate, CandidateResult } from '../../../../src/ml/model-selection/candidate.ts';
import { planSearch } from '../../../../src/ml/model-selection/plan-search.ts';
import { drawFrom, gridOf, type SearchSpace } from '../../../../src/ml/model-selection/search-space.ts';
import { defaultSearchSpace } from '../../../../src/ml/model-selection/search-spaces.ts';
import { halvingRungs, onRung, promoted } from '../../../../src/ml/model-selection/successive-halving.ts';
import { Random } from '../../../../src/ml/random.ts';

const plan = {
  algorithm: 'gradient_boosting',
  method: 'random',
  nCandidates: 12,
  hyperparameters: {},
  randomState: 5,
} as const;

describe('a distribution', () => {
  it('gives values in its range, whole ones for int', () => {
    const range = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 50 }));
    fc.assert(
      fc.property(range, fc.integer(), fc.boolean(), ([low, width], seed, log) => {
        const random = new Random(seed);
        const high = low + width;
        for (const distribution of [
          { type: 'uniform', low, high },
          { type: 'log_uniform', low, high },
          { type: 'int', low, high, log },
        ] as const) {
          const value = drawFrom(distribution, random) as number;
          expect(value).toBeGreaterThanOrEqual(low);
          expect(value).toBeLessThanOrEqual(high);
          if (distribution.type === 'int') expect(Number.isInteger(value)).toBe(true);
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('draws every decade as often when it is log-uniform, and every whole number as often when it is int', () => {
    const random = new Random(3);
    const draws = Array.from({ length: 3_000 }, () =>
      drawFrom({ type: 'log_uniform', low: 1e-3, high: 1 }, random),
    ) as number[];
    for (const [low, high] of [
      [1e-3, 1e-2],
      [1e-2, 1e-1],
      [1e-1, 1],
    ] as const) {
      // 1000 expected; five standard deviations are 130.
      expect(Math.abs(draws.filter((value) => value >= low && value < high).length - 1_000)).toBeLessThan(
        130,
      );
    }
    const dice = Array.from({ length: 6_000 }, () => drawFrom({ type: 'int', low: 1, high: 6 }, random));
    for (let face = 1; face <= 6; face++) {
      expect(Math.abs(dice.filter((value) => value === face).length - 1_000)).toBeLessThan(150);
    }
  });

  it('has a grid of its ends and its middle, or of all its choices', () => {
    expect(gridOf({ type: 'uniform', low: 0, high: 1 })).toEqual([0, 0.5, 1]);
    expect(gridOf({ type: 'log_uniform', low: 1, high: 100 })).toEqual([1, 10, 100]);
    expect(gridOf({ type: 'int', low: 1, high: 2 })).toEqual([1, 2]);
    expect(gridOf({ type: 'choice', values: [null, 'x'] })).toEqual([null, 'x']);
  });
});

describe('default search spaces', () => {
  it.each(algorithms.map(({ name }) => name))('hold values that the algorithm takes: %s', (name) => {
    let space: SearchSpace;
    try {
      space = defaultSearchSpace(name);
    } catch (error) {
      expect(error).toMatchObject({ code: 'SEARCH_SPACE_NEEDED' });
      return;
    }
    const random = new Random(1);
    for (let draw = 0; draw < 50; draw++) {
      const values = Object.entries(space).map(([key, one]) => [key, drawFrom(one, random)]);
      expect(() => resolveHyperparameters(name, Object.fromEntries(values))).not.toThrow();
    }
  });
});

describe('planning a search', () => {
  it('gives the same distinct candidates for the same seed, the defaults first', () => {
    const candidates = planSearch(plan);
    expect(candidates).toEqual(planSearch(plan));
    expect(candidates).not.toEqual(planSearch({ ...plan, randomState: 6 }));
    expect(candidates).toHaveLength(12);
    expect(candidates[0]!.hyperparameters).toEqual({});
    expect(new Set(candidates.map(({ hyperparameters }) => JSON.stringify(hyperparameters))).size).toBe(12);
    expect(JSON.parse(JSON.stringify(candidates))).toEqual(candidates);
  });

  it('holds fixed what is given, by whichever name', () => {
    for (const { hyperparameters } of planSearch({ ...plan, hyperparameters: { max_iter: 7 } })) {
      expect(hyperparameters).toMatchObject({ max_iter: 7 });
      expect(hyperparameters).not.toHaveProperty('n_estimators');
    }
  });

  it('makes a grid of every combination, and refuses one that is larger than asked', () => {
    const space: SearchSpace = {
      learning_rate: { type: 'choice', values: [0.1, 0.2] },
      max_depth: { type: 'choice', values: [null, 3, 5] },
    };
    const grid = planSearch({ ...plan, method: 'grid', nCandidates: 6, space });
    expect(new Set(grid.map(({ hyperparameters }) => JSON.stringify(hyperparameters))).size).toBe(6);
    expect(() => planSearch({ ...plan, method: 'grid', nCandidates: 5, space })).toThrowError(
      expect.objectContaining({ code: 'GRID_TOO_LARGE', message: expect.stringContaining('6 points') }),
    );
  });

  it('ends a random search of a small space at its size', () => {
    const space: SearchSpace = { strategy: { type: 'choice', values: ['mean', 'median'] } };
    expect(planSearch({ ...plan, algorithm: 'baseline', space })).toHaveLength(3);
  });

  it.each([
    [{ learning_rat: { type: 'uniform', low: 0.1, high: 0.2 } }, 'UNKNOWN_HYPERPARAMETER'],
    [{ learning_rate: { type: 'uniform', low: 0.1, high: 2 } }, 'INVALID_HYPERPARAMETER'],
    [{ learning_rate: { type: 'uniform', low: 0.3, high: 0.1 } }, 'INVALID_SEARCH_SPACE'],
    [{ learning_rate: { type: 'log_uniform', low: 0, high: 0.1 } }, 'INVALID_SEARCH_SPACE'],
    [{ n_estimators: { type: 'uniform', low: 5, high: 10 } }, 'INVALID_SEARCH_SPACE'],
    [{ n_estimators: { type: 'int', low: 5.5, high: 10 } }, 'INVALID_SEARCH_SPACE'],
    [{ max_depth: { type: 'choice', values: [] } }, 'INVALID_SEARCH_SPACE'],
  ])('refuses the space %j with %s', (space, code) => {
    expect(() => planSearch({ ...plan, space: space as SearchSpace })).toThrowError(
      expect.objectContaining({ code }),
    );
  });
});

describe('successive halving', () => {
  const candidate = (id: string): Candidate => ({
    id,
    role: 'candidate',
    algorithm: 'ridge',
    hyperparameters: {},
    complexity: 1,
  });
  const result = (id: string, score: number): CandidateResult => ({
    status: 'measured',
    candidate: candidate(id),
    scores: [score],
    cv_mean: {},
    cv_std: {},
    n_folds: 1,
  });

  it('gives each rung a third of the candidates and three times the resource, the last one all of it', () => {
    expect(halvingRungs({ nCandidates: 27 })).toEqual([
      { n_candidates: 27, share: 1 / 27 },
      { n_candidates: 9, share: 1 / 9 },
      { n_candidates: 3, share: 1 / 3 },
      { n_candidates: 1, share: 1 },
    ]);
    expect(halvingRungs({ nCandidates: 1 })).toEqual([{ n_candidates: 1, share: 1 }]);
    expect(halvingRungs({ nCandidates: 27, minShare: 0.2 }).map(({ share }) => share)).toEqual([1 / 3, 1]);
  });

  it('promotes the best, in the metric’s direction, failed ones never', () => {
    const results: CandidateResult[] = [
      result('a', 3),
      result('b', 1),
      { status: 'failed', candidate: candidate('f'), error: { code: 'X', message: 'x' } },
      result('c', 2),
      result('d', 1),
    ];
    const next = { n_candidates: 2, share: 1 };
    expect(promoted(results, 'rmse', next).map(({ id }) => id)).toEqual(['b', 'd']);
    expect(promoted(results, 'r2', next).map(({ id }) => id)).toEqual(['a', 'c']);
  });

  it('takes the share away again on the last rung', () => {
    const [first] = onRung([candidate('a')], { n_candidates: 1, share: 0.1 });
    expect(first!.resource).toEqual({ kind: 'rows', share: 0.1 });
    expect(onRung([first!], { n_candidates: 1, share: 1 })[0]).not.toHaveProperty('resource');
  });
});
