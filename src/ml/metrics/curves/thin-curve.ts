/**
 * Which points of a long curve to draw.
 *
 * Rule: the first and the last point stay; between them the curve is cut into maxPoints - 1 stretches of equal length
 * (|dx| + |dy|, each axis in units of its own range), and the first point of each stretch stays. So no dropped point is
 * further than 1 / (maxPoints - 1) of the curve's length from one that stays, steep parts keep as many points as flat
 * ones, and every kept point is a point of the curve: nothing is interpolated.
 * @param x, y - of the same length, finite.
 * @returns ascending positions, all of them when there are no more than `maxPoints`.
 */
export function thinnedPositions(x: ArrayLike<number>, y: ArrayLike<number>, maxPoints: number): number[] {
  const nPoints = x.length;
  if (nPoints <= Math.max(2, maxPoints)) return Array.from({ length: nPoints }, (_, i) => i);
  const unitX = rangeOf(x) || 1;
  const unitY = rangeOf(y) || 1;
  const lengths = new Float64Array(nPoints);
  for (let i = 1; i < nPoints; i++) {
    lengths[i] = lengths[i - 1]! + Math.abs(x[i]! - x[i - 1]!) / unitX + Math.abs(y[i]! - y[i - 1]!) / unitY;
  }
  const stretch = lengths[nPoints - 1]! / (Math.max(2, maxPoints) - 1);
  const kept = [0];
  let reached = 0;
  for (let i = 1; i < nPoints - 1; i++) {
    const current = Math.floor(lengths[i]! / stretch);
    // The last stretch is the last point's.
    if (current > reached && kept.length < maxPoints - 1) {
      kept.push(i);
      reached = current;
    }
  }
  kept.push(nPoints - 1);
  return kept;
}

function rangeOf(values: ArrayLike<number>): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  return high - low;
}

export function taken(values: ArrayLike<number>, positions: readonly number[]): number[] {
  return positions.map((position) => values[position]!);
}

/** Points of a curve, unless told otherwise. */
export const DEFAULT_MAX_POINTS = 500;
