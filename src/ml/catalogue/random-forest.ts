import type { Algorithm } from './algorithm.ts';
import { classWeight } from './class-weight.ts';
import { forestHyperparameters } from './forest-hyperparameters.ts';

export const randomForest: Algorithm = {
  name: 'random_forest',
  title: 'Random forest',
  description:
    'Deep trees on bootstrap samples, each split chosen among some of the features, averaged. Hard to get wrong; ' +
    'larger and mostly less exact than boosting. Breiman 2001.',
  tasks: ['classification', 'regression'],
  hyperparameters: [...forestHyperparameters({ bootstrap: true }), classWeight],
};
