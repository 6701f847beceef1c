import type { Algorithm } from './algorithm.ts';
import { classWeight } from './class-weight.ts';
import { forestHyperparameters } from './forest-hyperparameters.ts';

export const extraTrees: Algorithm = {
  name: 'extra_trees',
  title: 'Extremely randomized trees',
  description:
    'As a random forest, but with one random cut for each feature that is tried: smoother, and faster to train. ' +
    'Geurts, Ernst and Wehenkel 2006.',
  tasks: ['classification', 'regression'],
  hyperparameters: [...forestHyperparameters({ bootstrap: false }), classWeight],
};
