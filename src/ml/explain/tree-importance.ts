import type { TreeEnsemble } from '../tree/tree.ts';

/** Of each feature, over all trees. */
export interface TreeImportance {
  /** Sum of what its splits lowered the training loss by. */
  readonly gain: Float64Array;
  /** Number of splits on it. */
  readonly splits: Float64Array;
}

/**
 * What trees tell of themselves, without rows. Features of many values get more than they deserve (Strobl et al. 2007):
 * permutation importance on rows that were not learnt from does not have this bias.
 * @param sources - feature of each column.
 */
export function treeImportance(
  trees: TreeEnsemble,
  sources: ArrayLike<number>,
  nFeatures: number,
): TreeImportance {
  const gain = new Float64Array(nFeatures);
  const splits = new Float64Array(nFeatures);
  for (let node = 0; node < trees.feature.length; node++) {
    const column = trees.feature[node]!;
    if (column < 0) continue;
    const feature = sources[column]!;
    gain[feature]! += trees.gain[node]!;
    splits[feature]!++;
  }
  return { gain, splits };
}
