/** Keeps a tree monotonic when its leaves take values other than those that it was grown with. */
import type { TreeEnsembleBuilder } from './tree.ts';

/** A split of a constrained feature; `sign` 1 has the right side's leaves above the left side's, -1 below. */
export interface ConstrainedSplit {
  readonly sign: number;
  /** Positions among the tree's rows. */
  readonly start: number;
  readonly middle: number;
  readonly end: number;
}

export interface PlacedLeaf {
  readonly node: number;
  readonly start: number;
}

/**
 * Moves leaves on the wrong side of each other to the middle between them.
 * @param splits - parents before their children. They are gone through from the last to the first: holding values
 * within a bound keeps the order that splits further down have given them.
 */
export function restoreMonotony(
  trees: TreeEnsembleBuilder,
  leaves: readonly PlacedLeaf[],
  splits: readonly ConstrainedSplit[],
): void {
  for (const { sign, start, middle, end } of splits.toReversed()) {
    const nodes = (from: number, to: number) =>
      leaves.filter((leaf) => leaf.start >= from && leaf.start < to).map((leaf) => leaf.node);
    const left = nodes(start, middle);
    const right = nodes(middle, end);
    const [lower, upper] = sign > 0 ? [left, right] : [right, left];
    const highest = lower.reduce(
      (most, node) => Math.max(most, trees.valueOf(node)),
      Number.NEGATIVE_INFINITY,
    );
    const lowest = upper.reduce(
      (least, node) => Math.min(least, trees.valueOf(node)),
      Number.POSITIVE_INFINITY,
    );
    if (highest <= lowest) continue;
    const between = highest / 2 + lowest / 2;
    for (const node of lower) trees.setValue(node, Math.min(trees.valueOf(node), between));
    for (const node of upper) trees.setValue(node, Math.max(trees.valueOf(node), between));
  }
}
