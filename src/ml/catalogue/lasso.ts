import type { Hyperparameter } from '../hyperparameter.ts';
import type { Algorithm } from './algorithm.ts';
import { linearFeatures, linearShapOfScores } from './feature-treatment.ts';
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
    'Least squares with L1 penalty, `|y - Xw|² / (2 n_samples) + alpha |w|`, which leaves out columns that do not help. Fitted by coordinate descent.',
  choice:
    'When few of many columns matter and the model is to name them. Of columns that resemble each other it takes one, by chance; elastic_net takes them together.',
  cost: 'Time grows with rows times columns squared, once, then columns squared a pass; at most 5,000 columns.',
  papers: [
    'Tibshirani 1996, Regression shrinkage and selection via the lasso',
    'Friedman, Hastie and Tibshirani 2010, Regularization paths for generalized linear models via coordinate descent',
  ],
  tasks: ['regression'],
  features: linearFeatures,
  explanation: linearShapOfScores,
  hyperparameters: [...coordinateDescentHyperparameters, ...linearPreprocessing],
};
