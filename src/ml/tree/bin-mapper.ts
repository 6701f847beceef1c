/** Where a numeric feature is cut into bins, and the bin of every value. */
import type { Random } from '../random.ts';

/** Rows looked at for the cuts; more do not change them noticeably. */
const MAX_ROWS_FOR_CUTS = 200_000;

/**
 * Ascending float32 thresholds t such that bin b holds t[b-1] < x <= t[b]: between all neighbours when there are few
 * distinct values, else at quantiles. Each threshold is a float32, at or above the value below it and less than the
 * value above it, so a float32 comparison anywhere else takes the same side. O(n log n).
 */
export function fitThresholds(values: Float32Array, maxBins: number, random: Random): Float32Array {
  const sorted = sortedSample(values, random);
  const distinct = distinctOf(sorted);
  if (distinct.length <= maxBins) {
    return Float32Array.from({ length: Math.max(0, distinct.length - 1) }, (_, i) =>
      float32Between(distinct[i]!, distinct[i + 1]!),
    );
  }
  const thresholds: number[] = [];
  for (let bin = 1; bin < maxBins; bin++) {
    const position = (bin / maxBins) * (sorted.length - 1);
    const threshold = float32Between(sorted[Math.floor(position)]!, sorted[Math.ceil(position)]!);
    if (thresholds.length === 0 || threshold > thresholds.at(-1)!) thresholds.push(threshold);
  }
  return Float32Array.from(thresholds);
}

/** Without the missing values, ascending. */
function sortedSample(values: Float32Array, random: Random): Float32Array {
  if (values.length <= MAX_ROWS_FOR_CUTS) return values.filter((value) => !Number.isNaN(value)).sort();
  const sample = Float32Array.from(
    { length: MAX_ROWS_FOR_CUTS },
    () => values[random.nextInt(values.length)]!,
  );
  return sample.filter((value) => !Number.isNaN(value)).sort();
}

function distinctOf(sorted: Float32Array): Float32Array {
  return sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
}

/** low <= result < high, unless they are equal. Halves are added, so that large values do not overflow. */
function float32Between(low: number, high: number): number {
  const middle = Math.fround(low / 2 + high / 2);
  return middle >= high || middle < low ? low : middle;
}

/** Bin per value: the number of thresholds below it; `missingBin` for NaN. O(n log bins). */
export function binValues(
  values: Float32Array,
  thresholds: Float32Array,
  missingBin: number,
  out: Uint8Array,
): void {
  for (let i = 0; i < values.length; i++) out[i] = binOf(values[i]!, thresholds, missingBin);
}

function binOf(value: number, thresholds: Float32Array, missingBin: number): number {
  if (Number.isNaN(value)) return missingBin;
  let low = 0;
  let high = thresholds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (thresholds[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
