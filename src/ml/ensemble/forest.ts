import { TrainingError } from '../../errors.ts';
import {
  CRITERION_CLASSES,
  CRITERION_TWO_CLASSES,
  CRITERION_VARIANCE,
  JOB_GROW_TREE,
  P_BINS,
  P_BOOTSTRAP,
  P_CLASS_WEIGHTS,
  P_COUNT_BITS,
  P_CRITERION,
  P_FEATURES,
  P_FIRST_TREE,
  P_GRADIENT_SCALE,
  P_MAX_DEPTH,
  P_MAX_FEATURES,
  P_MAX_NODES,
  P_MIN_SAMPLES_LEAF,
  P_MIN_SAMPLES_SPLIT,
  P_N_CLASSES,
  P_N_FEATURES,
  P_N_ROWS,
  P_PACKED,
  P_RANDOM_CUTS,
  P_ROOM_BYTES,
  P_ROOM_FLAGS,
  P_ROOMS,
  P_SEED,
  P_TREE_BYTES,
  P_TREES,
  P_WEIGHTS,
} from '../kernel/assembly/layout.ts';
import { Kernel } from '../kernel/kernel.ts';
import type { FitHooks, FitResult } from '../pipeline-model.ts';
import { type BinnedMatrix, binColumns, type TreeColumn } from '../tree/binned-matrix.ts';
import { ensembleFromJSON, ensembleToJSON, type TreeEnsemble } from '../tree/tree.ts';
import { type ForestOptions, type ForestPlace, planForest } from './forest-memory.ts';
import { checkForestSize, ForestTrees } from './forest-trees.ts';

export type { ForestOptions } from './forest-memory.ts';

export type ForestTarget =
  | { readonly kind: 'values'; readonly y: Float64Array }
  | {
      readonly kind: 'classes';
      readonly indices: Int32Array;
      readonly nClasses: number;
      /** Weight of a row of each class. */
      readonly weights: Float64Array;
    };

/**
 * score k of a row = base + sum over the trees of the k-th value of its leaf: the mean of the target, the share of
 * class 1 with two classes, or the share of each class. The trees' values are divided by their number already.
 */
export interface Forest {
  readonly base: number;
  readonly trees: TreeEnsemble;
}

/** Finer integers than this would not survive being a float64. */
const MAX_SUM_BITS = 51;

/**
 * Random forest (Breiman 2001) or extremely randomized trees (Geurts, Ernst and Wehenkel 2006) on binned features.
 * Trees are independent and seeded by their number: any number of threads, and any pause between them, gives the same
 * forest. Cost O(nEstimators · maxFeatures · nRows · depth); memory nColumns bytes a row and 40 bytes a row and thread.
 */
export function fitForest(
  columns: readonly TreeColumn[],
  nRows: number,
  target: ForestTarget,
  options: ForestOptions,
  hooks: FitHooks = {},
  checkpoint?: unknown,
): FitResult<Forest> {
  const nThreads = hooks.parallel?.nThreads ?? 1;
  const nClasses = target.kind === 'classes' ? target.nClasses : 0;
  const width = nClasses > 2 ? nClasses : 1;
  const { matrixPlace, room, place, maxNodes, round, totalBytes } = planForest(
    nRows,
    columns.length,
    nClasses,
    options,
    nThreads,
  );
  const kernel = new Kernel(totalBytes, hooks.parallel);
  try {
    const binned = binColumns(
      kernel,
      columns,
      nRows,
      options.maxBins,
      options.randomState,
      matrixPlace,
      room,
      undefined,
      'columns',
    );
    const base = loadTarget(kernel, target, nRows, place);
    setParameters(kernel, binned, target, options, place);
    kernel.setInt(P_MAX_NODES, maxNodes);
    const grown =
      checkpoint === undefined ? new ForestTrees(width) : ForestTrees.of(ensembleFromJSON(checkpoint));
    const cuts = binned.features.map(({ column, thresholds }) => ({ column, thresholds }));
    while (grown.nTrees < options.nEstimators) {
      const first = grown.nTrees;
      const count = Math.min(round, options.nEstimators - first);
      kernel.setInt(P_FIRST_TREE, first);
      kernel.run(JOB_GROW_TREE, count);
      for (let i = 0; i < count; i++) {
        grown.add(kernel, place.trees + i * place.treeBytes, maxNodes, cuts, options.nEstimators);
        // Tree by tree, so that how many threads grew the round does not matter.
        checkForestSize(grown, options.nEstimators);
      }
      hooks.onProgress?.(grown.nTrees / options.nEstimators);
      if (grown.nTrees < options.nEstimators && hooks.shouldPause?.()) {
        return { done: false, checkpoint: ensembleToJSON(grown.build()) };
      }
    }
    return { done: true, model: { base, trees: grown.build() } };
  } finally {
    kernel.pause();
  }
}

