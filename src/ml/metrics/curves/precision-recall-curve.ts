import { cumulativeCounts } from '../ranking.ts';
import type { RankedCurveOptions } from './roc-curve.ts';
import { DEFAULT_MAX_POINTS, taken, thinnedPositions } from './thin-curve.ts';

export interface PrecisionRecallCurve {
  readonly precision: number[];
  readonly recall: number[];
  /** Ascending; one fewer than the points: the last point, precision 1 at recall 0, belongs to no threshold. */
  readonly thresholds: number[];
}

/**
 * As scikit-learn's precision_recall_curve: from the lowest threshold, where recall is 1, to the highest.
 * @returns undefined without positive rows.
 */
export function precisionRecallCurve(
  isPositive: Uint8Array,
  scores: Float64Array,
  { sampleWeights, maxPoints = DEFAULT_MAX_POINTS }: RankedCurveOptions = {},
): PrecisionRecallCurve | undefined {
  const counts = cumulativeCounts(isPositive, scores, sampleWeights);
  const positives = counts.truePositives.at(-1) ?? 0;
  if (positives === 0) return undefined;
  const precision = counts.truePositives
    .map((count, i) => (count === 0 ? 0 : count / (count + counts.falsePositives[i]!)))
    .reverse();
  const recall = counts.truePositives.map((count) => count / positives).reverse();
  const thresholds = counts.thresholds.reverse();
  const kept = thinnedPositions(recall, precision, maxPoints - 1);
  return {
    precision: [...taken(precision, kept), 1],
    recall: [...taken(recall, kept), 0],
    thresholds: taken(thresholds, kept),
  };
}
