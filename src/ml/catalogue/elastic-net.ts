import type { Algorithm } from './algorithm.ts';
import { linearFeatures, linearShapOfScores } from './feature-treatment.ts';
import { coordinateDescentHyperparameters } from './lasso.ts';
import { linearPreprocessing } from './linear-preprocessing.ts';

export const elasticNet: Algorithm = {
  name: 'elastic_net',
  title: 'Elastic net',
  description:
    'Least squares with L1 and L2 penalty, `|y - Xw|² / (2 n_samples) + alpha l1_ratio |w| + alpha (1 - l1_ratio) |w|² / 2`. Fitted by coordinate descent. Without an alpha, the L2 part is counted in standard deviations of the target, so that its unit does not matter.',
  choice:
    'When few of many columns matter and they come in groups that resemble each other: those share the weight.',
  cost: 'Time grows with rows times columns squared, once, then columns squared a pass; at most 5,000 columns.',
  papers: [
    'Zou and Hastie 2005, Regularization and variable selection via the elastic net',
    'Friedman, Hastie and Tibshirani 2010, Regularization paths for generalized linear models via coordinate descent',
  ],
  tasks: ['regression'],
  features: linearFeatures,
  explanation: linearShapOfScores,
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
