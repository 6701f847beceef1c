/** `algorithm: "auto"`: the sensible candidates raced against a naive and a linear baseline. */
import { algorithms } from '../algorithms.ts';
import type { Task } from '../pipeline-model.ts';
import type { Table } from '../table.ts';
import { type Candidate, type CandidateResult, evaluateCandidate, type Race } from './candidate.ts';
import { chooseWinner, type RaceResult } from './choose-winner.ts';
import { complexityOf } from './complexity.ts';
import type { Resumable, SelectionHooks } from './cross-validate.ts';
import type { HyperparameterValue } from './search-space.ts';
import type { Splitter } from './splitter.ts';

/** With more rows one holdout tells candidates apart as well as five folds of fewer, at a fifth of the cost. */
const MAX_ROWS_FOR_FOLDS = 50_000;
const N_FOLDS = 5;
const HOLDOUT_SHARE = 0.2;

/**
 * log_loss for classification: it exists for every number of classes, and a model that ranks well but is sure of its
 * mistakes does not win by it, as it could by roc_auc. rmse for regression.
 */
export const autoMetric = (task: Task): string => (task === 'classification' ? 'log_loss' : 'rmse');

/** Stratified 5-fold, or one stratified holdout for more than 50,000 rows. */
export function autoSplitter(nRows: number, task: Task, randomState: number): Splitter {
  const isStratified = task === 'classification';
  if (nRows > MAX_ROWS_FOR_FOLDS) {
    return { kind: 'shuffle', nSplits: 1, testSize: HOLDOUT_SHARE, randomState, isStratified };
  }
  return { kind: isStratified ? 'stratified' : 'kfold', nSplits: N_FOLDS, randomState };
}

type Settings = Readonly<Record<string, HyperparameterValue>>;

/** What is tried of an algorithm, the simplest first; ties go to the earlier. */
const settingsOf: Readonly<Record<string, readonly Settings[]>> = {
  baseline: [{}],
  ridge: [{}],
  logistic_regression: [{}],
  gradient_boosting: [
    // Shallow and heavily damped: for few rows or weak signals.
    { n_estimators: 100, learning_rate: 0.05, max_leaf_nodes: 8, l2_regularization: 1 },
    {},
    // Small steps, for many rows.
    { n_estimators: 300, learning_rate: 0.05, l2_regularization: 1 },
  ],
  extra_trees: [{}],
  random_forest: [{}],
};

const LINEAR: Readonly<Record<Task, string>> = { classification: 'logistic_regression', regression: 'ridge' };

/** Those of the catalogue that fit the task, simplest first. */
export function autoCandidates(task: Task): Candidate[] {
  const raced = ['baseline', LINEAR[task], 'gradient_boosting', 'extra_trees', 'random_forest'];
  return raced
    .filter((name) => algorithms.some((one) => one.name === name && one.tasks.includes(task)))
    .flatMap((algorithm) =>
      settingsOf[algorithm]!.map(
        (hyperparameters, position): Candidate => ({
          id: `${algorithm}-${position + 1}`,
          role: algorithm === 'baseline' ? 'naive' : algorithm === LINEAR[task] ? 'linear' : 'candidate',
          algorithm,
          hyperparameters,
          complexity: complexityOf(algorithm) + position,
        }),
      ),
    );
}

/** The race of `auto` over a table; a splitter of one's own replaces the default one. */
export function autoRace(
  table: Table,
  { task, target, randomState }: Pick<Race, 'task' | 'target' | 'randomState'>,
  splitter: Splitter = autoSplitter(table.nRows, task, randomState),
): Race {
  return { task, target, randomState, metric: autoMetric(task), splitter };
}

interface RaceState {
  readonly format: 'race-checkpoint-1';
  readonly results: CandidateResult[];
  readonly evaluation?: unknown;
}

/**
 * Evaluates one candidate after the other and chooses. What runs them in parallel calls `evaluateCandidate` and
 * `chooseWinner` itself.
 * @param checkpoint - of an earlier call with the same arguments that ended with `done: false`.
 */
export function runRace(
  table: Table,
  race: Race,
  candidates: readonly Candidate[],
  hooks: SelectionHooks = {},
  checkpoint?: unknown,
): Resumable<RaceResult> {
  let state = (checkpoint ?? { format: 'race-checkpoint-1', results: [] }) as RaceState;
  while (state.results.length < candidates.length) {
    const { results } = state;
    const outcome = evaluateCandidate(
      table,
      race,
      candidates[results.length]!,
      { ...hooks, onProgress: (done) => hooks.onProgress?.((results.length + done) / candidates.length) },
      state.evaluation,
    );
    if (!outcome.done) return { done: false, checkpoint: { ...state, evaluation: outcome.checkpoint } };
    state = { format: 'race-checkpoint-1', results: [...results, outcome.result] };
  }
  return { done: true, result: chooseWinner(state.results, race.metric) };
}
