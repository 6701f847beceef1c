import type { Algorithm } from './algorithm.ts';
import { linearFeatures, linearShapOfScores } from './feature-treatment.ts';
import { linearPreprocessing } from './linear-preprocessing.ts';

export const ridge: Algorithm = {
  name: 'ridge',
  title: 'Ridge regression',
  description: 'Least squares with L2 penalty, `|y - Xw|² + alpha |w|²`. Solved by Cholesky decomposition.',
  choice: 'The linear model to begin with for numbers. Boosting finds what is not linear.',
  cost: 'Time grows with rows times columns squared, once, and columns cubed; at most 5,000 columns.',
  papers: ['Hoerl and Kennard 1970, Ridge regression: biased estimation for nonorthogonal problems'],
  tasks: ['regression'],
  features: linearFeatures,
  explanation: linearShapOfScores,
  hyperparameters: [
    {
      name: 'alpha',
      type: 'number',
      default: 1,
      minimum: 0,
      maximum: 1e12,
      description: 'Strength of the L2 penalty; the intercept is not penalized.',
    },
    ...linearPreprocessing,
  ],
};
