import type { Hyperparameter } from '../hyperparameter.ts';
import { CATEGORICAL_ENCODINGS } from '../preprocessing/design-encoding.ts';
import { IMPUTATIONS } from '../preprocessing/imputation.ts';
import { SCALINGS } from '../preprocessing/scaling.ts';

/** How every linear estimator prepares its features; fitted and exported with the model. */
export const linearPreprocessing: readonly Hyperparameter[] = [
  {
    name: 'scaling',
    type: 'choice',
    choices: SCALINGS,
    default: 'standard',
    description:
      'Unit of numbers: standard deviation, range, interquartile range (robust to outliers), or their own.',
  },
  {
    name: 'imputation',
    type: 'choice',
    choices: IMPUTATIONS,
    default: 'median',
    description:
      'What stands in for a missing number, beside a column that says where it was missing; booleans always take the most frequent.',
  },
  {
    name: 'categorical_encoding',
    type: 'choice',
    choices: CATEGORICAL_ENCODINGS,
    default: 'auto',
    description:
      'one_hot: a column per category, rare ones together; ordinal: position in the sorted list; target: mean target of ' +
      'the category, of other folds in training (Micci-Barreca 2001), one column per class with more than two; auto: ' +
      'one_hot, and target beside it where more than max_categories categories are not rare and the target has at most 20 ' +
      'classes.',
  },
  {
    name: 'max_categories',
    type: 'integer',
    default: 100,
    minimum: 1,
    maximum: 1000,
    description:
      'Most categories of a feature that get a column of their own; all others count as rare there.',
  },
  {
    name: 'min_category_rows',
    type: 'integer',
    default: 5,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'A category with fewer training rows is rare; rare ones count as one, and so do unknown ones.',
  },
  {
    name: 'target_smoothing',
    type: 'number',
    default: 10,
    minimum: 0,
    maximum: 1e6,
    description: 'Rows that the overall mean counts as in the mean target of a category.',
  },
];
