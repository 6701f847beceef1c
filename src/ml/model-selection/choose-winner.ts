/** Who won a race, and by how much over the naive and the linear baseline. */
import { TrainingError } from '../../errors.ts';
import { improvement } from '../metrics/metric-table.ts';
import type { Candidate, CandidateResult } from './candidate.ts';
import { meanOf } from './cross-validate.ts';

type Measured = Extract<CandidateResult, { status: 'measured' }>;

/** One line of the leaderboard; JSON-safe. */
export interface LeaderboardEntry {
  readonly rank: number;
  readonly id: string;
  readonly role: Candidate['role'];
  readonly algorithm: string;
  readonly hyperparameters: Candidate['hyperparameters'];
  /** eliminated: did not go on to the next rung of successive halving. */
  readonly status: 'winner' | 'tied' | 'behind' | 'eliminated' | 'failed';
  readonly mean?: number;
  /** Of the mean, from the spread between folds; absent with one fold. */
  readonly standard_error?: number;
  readonly n_folds?: number;
  /** Of the resource that it was last given, when that is not all. */
  readonly share?: number;
  readonly seconds?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/** JSON-safe. Margins are positive where the winner is better. */
export interface RaceResult {
  readonly metric: string;
  readonly winner: Candidate;
  /** Best mean first, failed ones last. */
  readonly leaderboard: readonly LeaderboardEntry[];
  readonly over_naive?: number;
  readonly over_linear?: number;
}

/**
 * The best mean wins. A candidate ties with the best when it is behind by no more than one standard error of the
 * difference over the folds; of the tied ones the simplest wins, then the better mean, then the earlier. One that is
 * behind the naive or the linear baseline never wins by a tie.
 * @throws TrainingError NO_CANDIDATE_MEASURED when every candidate failed, with the first failure.
 */
export function chooseWinner(results: readonly CandidateResult[], metric: string): RaceResult {
  const measured = results
    .filter((result) => result.status === 'measured')
    .sort((a, b) => -improvement(metric, meanOf(a.scores), meanOf(b.scores)));
  const best = measured[0];
  if (best === undefined) throw nobodyMeasured(results);
  const baselines = measured.filter(({ candidate }) => candidate.role !== 'candidate');
  const tied = measured.filter(
    (one) =>
      behindBy(best, one, metric) <= standardErrorOf(differences(best, one)) &&
      baselines.every((baseline) => improvement(metric, meanOf(one.scores), meanOf(baseline.scores)) >= 0),
  );
  // The sort is stable: among equally simple ones the better mean stays first.
  const winner = [...tied].sort((a, b) => a.candidate.complexity - b.candidate.complexity)[0]!;
  const marginOver = (role: Candidate['role']) => {
    const rival = measured.find(({ candidate }) => candidate.role === role);
    return rival === undefined ? undefined : improvement(metric, meanOf(winner.scores), meanOf(rival.scores));
  };
  const overNaive = marginOver('naive');
  const overLinear = marginOver('linear');
  const failed = results.filter((result) => result.status === 'failed');
  const isTied = (result: CandidateResult) => tied.some((one) => one === result);
  return {
    metric,
    winner: winner.candidate,
    leaderboard: [...measured, ...failed].map((result, position) =>
      entryOf(result, position + 1, result === winner ? 'winner' : isTied(result) ? 'tied' : 'behind'),
    ),
    ...(overNaive === undefined ? {} : { over_naive: overNaive }),
    ...(overLinear === undefined ? {} : { over_linear: overLinear }),
  };
}

/** The result with those that earlier rungs left behind, after all others. */
export function withEliminated(result: RaceResult, eliminated: readonly CandidateResult[]): RaceResult {
  const { leaderboard } = result;
  const entries = eliminated.map((one, i) => entryOf(one, leaderboard.length + i + 1, 'eliminated'));
  return { ...result, leaderboard: [...leaderboard, ...entries] };
}

function entryOf(
  result: CandidateResult,
  rank: number,
  status: 'winner' | 'tied' | 'behind' | 'eliminated',
): LeaderboardEntry {
  const { id, role, algorithm, hyperparameters } = result.candidate;
  const common = { rank, id, role, algorithm, hyperparameters };
  return result.status === 'failed'
    ? { ...common, status: 'failed', error: result.error }
    : { ...common, status, ...figuresOf(result) };
}

function figuresOf(result: Measured) {
  const { resource } = result.candidate;
  return {
    mean: meanOf(result.scores),
    ...(result.scores.length > 1 ? { standard_error: standardErrorOf(result.scores) } : {}),
    n_folds: result.n_folds,
    ...(resource === undefined ? {} : { share: resource.share }),
    ...(result.seconds === undefined ? {} : { seconds: result.seconds }),
  };
}

function behindBy(best: Measured, one: Measured, metric: string): number {
  return improvement(metric, meanOf(best.scores), meanOf(one.scores));
}

/** Fold by fold: what makes one fold harder than another is the same for both and cancels. */
function differences(a: Measured, b: Measured): number[] {
  return a.scores.length === b.scores.length ? a.scores.map((score, fold) => score - b.scores[fold]!) : [];
}

/** Of the mean; 0 with fewer than two values: then only equals tie. */
function standardErrorOf(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

function nobodyMeasured(results: readonly CandidateResult[]): TrainingError {
  const first = results.find((result) => result.status === 'failed');
  return new TrainingError(
    'NO_CANDIDATE_MEASURED',
    first === undefined
      ? 'there is no candidate to choose from; give at least one'
      : `none of the ${results.length} candidates could be measured; the first, ${first.candidate.id}, failed with ${first.error.code}: ${first.error.message}`,
    { evidence: { n_candidates: results.length } },
  );
}
