/**
 * Ascending float32 thresholds t such that bin b holds t[b-1] < x <= t[b]: between all neighbours when there are few
 * distinct values, else at quantiles. Each threshold is a float32, at or above the value below it and less than the
 * value above it, so a float32 comparison anywhere else takes the same side. O(n).
 * @param sorted - ascending, without NaN.
 * @param maxBins - in [2, 255].
 */
export function thresholdsOf(sorted: Float32Array, maxBins: number): Float32Array {
  const distinct = fewDistinct(sorted, maxBins);
  if (distinct !== undefined) {
    return Float32Array.from({ length: Math.max(0, distinct.length - 1) }, (_, i) =>
      float32Between(distinct[i]!, distinct[i + 1]!),
    );
  }
  const thresholds: number[] = [];
  for (let bin = 1; bin < maxBins; bin++) {
    const position = (bin / maxBins) * (sorted.length - 1);
    const threshold = float32Between(sorted[Math.floor(position)]!, sorted[Math.ceil(position)]!);
    // Nothing lies above the largest value: a cut there would be an empty bin.
    if ((thresholds.length === 0 || threshold > thresholds.at(-1)!) && threshold < sorted.at(-1)!) {
      thresholds.push(threshold);
    }
  }
  return Float32Array.from(thresholds);
}

/** The distinct values; `undefined` when there are more than `most`. */
function fewDistinct(sorted: Float32Array, most: number): number[] | undefined {
  const distinct: number[] = [];
  for (let i = 0; i < sorted.length; i++) {
    if (i > 0 && sorted[i] === sorted[i - 1]) continue;
    if (distinct.length === most) return undefined;
    distinct.push(sorted[i]!);
  }
  return distinct;
}

/** low <= result < high, unless they are equal. Halves are added, so that large values do not overflow. */
function float32Between(low: number, high: number): number {
  const middle = Math.fround(low / 2 + high / 2);
  return middle >= high || middle < low ? low : middle;
}
