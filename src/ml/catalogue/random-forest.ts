import type { Algorithm } from './algorithm.ts';
import { classWeight } from './class-weight.ts';
import { treeFeatures, treeShapOfScores } from './feature-treatment.ts';
import { forestHyperparameters } from './forest-hyperparameters.ts';

export const randomForest: Algorithm = {
  name: 'random_forest',
  title: 'Random forest',
  description: 'Deep trees on bootstrap samples, each split chosen among some of the features, averaged.',
  choice:
    'Hard to get wrong, and of use where boosting follows noise. It is larger and mostly less exact than boosting, and its probabilities are averages of the shares in leaves: rarely 0 or 1.',
  cost: 'Time grows with rows times tried features times depth, per tree; threads grow one tree each. A model grows with the number of rows: raise min_samples_leaf to make it smaller.',
  papers: ['Breiman 2001, Random forests'],
  tasks: ['classification', 'regression'],
  features: treeFeatures,
  explanation: treeShapOfScores,
  hyperparameters: [...forestHyperparameters({ bootstrap: true }), classWeight],
};
