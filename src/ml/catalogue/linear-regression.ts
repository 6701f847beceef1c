import type { Algorithm } from './algorithm.ts';
import { linearPreprocessing } from './linear-preprocessing.ts';

export const linearRegression: Algorithm = {
  name: 'linear_regression',
  title: 'Linear regression',
  description:
    'Ordinary least squares on imputed, standardized and one-hot encoded features; columns that depend on each other ' +
    'share the weight (minimum norm). Solved by pivoted Cholesky decomposition, corrected from the residuals ' +
    '(Björck 1987).',
  tasks: ['regression'],
  hyperparameters: linearPreprocessing,
};
