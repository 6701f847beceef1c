/** Areas under the ROC and precision-recall curves, ties handled as scikit-learn does. */

/** Rows from the highest score to the lowest. */
function byDescendingScore(scores: Float64Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
}

/**
 * Probability that a positive row scores above a negative one, ties counting half.
 * `undefined` when either kind is missing: the curve does not exist. O(n log n).
 */
export function rocAuc(isPositive: Uint8Array, scores: Float64Array): number | undefined {
  const order = byDescendingScore(scores);
  let positives = 0;
  let negatives = 0;
  let concordant = 0;
  for (let start = 0; start < order.length; ) {
    let tiePositives = 0;
    let end = start;
    const score = scores[order[start]!]!;
    for (; end < order.length && scores[order[end]!]! === score; end++)
      tiePositives += isPositive[order[end]!]!;
    const tieNegatives = end - start - tiePositives;
    concordant += tieNegatives * (positives + tiePositives / 2);
    positives += tiePositives;
    negatives += tieNegatives;
    start = end;
  }
  return positives === 0 || negatives === 0 ? undefined : concordant / (positives * negatives);
}

/** Sum of precision times step in recall over distinct scores. `undefined` without positive rows. */
export function averagePrecision(isPositive: Uint8Array, scores: Float64Array): number | undefined {
  const order = byDescendingScore(scores);
  let positives = 0;
  let sum = 0;
  for (let start = 0; start < order.length; ) {
    let tiePositives = 0;
    let end = start;
    const score = scores[order[start]!]!;
    for (; end < order.length && scores[order[end]!]! === score; end++)
      tiePositives += isPositive[order[end]!]!;
    positives += tiePositives;
    sum += tiePositives * (positives / end);
    start = end;
  }
  return positives === 0 ? undefined : sum / positives;
}
