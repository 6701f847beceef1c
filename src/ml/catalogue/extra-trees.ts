import type { Algorithm } from './algorithm.ts';
import { classWeight } from './class-weight.ts';
import { treeFeatures, treeShapOfScores } from './feature-treatment.ts';
import { forestHyperparameters } from './forest-hyperparameters.ts';

export const extraTrees: Algorithm = {
  name: 'extra_trees',
  title: 'Extremely randomized trees',
  description:
    'As a random forest, but with one random cut for each feature that is tried, and all rows in every tree.',
  choice:
    'Smoother than a random forest and faster to train; better where the signal is spread over many weak features, worse where few exact cuts matter.',
  cost: 'Less than a random forest per tree, as nothing but one cut a feature is measured. A model grows with the number of rows.',
  papers: ['Geurts, Ernst and Wehenkel 2006, Extremely randomized trees'],
  tasks: ['classification', 'regression'],
  features: treeFeatures,
  explanation: treeShapOfScores,
  hyperparameters: [...forestHyperparameters({ bootstrap: false }), classWeight],
};
