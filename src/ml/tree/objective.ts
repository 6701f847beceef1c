/** Losses as boosting sees them: where scores begin, and first and second derivatives. They know nothing of trees. */

export interface Objective {
  /** Scores per row, and trees per iteration. */
  readonly nScores: number;
  /** The best constant per score, as float32. */
  readonly initialScores: Float32Array;
  /** Derivatives at the scores (one column per score), for all scores before any of them changes. */
  derivatives(
    scores: readonly Float64Array[],
    gradients: readonly Float64Array[],
    hessians: readonly Float64Array[],
  ): void;
}

export function squaredError(y: Float64Array): Objective {
  let sum = 0;
  for (const value of y) sum += value;
  return {
    nScores: 1,
    initialScores: Float32Array.of(sum / y.length),
    derivatives([score], [gradient], [hessian]) {
      hessian!.fill(1);
      for (let i = 0; i < y.length; i++) gradient![i] = score![i]! - y[i]!;
    },
  };
}

/** Binary: one score, the log odds of class 1. Weights are one per row. @default - all 1 */
export function binaryLogLoss(classIndices: Int32Array, weights?: Float64Array): Objective {
  const [negative, positive] = classWeights(classIndices, 2, weights);
  return {
    nScores: 1,
    initialScores: Float32Array.of(Math.log(positive! / negative!)),
    derivatives([score], [gradient], [hessian]) {
      for (let i = 0; i < classIndices.length; i++) {
        const probability = 1 / (1 + Math.exp(-score![i]!));
        gradient![i] = probability - classIndices[i]!;
        hessian![i] = probability * (1 - probability);
      }
      if (weights !== undefined) scaleBoth(gradient!, hessian!, weights);
    },
  };
}

/** Softmax: one score per class, beginning at the log of the class's share. */
export function multinomialLogLoss(
  classIndices: Int32Array,
  nClasses: number,
  weights?: Float64Array,
): Objective {
  const totals = classWeights(classIndices, nClasses, weights);
  const total = totals.reduce((sum, weight) => sum + weight, 0);
  return {
    nScores: nClasses,
    initialScores: Float32Array.from(totals, (weight) => Math.log(weight / total)),
    derivatives(scores, gradients, hessians) {
      softmaxInto(scores, gradients);
      for (let k = 0; k < nClasses; k++) {
        const gradient = gradients[k]!;
        const hessian = hessians[k]!;
        for (let i = 0; i < classIndices.length; i++) {
          const probability = gradient[i]!;
          hessian[i] = probability * (1 - probability);
          gradient[i] = classIndices[i] === k ? probability - 1 : probability;
        }
        if (weights !== undefined) scaleBoth(gradient, hessian, weights);
      }
    },
  };
}

function softmaxInto(scores: readonly Float64Array[], out: readonly Float64Array[]): void {
  const nRows = out[0]!.length;
  const largest = Float64Array.from(scores[0]!);
  for (const score of scores) for (let i = 0; i < nRows; i++) largest[i] = Math.max(largest[i]!, score[i]!);
  const sums = new Float64Array(nRows);
  scores.forEach((score, k) => {
    const column = out[k]!;
    for (let i = 0; i < nRows; i++) {
      column[i] = Math.exp(score[i]! - largest[i]!);
      sums[i]! += column[i]!;
    }
  });
  for (const column of out) for (let i = 0; i < nRows; i++) column[i]! /= sums[i]!;
}

function classWeights(
  classIndices: Int32Array,
  nClasses: number,
  weights: Float64Array | undefined,
): Float64Array {
  const totals = new Float64Array(nClasses);
  for (let i = 0; i < classIndices.length; i++)
    totals[classIndices[i]!]! += weights === undefined ? 1 : weights[i]!;
  return totals;
}

function scaleBoth(gradient: Float64Array, hessian: Float64Array, weights: Float64Array): void {
  for (let i = 0; i < weights.length; i++) {
    gradient[i]! *= weights[i]!;
    hessian[i]! *= weights[i]!;
  }
}
