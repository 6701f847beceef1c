import type { Algorithm } from './algorithm.ts';
import { linearFeatures, linearShapOfScores } from './feature-treatment.ts';
import { linearPreprocessing } from './linear-preprocessing.ts';

export const linearRegression: Algorithm = {
  name: 'linear_regression',
  title: 'Linear regression',
  description:
    'Ordinary least squares; columns that depend on each other share the weight (minimum norm). Solved by pivoted Cholesky decomposition, corrected from the residuals.',
  choice:
    'When coefficients must be those of least squares and nothing else. Ridge predicts better nearly always, above all with many columns.',
  cost: 'Time grows with rows times columns squared, once, and columns cubed; at most 5,000 columns.',
  papers: [
    'Björck 1987, Stability analysis of the method of seminormal equations for linear least squares problems',
  ],
  tasks: ['regression'],
  features: linearFeatures,
  explanation: linearShapOfScores,
  hyperparameters: linearPreprocessing,
};
