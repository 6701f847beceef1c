import type { Hyperparameter } from '../hyperparameter.ts';
import type { Algorithm } from './algorithm.ts';
import { linearPreprocessing } from './linear-preprocessing.ts';

/** Of the estimators that coordinate descent fits. */
export const coordinateDescentHyperparameters: readonly Hyperparameter[] = [
  {
    name: 'alpha',
    type: 'number',
    default: null,
    nullMeans: 'a thousandth of the least alpha that makes every coefficient zero, in the unit of the target',
    minimum: 0,
    exclusiveMinimum: true,
    maximum: 1e12,
    description: 'Strength of the penalty, in units of the target; the intercept is not penalized.',
  },
  {
    name: 'max_iter',
    type: 'integer',
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Most passes over the coefficients.',
  },
  {
    name: 'tol',
    type: 'number',
    default: 1e-4,
    minimum: 0,
    exclusiveMinimum: true,
    maximum: 1,
    description:
      'Stops when no component of the subgradient is larger than this share of the largest one at zero coefficients.',
  },
];

export const lasso: Algorithm = {
  name: 'lasso',
  title: 'Lasso',
  description:
    'Least squares with L1 penalty, (1 / (2 n_samples)) |y - Xw|^2 + alpha |w|, which leaves out columns that do not ' +
    'help, on imputed, standardized and one-hot encoded features. Tibshirani 1996; fitted by coordinate descent ' +
    '(Friedman, Hastie and Tibshirani 2010).',
  tasks: ['regression'],
  hyperparameters: [...coordinateDescentHyperparameters, ...linearPreprocessing],
};
