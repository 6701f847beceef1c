/** Row-major nClasses × nClasses counts: row is the true class, column the predicted one. */
export function confusionMatrix(yTrue: Int32Array, yPred: Int32Array, nClasses: number): Float64Array {
  const counts = new Float64Array(nClasses * nClasses);
  for (let i = 0; i < yTrue.length; i++) counts[yTrue[i]! * nClasses + yPred[i]!]!++;
  return counts;
}

export interface ClassScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Rows that are truly of the class. */
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
