/** Metrics of probabilities per class. A row of a class that is none of them has class index -1. */

/**
 * Probabilities are kept one float64 rounding step away from 0 and 1, so that a sure mistake costs 36, not infinity.
 * @param probabilities - row-major n_samples × n_classes.
 */
export function logLoss(
  yTrue: Int32Array,
  probabilities: Float64Array,
  nClasses: number,
  sampleWeights?: Float64Array,
): number {
  const epsilon = Number.EPSILON;
  let loss = 0;
  let total = 0;
  for (let i = 0; i < yTrue.length; i++) {
    let sum = 0;
    for (let k = 0; k < nClasses; k++) sum += clip(probabilities[i * nClasses + k]!, epsilon);
    const ofTruth = yTrue[i]! < 0 ? 0 : probabilities[i * nClasses + yTrue[i]!]!;
    const weight = sampleWeights === undefined ? 1 : sampleWeights[i]!;
    loss -= weight * Math.log(clip(ofTruth, epsilon) / sum);
    total += weight;
  }
  return loss / total;
}

function clip(probability: number, epsilon: number): number {
  return Math.min(1 - epsilon, Math.max(epsilon, probability));
}

/**
 * Mean squared distance of the probabilities from the truth (Brier 1950): of the second class with two classes, in
 * [0, 1]; summed over the classes with more, in [0, 2]. scikit-learn has the latter since 1.7.
 */
export function brierScore(
  yTrue: Int32Array,
  probabilities: Float64Array,
  nClasses: number,
  sampleWeights?: Float64Array,
): number {
  let sum = 0;
  let total = 0;
  for (let i = 0; i < yTrue.length; i++) {
    // The class that is none of the known ones has probability 0 and is the truth.
    let distance = yTrue[i]! < 0 ? 1 : 0;
    for (let k = 0; k < nClasses; k++) {
      const error = probabilities[i * nClasses + k]! - (k === yTrue[i] ? 1 : 0);
      distance += error * error;
    }
    const weight = sampleWeights === undefined ? 1 : sampleWeights[i]!;
    sum += weight * distance;
    total += weight;
  }
  // With two classes both errors are the same one.
  return sum / total / (nClasses === 2 ? 2 : 1);
}

/**
 * Share of rows whose class is among the k most probable ones; of equals the later class comes first, as in
 * scikit-learn. 1 for k >= n_classes but for rows of an unknown class.
 */
export function topKAccuracy(
  yTrue: Int32Array,
  probabilities: Float64Array,
  nClasses: number,
  k = 2,
  sampleWeights?: Float64Array,
): number {
  let hits = 0;
  let total = 0;
  for (let i = 0; i < yTrue.length; i++) {
    const weight = sampleWeights === undefined ? 1 : sampleWeights[i]!;
    total += weight;
    const truth = yTrue[i]!;
    if (truth < 0) continue;
    const ofTruth = probabilities[i * nClasses + truth]!;
    let before = 0;
    for (let other = 0; other < nClasses; other++) {
      const probability = probabilities[i * nClasses + other]!;
      if (probability > ofTruth || (probability === ofTruth && other > truth)) before++;
    }
    if (before < k) hits += weight;
  }
  return hits / total;
}
