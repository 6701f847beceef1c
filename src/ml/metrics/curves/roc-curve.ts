import { cumulativeCounts } from '../ranking.ts';
import { DEFAULT_MAX_POINTS, taken, thinnedPositions } from './thin-curve.ts';

export interface RocCurve {
  readonly false_positive_rate: number[];
  readonly true_positive_rate: number[];
  /** Rows that score at least this are taken for positive; the first is above every score: nobody. */
  readonly thresholds: number[];
}

export interface RankedCurveOptions {
  readonly sampleWeights?: Float64Array;
  /** See `thinnedPositions` for what is left out. @default 500 */
  readonly maxPoints?: number;
}

/**
 * As scikit-learn's roc_curve, which gives the first threshold as the highest score plus one.
 * @param dropIntermediate - leave out the points between the ends of a straight stretch. @default true
 * @returns undefined with one class only: the curve does not exist.
 */
export function rocCurve(
  isPositive: Uint8Array,
  scores: Float64Array,
  {
    sampleWeights,
    maxPoints = DEFAULT_MAX_POINTS,
    dropIntermediate = true,
  }: RankedCurveOptions & { readonly dropIntermediate?: boolean } = {},
): RocCurve | undefined {
  const counts = cumulativeCounts(isPositive, scores, sampleWeights);
  const positives = counts.truePositives.at(-1) ?? 0;
  const negatives = counts.falsePositives.at(-1) ?? 0;
  if (positives === 0 || negatives === 0) return undefined;
  const corners = dropIntermediate
    ? cornersOf(counts.falsePositives, counts.truePositives)
    : [...counts.thresholds.keys()];
  const falsePositiveRate = [0, ...taken(counts.falsePositives, corners).map((count) => count / negatives)];
  const truePositiveRate = [0, ...taken(counts.truePositives, corners).map((count) => count / positives)];
  const thresholds = [counts.thresholds[0]! + 1, ...taken(counts.thresholds, corners)];
  const kept = thinnedPositions(falsePositiveRate, truePositiveRate, maxPoints);
  return {
    false_positive_rate: taken(falsePositiveRate, kept),
    true_positive_rate: taken(truePositiveRate, kept),
    thresholds: taken(thresholds, kept),
  };
}

/** Both ends, and every point at which the next step differs from the one before it. */
function cornersOf(x: readonly number[], y: readonly number[]): number[] {
  const isCorner = (i: number) =>
    i === 0 ||
    i === x.length - 1 ||
    x[i + 1]! - x[i]! - (x[i]! - x[i - 1]!) !== 0 ||
    y[i + 1]! - y[i]! - (y[i]! - y[i - 1]!) !== 0;
  return [...x.keys()].filter(isCorner);
}
