import type { Algorithm } from './algorithm.ts';
import { classWeight } from './class-weight.ts';
import { treeFeaturesWithSets, treeShapOfScores } from './feature-treatment.ts';

export const gradientBoosting: Algorithm = {
  name: 'gradient_boosting',
  title: 'Histogram gradient boosting',
  description:
    'Trees grown one after another, each on the derivatives of the loss of those before it: leaf-wise, on binned features, second order, with a learnt direction for missing values.',
  choice:
    'The default, and the best first choice for tables of mixed types. With fewer than a few hundred rows lower min_samples_leaf, or try a linear model. Many rows want more trees at a lower learning_rate; n_iter_no_change stops in time.',
  cost: 'Time grows with rows times features times the depth of the trees, per tree; memory is about 50 bytes a row and one byte for each of its values. With more than two classes every iteration grows one tree per class. A model grows with the number of trees and their leaves, not with the rows.',
  papers: [
    'Friedman 2001, Greedy function approximation: a gradient boosting machine',
    'Ke et al. 2017, LightGBM: a highly efficient gradient boosting decision tree',
    'Shi et al. 2022, Quantized training of gradient boosting decision trees',
  ],
  tasks: ['classification', 'regression'],
  features: treeFeaturesWithSets,
  explanation: treeShapOfScores,
  hyperparameters: [
    {
      name: 'loss',
      type: 'choice',
      choices: ['log_loss', 'squared_error', 'absolute_error', 'quantile', 'poisson'],
      default: null,
      nullMeans: 'log_loss for classification, squared_error for regression',
      description:
        'What is minimized. Regression: absolute_error gives the median, quantile another quantile, poisson the mean of counts by a log link.',
    },
    {
      name: 'quantile',
      type: 'number',
      default: 0.5,
      minimum: 0.001,
      maximum: 0.999,
      description: 'Which quantile, with loss=quantile.',
    },
    {
      name: 'n_estimators',
      aliases: ['max_iter'],
      type: 'integer',
      default: 100,
      minimum: 1,
      maximum: 10_000,
      description:
        'Boosting iterations; each grows one tree, or one tree per class with more than two classes.',
    },
    {
      name: 'learning_rate',
      type: 'number',
      default: 0.1,
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1,
      description: 'Factor on every leaf; half of it wants about twice the iterations.',
    },
    {
      name: 'max_leaf_nodes',
      type: 'integer',
      default: 31,
      minimum: 2,
      maximum: 4096,
      description: 'Most leaves of a tree.',
    },
    {
      name: 'max_depth',
      type: 'integer',
      default: null,
      nullMeans: 'no limit but max_leaf_nodes',
      minimum: 1,
      maximum: 64,
      description: 'Most splits between the root and a leaf.',
    },
    {
      name: 'min_samples_leaf',
      type: 'integer',
      default: 20,
      minimum: 1,
      maximum: 1_000_000,
      description: 'Least training rows in a leaf; lower it for fewer than a few hundred rows.',
    },
    {
      name: 'l2_regularization',
      type: 'number',
      default: 0,
      minimum: 0,
      maximum: 1e9,
      description: 'Added to the sum of second derivatives of a leaf.',
    },
    {
      name: 'max_bins',
      type: 'integer',
      default: 255,
      minimum: 2,
      maximum: 255,
      description: 'Most bins of a feature, missing values not counted.',
    },
    {
      name: 'subsample',
      type: 'number',
      default: 1,
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1,
      description: 'Share of the rows that each iteration learns from, drawn anew (Friedman 2002).',
    },
    {
      name: 'monotonic_cst',
      type: 'signs',
      default: null,
      nullMeans: 'no constraint',
      description:
        'Features whose greater values may only raise (1) or only lower (-1) the score; with more than two classes, of each class.',
    },
    {
      name: 'n_iter_no_change',
      type: 'integer',
      default: null,
      nullMeans: 'no early stopping',
      minimum: 1,
      maximum: 10_000,
      description:
        'Stops when the loss of the validation part has not fallen for so many iterations, and keeps those up to the best.',
    },
    {
      name: 'validation_fraction',
      type: 'number',
      default: 0.1,
      minimum: 0.01,
      maximum: 0.5,
      description: 'Share of the training rows held back for early stopping, by class.',
    },
    {
      name: 'tol',
      type: 'number',
      default: 1e-7,
      minimum: 0,
      maximum: 1,
      description: 'The validation loss counts as fallen when it is lower by more than this.',
    },
    classWeight,
  ],
};
