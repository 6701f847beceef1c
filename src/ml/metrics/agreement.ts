/** Agreement of labels and predictions beyond chance, from the confusion matrix alone. */

interface Marginals {
  readonly total: number;
  readonly hits: number;
  readonly ofTrue: Float64Array;
  readonly ofPredicted: Float64Array;
}

function marginalsOf(confusion: Float64Array, nClasses: number): Marginals {
  const ofTrue = new Float64Array(nClasses);
  const ofPredicted = new Float64Array(nClasses);
  let total = 0;
  let hits = 0;
  confusion.forEach((count, i) => {
    const row = Math.floor(i / nClasses);
    const column = i % nClasses;
    ofTrue[row]! += count;
    ofPredicted[column]! += count;
    total += count;
    if (row === column) hits += count;
  });
  return { total, hits, ofTrue, ofPredicted };
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/**
 * Correlation of truth and prediction, Gorodkin 2004 for more than two classes, in [-1, 1].
 * 0 when either is constant, as in scikit-learn.
 */
export function matthewsCorrcoef(confusion: Float64Array, nClasses: number): number {
  const { total, hits, ofTrue, ofPredicted } = marginalsOf(confusion, nClasses);
  const covariance = hits * total - dot(ofTrue, ofPredicted);
  const trueVariance = total * total - dot(ofTrue, ofTrue);
  const predictedVariance = total * total - dot(ofPredicted, ofPredicted);
  const product = trueVariance * predictedVariance;
  return product === 0 ? 0 : covariance / Math.sqrt(product);
}

/** Cohen 1960. `undefined` when truth and prediction are one and the same class: chance alone agrees fully. */
export function cohenKappa(confusion: Float64Array, nClasses: number): number | undefined {
  const { total, hits, ofTrue, ofPredicted } = marginalsOf(confusion, nClasses);
  const expectedDisagreement = total - dot(ofTrue, ofPredicted) / total;
  return expectedDisagreement === 0 ? undefined : 1 - (total - hits) / expectedDisagreement;
}
