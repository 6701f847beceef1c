import type { Algorithm } from './algorithm.ts';

export const baseline: Algorithm = {
  name: 'baseline',
  title: 'Baseline',
  description:
    'Looks at no feature: the shares of the classes in training, or the mean or median of the target. ' +
    'What every other model has to beat.',
  tasks: ['classification', 'regression'],
  hyperparameters: [
    {
      name: 'strategy',
      type: 'choice',
      choices: ['mean', 'median'],
      default: 'mean',
      description:
        'What is predicted for regression: mean has the least squared error, median the least absolute one. ' +
        'Classification always gives the shares of the classes.',
    },
  ],
};
