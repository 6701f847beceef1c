/** Row-major nClasses × nClasses counts, or sums of weights: row is the true class, column the predicted one. */
export function confusionMatrix(
  yTrue: Int32Array,
  yPred: Int32Array,
  nClasses: number,
  sampleWeights?: Float64Array,
): Float64Array {
  const counts = new Float64Array(nClasses * nClasses);
  for (let i = 0; i < yTrue.length; i++) {
    counts[yTrue[i]! * nClasses + yPred[i]!]! += sampleWeights === undefined ? 1 : sampleWeights[i]!;
  }
  return counts;
}

/**
 * Shares of the rows of the true class, of the predicted class or of all rows. A class without rows has zeros, as in
 * scikit-learn.
 */
export function normalizedConfusion(
  confusion: Float64Array,
  nClasses: number,
  over: 'true' | 'pred' | 'all',
): Float64Array {
  const total = confusion.reduce((sum, count) => sum + count, 0);
  const rowSums = new Float64Array(nClasses);
  const columnSums = new Float64Array(nClasses);
  confusion.forEach((count, i) => {
    rowSums[Math.floor(i / nClasses)]! += count;
    columnSums[i % nClasses]! += count;
  });
  return confusion.map((count, i) => {
    const sum =
      over === 'all'
        ? total
        : over === 'true'
          ? rowSums[Math.floor(i / nClasses)]!
          : columnSums[i % nClasses]!;
    return sum === 0 ? 0 : count / sum;
  });
}

export interface ClassScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Rows, or weight, that are truly of the class. */
  readonly support: number;
  /** Rows that are of the class in truth or by prediction; scikit-learn averages over classes that have any. */
  readonly present: boolean;
}

/** Per class; a ratio with nothing to divide by is 0, as in scikit-learn. */
export function scoresPerClass(confusion: Float64Array, nClasses: number): ClassScores[] {
  return Array.from({ length: nClasses }, (_, k) => {
    let support = 0;
    let predicted = 0;
    for (let j = 0; j < nClasses; j++) {
      support += confusion[k * nClasses + j]!;
      predicted += confusion[j * nClasses + k]!;
    }
    const hits = confusion[k * nClasses + k]!;
    return {
      precision: predicted === 0 ? 0 : hits / predicted,
      recall: support === 0 ? 0 : hits / support,
      f1: support + predicted === 0 ? 0 : (2 * hits) / (support + predicted),
      support,
      present: support + predicted > 0,
    };
  });
}
