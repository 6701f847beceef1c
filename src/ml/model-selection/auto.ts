/** `algorithm: "auto"`: the sensible candidates raced against a naive and a linear baseline. */
import { algorithms } from '../algorithms.ts';
import type { HyperparameterValue } from '../hyperparameter.ts';
import type { Task } from '../pipeline-model.ts';
import type { Table } from '../table.ts';
import type { Candidate, Race } from './candidate.ts';
import { complexityOf } from './complexity.ts';
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

/** One tree per class and iteration: with more classes than this the longest setting would take most of the time. */
const FEW_CLASSES = 20;
const MANY_TREES = 200;

/**
 * Those of the catalogue that fit the task, simplest first.
 * @param nClasses - of a classification. @default - few
 */
export function autoCandidates(task: Task, nClasses = 2): Candidate[] {
  const raced = ['baseline', LINEAR[task], 'gradient_boosting', 'extra_trees', 'random_forest'];
  return raced
    .filter((name) => algorithms.some((one) => one.name === name && one.tasks.includes(task)))
    .flatMap((algorithm) =>
      settingsOf[algorithm]!.filter((one) => nClasses <= FEW_CLASSES || !hasManyTrees(one)).map(
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

const hasManyTrees = ({ n_estimators: nTrees }: Settings): boolean =>
  typeof nTrees === 'number' && nTrees > MANY_TREES;

/** The race of `auto` over a table; a splitter of one's own replaces the default one. */
export function autoRace(
  table: Table,
  { task, target, randomState }: Pick<Race, 'task' | 'target' | 'randomState'>,
  splitter: Splitter = autoSplitter(table.nRows, task, randomState),
): Race {
  return { task, target, randomState, metric: autoMetric(task), splitter };
}