/** The target as one int64 a row, and what it was centered by. */
function loadTarget(
  kernel: Kernel,
  target: ForestTarget,
  nRows: number,
  { packed, weights }: ForestPlace,
): number {
  const out = kernel.bigInt64(packed, nRows);
  const countBits = 32 - Math.clz32(nRows);
  kernel.setInt(P_COUNT_BITS, countBits);
  kernel.setFloat(P_GRADIENT_SCALE, 1);
  if (target.kind === 'classes') {
    const { indices, nClasses } = target;
    kernel.float64(weights, target.weights.length).set(target.weights);
    const of = (index: number) => (nClasses > 2 ? BigInt(index) : (BigInt(index) << BigInt(countBits)) + 1n);
    const values = Array.from({ length: nClasses }, (_, index) => of(index));
    for (let row = 0; row < nRows; row++) out[row] = values[indices[row]!]!;
    return 0;
  }
  const { y } = target;
  let sum = 0;
  for (const value of y) sum += value / nRows;
  const base = Math.fround(sum);
  let largest = 0;
  for (const value of y) largest = Math.max(largest, Math.abs(value - base));
  if (!Number.isFinite(largest)) {
    throw new TrainingError('INFINITE_VALUE', 'the target spreads too far to be averaged; scale it down');
  }
  // Every sum of a tree's rows, drawn as often as may be, keeps to its bits.
  const bits = Math.min(MAX_SUM_BITS, 63 - countBits) - 1;
  const scale = largest > 0 ? (2 ** bits / nRows - 1) / largest : 1;
  kernel.setFloat(P_GRADIENT_SCALE, scale);
  for (let row = 0; row < nRows; row++) {
    out[row] = (BigInt(Math.round((y[row]! - base) * scale)) << BigInt(countBits)) + 1n;
  }
  return base;
}

function setParameters(
  kernel: Kernel,
  binned: BinnedMatrix,
  target: ForestTarget,
  options: ForestOptions,
  place: ForestPlace,
): void {
  const nClasses = target.kind === 'classes' ? target.nClasses : 0;
  const isTwo = nClasses === 2;
  kernel.setInt(
    P_CRITERION,
    isTwo ? CRITERION_TWO_CLASSES : nClasses > 2 ? CRITERION_CLASSES : CRITERION_VARIANCE,
  );
  kernel.setInt(P_N_CLASSES, nClasses > 2 ? nClasses : 0);
  const [first, second] = target.kind === 'classes' && isTwo ? target.weights : [1, 1];
  kernel.setFloat(P_CLASS_WEIGHTS, first!);
  kernel.setFloat(P_CLASS_WEIGHTS + 8, second!);
  kernel.setInt(P_WEIGHTS, place.weights);
  kernel.setInt(P_N_ROWS, binned.nRows);
  kernel.setInt(P_BINS, binned.address);
  kernel.setInt(P_FEATURES, binned.featureRecords);
  kernel.setInt(P_N_FEATURES, binned.features.length);
  kernel.setInt(P_PACKED, place.packed);
  kernel.setInt(P_ROOM_FLAGS, place.flags);
  kernel.setInt(P_ROOMS, place.rooms);
  kernel.setInt(P_ROOM_BYTES, place.roomBytes);
  kernel.setInt(P_TREES, place.trees);
  kernel.setInt(P_TREE_BYTES, place.treeBytes);
  kernel.setInt(P_MAX_FEATURES, options.maxFeatures);
  kernel.setInt(P_MAX_DEPTH, options.maxDepth ?? 0x7fffffff);
  kernel.setInt(P_MIN_SAMPLES_LEAF, options.minSamplesLeaf);
  kernel.setInt(P_MIN_SAMPLES_SPLIT, options.minSamplesSplit);
  kernel.setInt(P_BOOTSTRAP, options.bootstrap ? 1 : 0);
  kernel.setInt(P_RANDOM_CUTS, options.randomCuts ? 1 : 0);
  kernel.setInt(P_SEED, options.randomState);
}
