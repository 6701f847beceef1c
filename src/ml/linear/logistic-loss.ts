/** Log loss of scores and its derivatives; one score (log odds of the second class) or one per class. */

/** Sum of losses; scores become weight · (probability - truth). */
export function lossAndResiduals(
  scores: readonly Float64Array[],
  classIndices: Int32Array,
  rowWeights: Float64Array,
): number {
  return scores.length === 1
    ? binaryResiduals(scores[0]!, classIndices, rowWeights)
    : multinomialResiduals(scores, classIndices, rowWeights);
}

function binaryResiduals(scores: Float64Array, classIndices: Int32Array, rowWeights: Float64Array): number {
  let loss = 0;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    const truth = classIndices[i]!;
    const small = Math.exp(-Math.abs(score));
    loss += rowWeights[i]! * (Math.log1p(small) + Math.max(score, 0) - truth * score);
    const probability = score >= 0 ? 1 / (1 + small) : small / (1 + small);
    scores[i] = rowWeights[i]! * (probability - truth);
  }
  return loss;
}

function multinomialResiduals(
  scores: readonly Float64Array[],
  classIndices: Int32Array,
  rowWeights: Float64Array,
): number {
  let loss = 0;
  for (let i = 0; i < classIndices.length; i++) {
    const truth = classIndices[i]!;
    const trueScore = scores[truth]![i]!;
    let largest = Number.NEGATIVE_INFINITY;
    for (const column of scores) largest = Math.max(largest, column[i]!);
    let sum = 0;
    for (const column of scores) {
      column[i] = Math.exp(column[i]! - largest);
      sum += column[i]!;
    }
    loss += rowWeights[i]! * (Math.log(sum) + largest - trueScore);
    for (const column of scores) column[i] = (rowWeights[i]! * column[i]!) / sum;
    scores[truth]![i]! -= rowWeights[i]!;
  }
  return loss;
}
