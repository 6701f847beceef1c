import type { Algorithm } from './algorithm.ts';
import { noFeatures } from './feature-treatment.ts';

export const baseline: Algorithm = {
  name: 'baseline',
  title: 'Baseline',
  description:
    'Looks at no feature: the shares of the classes in training, or the mean or median of the target.',
  choice:
    'To know what every other model has to beat. auto races it, and never hands it out when a better model was found.',
  cost: 'One pass over the target; the median sorts it.',
  papers: [],
  tasks: ['classification', 'regression'],
  features: noFeatures,
  explanation: 'Zeros: the base is the prediction.',
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
