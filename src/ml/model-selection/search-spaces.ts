/** What a search tries of each algorithm unless it is told what to try. */
import { ValidationError } from '../../errors.ts';
import { algorithmNamed } from '../algorithms.ts';
import type { SearchSpace } from './search-space.ts';

const boosting: SearchSpace = {
  learning_rate: { type: 'log_uniform', low: 0.02, high: 0.3 },
  n_estimators: { type: 'int', low: 50, high: 400, log: true },
  max_leaf_nodes: { type: 'int', low: 7, high: 63, log: true },
  min_samples_leaf: { type: 'int', low: 5, high: 100, log: true },
  l2_regularization: { type: 'log_uniform', low: 1e-3, high: 10 },
};
const forest: SearchSpace = {
  n_estimators: { type: 'int', low: 50, high: 300, log: true },
  min_samples_leaf: { type: 'int', low: 1, high: 20, log: true },
  max_depth: { type: 'choice', values: [null, 8, 16] },
  max_features: { type: 'uniform', low: 0.2, high: 1 },
};
const penalty: SearchSpace = { alpha: { type: 'log_uniform', low: 1e-3, high: 1e3 } };

const spaces: Readonly<Record<string, SearchSpace>> = {
  gradient_boosting: boosting,
  random_forest: forest,
  extra_trees: forest,
  logistic_regression: { C: { type: 'log_uniform', low: 1e-3, high: 1e2 } },
  ridge: penalty,
  lasso: { alpha: { type: 'log_uniform', low: 1e-4, high: 10 } },
  elastic_net: {
    alpha: { type: 'log_uniform', low: 1e-4, high: 10 },
    l1_ratio: { type: 'uniform', low: 0.05, high: 0.95 },
  },
  baseline: { strategy: { type: 'choice', values: ['mean', 'median'] } },
};

/**
 * The default search space of an algorithm.
 * @throws ValidationError SEARCH_SPACE_NEEDED when the algorithm has nothing that is worth searching by default.
 */
export function defaultSearchSpace(algorithm: string): SearchSpace {
  const known = algorithmNamed(algorithm).hyperparameters;
  const entries = Object.entries(spaces[algorithm] ?? {}).filter(([name]) =>
    known.some((one) => one.name === name),
  );
  if (entries.length > 0) return Object.fromEntries(entries);
  throw new ValidationError(
    `there is no default search space for ${algorithm}; give one in "space" over ${known.map(({ name }) => name).join(', ') || 'nothing: it has no hyperparameters'}`,
    { code: 'SEARCH_SPACE_NEEDED', evidence: { algorithm } },
  );
}
