/** What is raced against what: an algorithm of the catalogue, its settings, and the peers with the same ones. */
import { algorithms } from '../src/ml/algorithms.ts';
import type { PipelineSpec } from '../src/ml/pipeline.ts';
import type { BenchmarkSet } from './benchmark-set.ts';

export interface Benchmark {
  readonly name: string;
  readonly peers: readonly string[];
  /** Names of sets; the others would take minutes a fit. */
  readonly sets: readonly string[];
  algorithm(set: BenchmarkSet): string;
  /** Under scikit-learn's names, for ours and the peers alike. */
  readonly settings: Readonly<Record<string, number>>;
}

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'boosting',
    peers: ['hgb', 'xgb'],
    sets: ['adult', 'census', 'housing', 'synth', 'synth7'],
    algorithm: () => 'gradient_boosting',
    settings: {
      n_estimators: 100,
      max_leaf_nodes: 31,
      max_bins: 255,
      learning_rate: 0.1,
      min_samples_leaf: 20,
    },
  },
  {
    name: 'forest',
    peers: ['rf'],
    sets: ['adult', 'census', 'housing'],
    algorithm: () => 'random_forest',
    settings: { n_estimators: 100, min_samples_leaf: 1 },
  },
  {
    name: 'logistic',
    peers: ['lr'],
    sets: ['adult', 'census', 'housing', 'synth'],
    algorithm: ({ task }) => (task === 'classification' ? 'logistic_regression' : 'ridge'),
    settings: { max_iter: 300 },
  },
];

/** @returns undefined when the catalogue has no such algorithm. */
export function specOf(benchmark: Benchmark, set: BenchmarkSet): PipelineSpec | undefined {
  const algorithm = algorithms.find((one) => one.name === benchmark.algorithm(set));
  if (algorithm === undefined) return undefined;
  const known = new Set(algorithm.hyperparameters.map((one) => one.name));
  const hyperparameters = Object.fromEntries(
    Object.entries(benchmark.settings).filter(([name]) => known.has(name)),
  );
  return { task: set.task, target: set.target, algorithm: algorithm.name, hyperparameters, randomState: 0 };
}
