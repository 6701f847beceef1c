import { cumulativeCounts } from '../ranking.ts';
import type { RankedCurveOptions } from './roc-curve.ts';
import { DEFAULT_MAX_POINTS, taken, thinnedPositions } from './thin-curve.ts';

export interface GainCurve {
  /** Share of rows, the highest scores first; begins at 0. */
  readonly share_of_rows: number[];
  /** Share of all positive rows among them. */
  readonly gain: number[];
  /** How many times as many positives as among as many random rows; at 0 rows that of the first point. */
  readonly lift: number[];
}

/** Cumulative gain and lift; rows of one score come in together. `undefined` without positive rows. */
export function gainCurve(
  isPositive: Uint8Array,
  scores: Float64Array,
  { sampleWeights, maxPoints = DEFAULT_MAX_POINTS }: RankedCurveOptions = {},
): GainCurve | undefined {
  const { truePositives, falsePositives } = cumulativeCounts(isPositive, scores, sampleWeights);
  const positives = truePositives.at(-1) ?? 0;
  if (positives === 0) return undefined;
  const total = positives + falsePositives.at(-1)!;
  const shares = [0, ...truePositives.map((count, i) => (count + falsePositives[i]!) / total)];
  const gains = [0, ...truePositives.map((count) => count / positives)];
  const lifts = gains.map((gain, i) => (i === 0 ? gains[1]! / shares[1]! : gain / shares[i]!));
  const kept = thinnedPositions(shares, gains, maxPoints);
  return { share_of_rows: taken(shares, kept), gain: taken(gains, kept), lift: taken(lifts, kept) };
}
