import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { autoCandidates, autoRace, autoSplitter } from '../../../../src/ml/model-selection/auto.ts';
import {
  type Candidate,
  type CandidateResult,
  evaluateCandidate,
  type Race,
} from '../../../../src/ml/model-selection/candidate.ts';
import { chooseWinner } from '../../../../src/ml/model-selection/choose-winner.ts';
import { meanOf } from '../../../../src/ml/model-selection/cross-validate.ts';
import { runRace, searchHyperparameters } from '../../../../src/ml/model-selection/run-race.ts';
import { randomTable } from '../support/random-table.ts';

const candidate = (id: string, complexity: number, role: Candidate['role'] = 'candidate'): Candidate => ({
  id,
  role,
  algorithm: 'ridge',
  hyperparameters: {},
  complexity,
});
const measured = (one: Candidate, scores: number[]): CandidateResult => ({
  status: 'measured',
  candidate: one,
  scores,
  cv_mean: {},
  cv_std: {},
  n_folds: scores.length,
});

describe('choosing the winner', () => {
  it('takes the better mean when the difference is larger than its standard error', () => {
    const results = [
      measured(candidate('simple', 1), [1, 1.1, 1.2, 1.1]),
      measured(candidate('complex', 9), [0.5, 0.6, 0.7, 0.6]),
    ];
    expect(chooseWinner(results, 'rmse').winner.id).toBe('complex');
    expect(chooseWinner(results, 'r2').winner.id).toBe('simple');
  });

  it('takes the simpler one when the difference is within its standard error', () => {
    const results = [
      measured(candidate('complex', 9), [1, 2, 3, 4]),
      measured(candidate('simple', 1), [1.2, 1.9, 3.1, 3.9]),
      measured(candidate('between', 5), [1.1, 2, 3, 4]),
    ];
    const { winner, leaderboard } = chooseWinner(results, 'rmse');
    expect(winner.id).toBe('simple');
    expect(leaderboard.map(({ id, status, rank }) => [rank, id, status])).toEqual([
      [1, 'complex', 'tied'],
      [2, 'simple', 'winner'],
      [3, 'between', 'tied'],
    ]);
  });

  it('compares fold by fold: folds of unlike difficulty do not make a tie', () => {
    const results = [
      measured(candidate('complex', 9), [1, 10, 100, 1000]),
      measured(candidate('simple', 1), [1.1, 10.1, 100.1, 1000.1]),
    ];
    expect(chooseWinner(results, 'rmse').winner.id).toBe('complex');
  });

  it('never takes one that is behind the naive or the linear baseline, whatever the scores', () => {
    const scores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });
    const races = fc.array(fc.tuple(scores, fc.integer({ min: 2, max: 9 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(scores, scores, races, (naive, linear, others) => {
        const results = [
          measured(candidate('naive', 0, 'naive'), naive),
          measured(candidate('linear', 1, 'linear'), linear),
          ...others.map(([values, complexity], i) => measured(candidate(`c${i}`, complexity), values)),
        ];
        const { winner, leaderboard, over_naive, over_linear } = chooseWinner(results, 'rmse');
        expect(over_naive).toBeGreaterThanOrEqual(0);
        expect(over_linear).toBeGreaterThanOrEqual(0);
        const mean = leaderboard.find(({ id }) => id === winner.id)!.mean!;
        expect(over_linear).toBeCloseTo(meanOf(linear) - mean, 12);
        expect(leaderboard.filter(({ status }) => status === 'winner')).toHaveLength(1);
      }),
      { numRuns: 300, seed: 5 },
    );
  });

  it('ties only equals with one fold', () => {
    const results = [measured(candidate('complex', 9), [0.5]), measured(candidate('simple', 1), [0.51])];
    expect(chooseWinner(results, 'rmse').winner.id).toBe('complex');
    expect(chooseWinner(results, 'rmse').leaderboard[0]).not.toHaveProperty('standard_error');
  });

  it('lists failed candidates last with their error, and fails when all have', () => {
    const failed: CandidateResult = {
      status: 'failed',
      candidate: candidate('f', 1),
      error: { code: 'SOME_CODE', message: 'because' },
    };
    const { leaderboard } = chooseWinner([failed, measured(candidate('a', 2), [1, 2])], 'rmse');
    expect(leaderboard.at(-1)).toMatchObject({ id: 'f', status: 'failed', error: failed.error });
    expect(() => chooseWinner([failed], 'rmse')).toThrowError(
      expect.objectContaining({
        code: 'NO_CANDIDATE_MEASURED',
        message: expect.stringContaining('SOME_CODE: because'),
      }),
    );
    expect(() => chooseWinner([], 'rmse')).toThrowError(/no candidate/);
  });
});

describe('evaluating a candidate', () => {
  const table = randomTable({ target: 'binary' });
  const race: Race = {
    task: 'classification',
    target: 'y',
    metric: 'log_loss',
    splitter: { kind: 'stratified', nSplits: 3, randomState: 1 },
    randomState: 1,
  };

  it('is a failed result when the candidate cannot be fitted', () => {
    const broken = { ...candidate('x', 1), hyperparameters: { alpha: -1 } };
    const outcome = evaluateCandidate(table, race, broken);
    expect(outcome).toMatchObject({
      done: true,
      result: { status: 'failed', error: { code: 'ALGORITHM_TASK_MISMATCH' } },
    });
  });

  it('is a failed result when the metric does not exist', () => {
    const logistic = { ...candidate('x', 1), algorithm: 'logistic_regression' };
    expect(evaluateCandidate(table, { ...race, metric: 'top_k_accuracy' }, logistic)).toMatchObject({
      result: { status: 'failed', error: { code: 'METRIC_NOT_MEASURED' } },
    });
  });

  it('uses the share of the resource that a rung gives', () => {
    const boosting = {
      ...candidate('x', 1),
      algorithm: 'gradient_boosting',
      hyperparameters: { n_estimators: 20 },
    };
    const scoresOf = (one: Candidate) => {
      const outcome = evaluateCandidate(table, race, one);
      if (!outcome.done || outcome.result.status !== 'measured') throw new Error('not measured');
      return outcome.result.scores;
    };
    const half = scoresOf({ ...boosting, resource: { kind: 'n_estimators', share: 0.5 } });
    expect(half).toEqual(scoresOf({ ...boosting, hyperparameters: { n_estimators: 10 } }));
    expect(scoresOf({ ...boosting, resource: { kind: 'rows', share: 0.5 } })).not.toEqual(scoresOf(boosting));
  });
});

describe('auto', () => {
  it.each(['classification', 'regression'] as const)('races a naive and a linear baseline for %s', (task) => {
    const candidates = autoCandidates(task);
    expect(candidates.filter(({ role }) => role === 'naive')).toHaveLength(1);
    expect(candidates.filter(({ role }) => role === 'linear')).toHaveLength(1);
    expect(candidates.length).toBeGreaterThanOrEqual(5);
    expect(new Set(candidates.map(({ id }) => id)).size).toBe(candidates.length);
    const complexities = candidates.map(({ complexity }) => complexity);
    expect(complexities).toEqual([...complexities].sort((a, b) => a - b));
  });

  it('leaves the setting with the most trees out where every class needs its own', () => {
    const ids = (nClasses: number) => autoCandidates('classification', nClasses).map(({ id }) => id);
    expect(ids(20)).toContain('gradient_boosting-3');
    expect(ids(21)).not.toContain('gradient_boosting-3');
    expect(ids(21)).toContain('gradient_boosting-2');
  });

  it('uses five folds, and one holdout for more than 50,000 rows', () => {
    expect(autoSplitter(50_000, 'classification', 1)).toMatchObject({ kind: 'stratified', nSplits: 5 });
    expect(autoSplitter(50_000, 'regression', 1)).toMatchObject({ kind: 'kfold', nSplits: 5 });
    expect(autoSplitter(50_001, 'classification', 1)).toMatchObject({
      kind: 'shuffle',
      nSplits: 1,
      isStratified: true,
    });
  });

  it('ends with the same leaderboard when it was paused, and with times by the clock given', () => {
    const table = randomTable({ target: 'numeric', nRows: 120 });
    const race = autoRace(table, { task: 'regression', target: 'y', randomState: 1 });
    const candidates = autoCandidates('regression').slice(0, 3);
    const whole = runRace(table, race, candidates);
    let asked = 0;
    const hooks = { shouldPause: () => asked++ % 40 === 39 };
    let sliced = runRace(table, race, candidates, hooks);
    let slices = 1;
    for (; !sliced.done; slices++) {
      sliced = runRace(table, race, candidates, hooks, JSON.parse(JSON.stringify(sliced.checkpoint)));
    }
    expect(slices).toBeGreaterThan(3);
    expect(sliced).toEqual(whole);
    let nowMs = 0;
    const timed = runRace(table, race, candidates, { nowMs: () => (nowMs += 1_000) });
    if (!timed.done) throw new Error('paused without being asked');
    expect(timed.result.leaderboard.every(({ seconds }) => seconds === 5)).toBe(true);
  });

  it('deploys the naive baseline where there is nothing to learn', () => {
    const table = randomTable({ target: 'numeric', nRows: 200 });
    const random = {
      name: 'y',
      type: 'number',
      values: Float64Array.from({ length: 200 }, (_, i) => (i * 7919) % 101),
    } as const;
    const noise = { nRows: 200, columns: table.columns.map((one) => (one.name === 'y' ? random : one)) };
    const race = autoRace(noise, { task: 'regression', target: 'y', randomState: 1 });
    const outcome = runRace(noise, race, autoCandidates('regression'));
    if (!outcome.done) throw new Error('paused without being asked');
    expect(outcome.result.winner.algorithm).toBe('baseline');
    expect(outcome.result.over_naive).toBe(0);
  });
});

describe('a search in one call', () => {
  const table = randomTable({ target: 'numeric', nRows: 200 });
  const race: Race = {
    ...{ task: 'regression', target: 'y', metric: 'rmse', randomState: 1 },
    splitter: { kind: 'kfold', nSplits: 3, randomState: 1 },
  };
  const plan = { algorithm: 'ridge', nCandidates: 9, hyperparameters: {}, randomState: 1 } as const;

  it.each([
    ['random', 9],
    ['grid', 3],
    ['halving', 9],
  ] as const)('tries candidates %s, and is not behind the defaults', (method, nCandidates) => {
    const outcome = searchHyperparameters(table, race, { ...plan, method, nCandidates });
    if (!outcome.done) throw new Error('paused without being asked');
    const { leaderboard, winner } = outcome.result;
    expect(leaderboard).toHaveLength(nCandidates);
    expect(leaderboard.map(({ rank }) => rank)).toEqual(leaderboard.map((_, i) => i + 1));
    const whole = leaderboard.filter(({ share }) => share === undefined);
    expect(whole).toHaveLength(method === 'halving' ? 1 : nCandidates);
    expect(whole.some(({ id }) => id === winner.id)).toBe(true);
  });

  it('ends halving with the same leaderboard when it was paused', () => {
    const halving = { ...plan, method: 'halving' } as const;
    const whole = searchHyperparameters(table, race, halving);
    let sliced = searchHyperparameters(table, race, halving, { shouldPause: () => true });
    let slices = 1;
    for (; !sliced.done; slices++) {
      const stored = JSON.parse(JSON.stringify(sliced.checkpoint));
      sliced = searchHyperparameters(table, race, halving, { shouldPause: () => true }, stored);
    }
    expect(slices).toBeGreaterThan(13);
    expect(sliced).toEqual(whole);
  });
});
