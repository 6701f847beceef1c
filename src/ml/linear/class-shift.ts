/**
 * Adding one number to a column's weights of all classes changes no probability, only the penalty. Steps that move one
 * class at a time creep along that direction; this goes to its minimum at once (Friedman, Hastie and Tibshirani 2010,
 * section 4.1).
 */

/** @param weights - of one column, one per class. @returns c minimizing Σ l1 |w - c| + ½ l2 (w - c)², the nearest to 0 */
export function bestShift(weights: readonly number[], l1: number, l2: number): number {
  const sorted = [...weights].sort((a, b) => a - b);
  const nClasses = sorted.length;
  const sum = sorted.reduce((total, weight) => total + weight, 0);
  // The derivative rises with c: -l1 (those above - those below) - l2 (sum - nClasses c). Find where it crosses zero.
  let lowest = Number.NEGATIVE_INFINITY;
  for (let below = 0; below <= nClasses; below++) {
    const highest = sorted[below] ?? Number.POSITIVE_INFINITY;
    const pull = l1 * (nClasses - 2 * below) + l2 * sum;
    if (l2 > 0) {
      const root = pull / (l2 * nClasses);
      if (root <= highest) return Math.max(root, lowest);
    } else if (pull <= 0) {
      // Any number between the two middle weights of an even count does.
      return pull < 0 ? lowest : Math.max(lowest, Math.min(highest, 0));
    }
    lowest = highest;
  }
  return lowest;
}

/** A shift by less than this share of the largest weight is rounding. */
const NEGLIGIBLE = 1e-10;

/**
 * The blocks (weights of one class, its intercept behind them) with every column at its best shift, or the very same array where nothing is to be gained.
 */
export function shiftClasses(
  blocks: readonly Float64Array[],
  { l1, l2, nPenalized }: { readonly l1: number; readonly l2: number; readonly nPenalized: number },
): readonly Float64Array[] {
  const shifts = new Float64Array(blocks[0]!.length);
  let isShifted = false;
  for (let j = 0; j < nPenalized; j++) {
    const weights = blocks.map((block) => block[j]!);
    const shift = bestShift(weights, l1, l2);
    if (Math.abs(shift) <= NEGLIGIBLE * Math.max(...weights.map(Math.abs))) continue;
    shifts[j] = shift;
    isShifted = true;
  }
  return isShifted ? blocks.map((block) => block.map((weight, j) => weight - shifts[j]!)) : blocks;
}
