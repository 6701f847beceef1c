/** The catalogue of algorithms, and what is asked of it. Each algorithm has its own file in `catalogue/`. */
import { ValidationError } from '../errors.ts';
import type { Algorithm } from './catalogue/algorithm.ts';
import { baseline } from './catalogue/baseline.ts';
import { elasticNet } from './catalogue/elastic-net.ts';
import { extraTrees } from './catalogue/extra-trees.ts';
import { gradientBoosting } from './catalogue/gradient-boosting.ts';
import { lasso } from './catalogue/lasso.ts';
import { linearRegression } from './catalogue/linear-regression.ts';
import { logisticRegression } from './catalogue/logistic-regression.ts';
import { randomForest } from './catalogue/random-forest.ts';
import { ridge } from './catalogue/ridge.ts';
import { type HyperparameterValues, resolveAgainst } from './hyperparameter.ts';
import { nearestName } from './nearest-name.ts';
import type { Task } from './pipeline-model.ts';

export type { Algorithm } from './catalogue/algorithm.ts';

export const algorithms: readonly Algorithm[] = [
  gradientBoosting,
  randomForest,
  extraTrees,
  logisticRegression,
  linearRegression,
  ridge,
  lasso,
  elasticNet,
  baseline,
];

/** @throws ValidationError UNKNOWN_ALGORITHM, naming the nearest one. */
export function algorithmNamed(name: string): Algorithm {
  const algorithm = algorithms.find((one) => one.name === name);
  if (algorithm !== undefined) return algorithm;
  const names = algorithms.map((one) => one.name);
  throw new ValidationError(
    `there is no algorithm "${name}"; did you mean "${nearestName(name, names)}"? There are ${names.join(', ')}`,
    { code: 'UNKNOWN_ALGORITHM', evidence: { algorithm: name, algorithms: names } },
  );
}

/**
 * @throws ValidationError ALGORITHM_TASK_MISMATCH, naming the algorithms that fit the task.
 */
export function checkAlgorithmFitsTask(algorithm: Algorithm, task: Task): void {
  if (algorithm.tasks.includes(task)) return;
  const suited = algorithms.filter((one) => one.tasks.includes(task)).map((one) => one.name);
  throw new ValidationError(
    `algorithm "${algorithm.name}" is for ${algorithm.tasks.join(' and ')}, not ${task}; choose ${suited.join(' or ')}`,
    { code: 'ALGORITHM_TASK_MISMATCH', evidence: { algorithm: algorithm.name, task, algorithms: suited } },
  );
}

/**
 * The algorithm's hyperparameters with defaults filled in, aliases replaced.
 * @throws ValidationError for an unknown algorithm, an unknown name (naming the nearest) or a value out of range.
 */
export function resolveHyperparameters(
  algorithm: string,
  given: Readonly<Record<string, unknown>>,
): HyperparameterValues {
  return resolveAgainst(algorithm, algorithmNamed(algorithm).hyperparameters, given);
}
