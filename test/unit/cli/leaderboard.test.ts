import { describe, expect, it } from 'vitest';
import { leaderboardText } from '../../../src/cli/leaderboard.ts';
import type { Leaderboard } from '../../../src/contracts/selection.ts';

const entry = { role: 'candidate', hyperparameters: {}, n_folds: 5 } as const;
const leaderboard: Leaderboard = {
  metric: 'log_loss',
  over_naive: 0.3,
  over_linear: 0.01,
  n_candidates: 30,
  entries: [
    {
      ...entry,
      ...{
        rank: 1,
        id: 'a',
        algorithm: 'gradient_boosting',
        status: 'winner',
        mean: 0.2801234567,
        seconds: 2.34,
      },
      ...{ standard_error: 0.00361234, hyperparameters: { learning_rate: 0.05123456, max_depth: null } },
    },
    { ...entry, rank: 2, id: 'b', role: 'linear', algorithm: 'ridge', status: 'behind', mean: 0.3 },
    { ...entry, rank: 3, id: 'c', algorithm: 'lasso', status: 'eliminated', mean: 0.4, share: 1 / 9 },
    {
      ...entry,
      ...{ rank: 4, id: 'd', algorithm: 'lasso', status: 'failed' },
      error: { code: 'CONSTANT_TARGET', message: 'one class' },
    },
  ],
};

describe('the leaderboard', () => {
  it('is a table with settings, mean, error and seconds, and what became of each', () => {
    const lines = leaderboardText({ leaderboard })!.split('\n');
    expect(lines[0]).toMatch(/rank +candidate +settings +log_loss \(folds\)/);
    expect(lines[1]).toMatch(
      /1 +gradient_boosting +learning_rate=0\.05123 max_depth=null +0\.280123 +0\.00361 +2\.3 +winner$/,
    );
    expect(lines[2]).toMatch(/2 +ridge +defaults +0\.3 +behind \(linear baseline\)$/);
    expect(lines[3]).toMatch(/eliminated at 11 % of the rows$/);
    expect(lines[4]).toMatch(/failed: CONSTANT_TARGET$/);
    expect(lines[5]).toMatch(/^and 26 more/);
    expect(lines[6]).toBe(
      'the winner is better in log_loss by 0.3 over the naive and 0.01 over the linear baseline',
    );
  });

  it('is nothing where nothing was compared', () => {
    expect(leaderboardText({})).toBeUndefined();
  });
});
