import type { Leaderboard, LeaderboardEntry } from '../contracts/selection.ts';
import type { Job } from '../contracts/training.ts';
import { table } from './output.ts';

const digits = 6;

/** Who was compared with whom, best first, and by how much the winner is better than the baselines. */
export function leaderboardText(job: Pick<Job, 'leaderboard'>): string | undefined {
  const { leaderboard } = job;
  if (leaderboard === undefined) return undefined;
  return [
    table(
      ['rank', 'candidate', 'settings', `${leaderboard.metric} (folds)`, '±', 'seconds', ''],
      leaderboard.entries.map((entry) => [
        entry.rank,
        entry.algorithm,
        settingsOf(entry),
        rounded(entry.mean) ?? '',
        rounded(entry.standard_error, 3) ?? '',
        entry.seconds === undefined ? '' : entry.seconds.toFixed(1),
        remarkOf(entry),
      ]),
    ),
    ...hiddenOf(leaderboard),
    ...marginsOf(leaderboard),
  ].join('\n');
}

const rounded = (value: number | undefined, precision = digits): number | undefined =>
  value === undefined ? undefined : Number(value.toPrecision(precision));

function settingsOf({ hyperparameters }: LeaderboardEntry): string {
  const settings = Object.entries(hyperparameters).map(
    ([name, value]) => `${name}=${typeof value === 'number' ? rounded(value, 4) : String(value)}`,
  );
  return settings.length === 0 ? 'defaults' : settings.join(' ');
}

function remarkOf({ status, error, share, role }: LeaderboardEntry): string {
  if (status === 'failed') return `failed: ${error?.code ?? ''}`;
  const part = share === undefined || share >= 1 ? '' : ` at ${(share * 100).toPrecision(2)} % of the rows`;
  const baseline = role === 'candidate' ? '' : ` (${role} baseline)`;
  return `${status}${part}${baseline}`;
}

function hiddenOf({ entries, n_candidates }: Leaderboard): string[] {
  const hidden = n_candidates - entries.length;
  return hidden > 0 ? [`and ${hidden} more: the metadata of the version has all of them`] : [];
}

function marginsOf({ metric, over_naive, over_linear }: Leaderboard): string[] {
  const margins = [
    ...(over_naive === undefined ? [] : [`${rounded(over_naive)} over the naive`]),
    ...(over_linear === undefined ? [] : [`${rounded(over_linear)} over the linear`]),
  ];
  return margins.length === 0
    ? []
    : [`the winner is better in ${metric} by ${margins.join(' and ')} baseline`];
}
