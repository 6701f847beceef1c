import type { Algorithm } from './algorithm.ts';
import { linearPreprocessing } from './linear-preprocessing.ts';

export const ridge: Algorithm = {
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
    ...linearPreprocessing,
  ],
};
