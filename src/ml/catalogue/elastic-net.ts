import type { Algorithm } from './algorithm.ts';
import { coordinateDescentHyperparameters } from './lasso.ts';
import { linearPreprocessing } from './linear-preprocessing.ts';

export const elasticNet: Algorithm = {
  name: 'elastic_net',
  title: 'Elastic net',
  description:
    'Least squares with L1 and L2 penalty, (1 / (2 n_samples)) |y - Xw|^2 + alpha l1_ratio |w| + ' +
    'alpha (1 - l1_ratio) |w|^2 / 2, on imputed, standardized and one-hot encoded features; columns that resemble each ' +
    'other share the weight. Zou and Hastie 2005; fitted by coordinate descent (Friedman, Hastie and Tibshirani 2010).',
  tasks: ['regression'],
  hyperparameters: [
    ...coordinateDescentHyperparameters.slice(0, 1),
    {
      name: 'l1_ratio',
      type: 'number',
      default: 0.5,
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1,
      description: 'Share of the L1 penalty; 1 is the lasso, and ridge is what 0 would be.',
    },
    ...coordinateDescentHyperparameters.slice(1),
    ...linearPreprocessing,
  ],
};
