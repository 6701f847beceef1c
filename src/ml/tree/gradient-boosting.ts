import type { FitHooks, FitResult } from '../pipeline-model.ts';
import { Random } from '../random.ts';
import { binColumns } from './binned-matrix.ts';
import { type GrowthRules, TreeGrower } from './grower.ts';
import type { Objective } from './objective.ts';
import {
  addTreeScores,
  ensembleFromJSON,
  ensembleToJSON,
  rowMajor,
  type TreeEnsemble,
  TreeEnsembleBuilder,
} from './tree.ts';

export interface BoostingOptions extends GrowthRules {
  readonly nEstimators: number;
  readonly maxBins: number;
  readonly randomState: number;
}

/** score k of a row = initialScores[k] + sum of the trees t with t % nScores == k. */
export interface BoostedTrees {
  readonly nScores: number;
  readonly initialScores: Float32Array;
  readonly trees: TreeEnsemble;
}

/**
 * Gradient boosting on histograms (Friedman 2001; Ke et al. 2017).
 * Cost O(nRows · nColumns) per level of a tree; memory one byte per value and some 50 bytes per row.
 * A checkpoint holds the trees only: the scores it stopped at are the sum of the same leaf values in the same order,
 * so the resumed fit ends with the very model of an uninterrupted one.
 * @param columns - float32, NaN is missing, no infinities.
 */
export function fitGradientBoosting(
  columns: readonly Float32Array[],
  nRows: number,
  objective: Objective,
  options: BoostingOptions,
  hooks: FitHooks = {},
  checkpoint?: unknown,
): FitResult<BoostedTrees> {
  const { nScores, initialScores } = objective;
  const binned = binColumns(columns, options.maxBins, new Random(options.randomState));
  const grower = new TreeGrower({ ...binned, nRows }, options);
  const scores = perScore(nScores, (k) => new Float64Array(nRows).fill(initialScores[k]!));
  const gradients = perScore(nScores, () => new Float64Array(nRows));
  const hessians = perScore(nScores, () => new Float64Array(nRows));
  const builder =
    checkpoint === undefined ? new TreeEnsembleBuilder() : resume(checkpoint, columns, nRows, scores);
  for (let iteration = builder.nTrees / nScores; iteration < options.nEstimators; iteration++) {
    objective.derivatives(scores, gradients, hessians);
    for (let k = 0; k < nScores; k++) {
      grower.grow({ gradients: gradients[k]!, hessians: hessians[k]! }, builder, scores[k]!);
    }
    hooks.onProgress?.((iteration + 1) / options.nEstimators);
    if (iteration + 1 < options.nEstimators && hooks.shouldPause?.()) {
      return { done: false, checkpoint: ensembleToJSON(builder.build()) };
    }
  }
  return { done: true, model: { nScores, initialScores, trees: builder.build() } };
}

function perScore<T>(nScores: number, make: (k: number) => T): T[] {
  return Array.from({ length: nScores }, (_, k) => make(k));
}

function resume(
  checkpoint: unknown,
  columns: readonly Float32Array[],
  nRows: number,
  scores: readonly Float64Array[],
): TreeEnsembleBuilder {
  const trees = ensembleFromJSON(checkpoint);
  addEnsembleScores(trees, columns, nRows, scores);
  return TreeEnsembleBuilder.continuing(trees);
}

/** One column of scores per score of the model. */
export function boostedScores(
  model: BoostedTrees,
  columns: readonly Float32Array[],
  nRows: number,
): Float64Array[] {
  const scores = perScore(model.nScores, (k) => new Float64Array(nRows).fill(model.initialScores[k]!));
  addEnsembleScores(model.trees, columns, nRows, scores);
  return scores;
}

function addEnsembleScores(
  trees: TreeEnsemble,
  columns: readonly Float32Array[],
  nRows: number,
  scores: readonly Float64Array[],
): void {
  const matrix = rowMajor(columns, nRows);
  const nTrees = trees.roots.length - 1;
  for (let tree = 0; tree < nTrees; tree++) {
    addTreeScores(trees, tree, matrix, columns.length, scores[tree % scores.length]!);
  }
}
