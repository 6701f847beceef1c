/** Areas under the ROC and precision-recall curves, ties handled as scikit-learn does. */

/** Rows from the highest score to the lowest; rows of one score in their own order. */
export function byDescendingScore(scores: Float64Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** Weight of the positive and the negative rows at or above each distinct score, from the highest down. */
export interface CumulativeCounts {
  readonly thresholds: number[];
  readonly truePositives: number[];
  readonly falsePositives: number[];
}

/** O(n log n). */
export function cumulativeCounts(
  isPositive: Uint8Array,
  scores: Float64Array,
  sampleWeights?: Float64Array,
): CumulativeCounts {
  const order = byDescendingScore(scores);
  const thresholds: number[] = [];
  const truePositives: number[] = [];
  const falsePositives: number[] = [];
  let positives = 0;
  let negatives = 0;
  for (let start = 0; start < order.length; ) {
    const score = scores[order[start]!]!;
    let end = start;
    for (; end < order.length && scores[order[end]!]! === score; end++) {
      const row = order[end]!;
      const weight = sampleWeights === undefined ? 1 : sampleWeights[row]!;
      if (isPositive[row] === 1) positives += weight;
      else negatives += weight;
    }
    thresholds.push(score);
    truePositives.push(positives);
    falsePositives.push(negatives);
    start = end;
  }
  return { thresholds, truePositives, falsePositives };
}

/**
 * Probability that a positive row scores above a negative one, ties counting half.
 * `undefined` when either kind is missing: the curve does not exist. O(n log n).
 */
export function rocAuc(
  isPositive: Uint8Array,
  scores: Float64Array,
  sampleWeights?: Float64Array,
): number | undefined {
  const { truePositives, falsePositives } = cumulativeCounts(isPositive, scores, sampleWeights);
  const positives = truePositives.at(-1) ?? 0;
  const negatives = falsePositives.at(-1) ?? 0;
  let concordant = 0;
  truePositives.forEach((above, i) => {
    const before = i === 0 ? 0 : truePositives[i - 1]!;
    const tiedNegatives = falsePositives[i]! - (i === 0 ? 0 : falsePositives[i - 1]!);
    concordant += tiedNegatives * (before + (above - before) / 2);
  });
  return positives === 0 || negatives === 0 ? undefined : concordant / (positives * negatives);
}

/** Sum of precision times step in recall over distinct scores. `undefined` without positive rows. */
export function averagePrecision(
  isPositive: Uint8Array,
  scores: Float64Array,
  sampleWeights?: Float64Array,
): number | undefined {
  const { truePositives, falsePositives } = cumulativeCounts(isPositive, scores, sampleWeights);
  const positives = truePositives.at(-1) ?? 0;
  let sum = 0;
  truePositives.forEach((above, i) => {
    const step = above - (i === 0 ? 0 : truePositives[i - 1]!);
    if (step > 0) sum += (step * above) / (above + falsePositives[i]!);
  });
  return positives === 0 ? undefined : sum / positives;
}
