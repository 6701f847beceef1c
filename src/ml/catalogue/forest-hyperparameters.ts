import type { Hyperparameter } from '../hyperparameter.ts';

/** What random forests and extremely randomized trees have in common. */
export function forestHyperparameters({ bootstrap }: { bootstrap: boolean }): Hyperparameter[] {
  return [
    {
      name: 'n_estimators',
      type: 'integer',
      default: 100,
      minimum: 1,
      maximum: 5_000,
      description: 'Trees; more are never worse, only slower and larger.',
    },
    {
      name: 'max_depth',
      type: 'integer',
      default: null,
      nullMeans: 'no limit',
      minimum: 1,
      maximum: 1_000,
      description: 'Most splits between the root and a leaf.',
    },
    {
      name: 'min_samples_leaf',
      type: 'integer',
      default: 5,
      minimum: 1,
      maximum: 1_000_000,
      description:
        'Least rows in a leaf, each counted as often as it was drawn. 1 gives the deepest trees, several times as large and rarely better.',
    },
    {
      name: 'min_samples_split',
      type: 'integer',
      default: 2,
      minimum: 2,
      maximum: 1_000_000,
      description: 'Least rows that a node needs to be split.',
    },
    {
      name: 'max_features',
      type: 'number',
      default: null,
      nullMeans: 'the square root of their number for classification, all for regression',
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1,
      description: 'Share of the features that is tried for a split.',
    },
    {
      name: 'bootstrap',
      type: 'boolean',
      default: bootstrap,
      description:
        'Each tree learns from as many rows as there are, drawn with replacement; else from all rows.',
    },
    {
      name: 'max_bins',
      type: 'integer',
      default: 255,
      minimum: 2,
      maximum: 255,
      description: 'Most bins of a feature, missing values not counted.',
    },
  ];
}
