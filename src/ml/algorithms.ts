/** The catalogue of algorithms: which tasks each fits and what can be set. Documentation is made from it. */
import { ValidationError } from '../errors.ts';
import { type Hyperparameter, type HyperparameterValues, resolveAgainst } from './hyperparameter.ts';
import { nearestName } from './nearest-name.ts';
import type { Task } from './pipeline-model.ts';

export interface Algorithm {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly tasks: readonly Task[];
  readonly hyperparameters: readonly Hyperparameter[];
}

const classWeight: Hyperparameter = {
  name: 'class_weight',
  type: 'choice',
  choices: ['balanced'],
  default: null,
  nullMeans: 'every row counts the same',
  description:
    'balanced: rows of a class weigh n_samples / (n_classes * rows of that class). Classification only.',
};

const gradientBoosting: Algorithm = {
  name: 'gradient_boosting',
  title: 'Histogram gradient boosting',
  description:
    'Leaf-wise trees on binned features, second order, with a learnt direction for missing values. ' +
    'The best default for tables of mixed types. Friedman 2001; Ke et al. 2017 (LightGBM).',
  tasks: ['classification', 'regression'],
  hyperparameters: [
    {
      name: 'n_estimators',
      aliases: ['max_iter'],
      type: 'integer',
      default: 100,
      minimum: 1,
      maximum: 10_000,
      description:
        'Boosting iterations; each grows one tree, or one tree per class with more than two classes.',
    },
    {
      name: 'learning_rate',
      type: 'number',
      default: 0.1,
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1,
      description: 'Factor on every leaf; half of it wants about twice the iterations.',
    },
    {
      name: 'max_leaf_nodes',
      type: 'integer',
      default: 31,
      minimum: 2,
      maximum: 4096,
      description: 'Most leaves of a tree.',
    },
    {
      name: 'max_depth',
      type: 'integer',
      default: null,
      nullMeans: 'no limit but max_leaf_nodes',
      minimum: 1,
      maximum: 64,
      description: 'Most splits between the root and a leaf.',
    },
    {
      name: 'min_samples_leaf',
      type: 'integer',
      default: 20,
      minimum: 1,
      maximum: 1_000_000,
      description: 'Least training rows in a leaf; lower it for fewer than a few hundred rows.',
    },
    {
      name: 'l2_regularization',
      type: 'number',
      default: 0,
      minimum: 0,
      maximum: 1e9,
      description: 'Added to the sum of second derivatives of a leaf.',
    },
    {
      name: 'max_bins',
      type: 'integer',
      default: 255,
      minimum: 2,
      maximum: 255,
      description: 'Most bins of a feature, missing values not counted.',
    },
    classWeight,
  ],
};

const logisticRegression: Algorithm = {
  name: 'logistic_regression',
  title: 'Logistic regression',
  description:
    'Linear model of log odds with L2 penalty, multinomial for more than two classes, on imputed, ' +
    'standardized and one-hot encoded features. Fitted by L-BFGS (Liu and Nocedal 1989).',
  tasks: ['classification'],
  hyperparameters: [
    {
      name: 'C',
      type: 'number',
      default: 1,
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1e9,
      description: 'Inverse strength of the L2 penalty; the intercept is not penalized.',
    },
    {
      name: 'max_iter',
      type: 'integer',
      default: 500,
      minimum: 1,
      maximum: 100_000,
      description: 'Most iterations of the solver.',
    },
    {
      name: 'tol',
      type: 'number',
      default: 1e-4,
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1,
      description: 'Stops when no component of the gradient of the mean loss is larger.',
    },
    classWeight,
  ],
};

const ridge: Algorithm = {
  name: 'ridge',
  title: 'Ridge regression',
  description:
    'Least squares with L2 penalty on imputed, standardized and one-hot encoded features. ' +
    'Solved by Cholesky decomposition (Hoerl and Kennard 1970).',
  tasks: ['regression'],
  hyperparameters: [
    {
      name: 'alpha',
      type: 'number',
      default: 1,
      minimum: 0,
      maximum: 1e12,
      description: 'Strength of the L2 penalty; the intercept is not penalized.',
    },
  ],
};

export const algorithms: readonly Algorithm[] = [gradientBoosting, logisticRegression, ridge];

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
