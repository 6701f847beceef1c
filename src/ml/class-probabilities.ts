import type { ClassLabel, Predictions } from './pipeline-model.ts';

/** The one score of a regression is the value itself; those of a classification become probabilities. */
export function predictionsFromScores(
  scores: readonly Float64Array[],
  classes: readonly ClassLabel[] | undefined,
): Predictions {
  if (classes !== undefined) return probabilitiesFromScores(scores, classes.length);
  return { nRows: scores[0]!.length, values: scores[0]! };
}

/**
 * Logistic of the one score of two classes, else softmax over one score per class.
 * @param scores - one column per score, each nRows long.
 */
export function probabilitiesFromScores(scores: readonly Float64Array[], nClasses: number): Predictions {
  const nRows = scores[0]!.length;
  const probabilities = new Float64Array(nRows * nClasses);
  if (scores.length === 1) fillLogistic(scores[0]!, probabilities);
  else fillSoftmax(scores, probabilities);
  return { nRows, probabilities, nClasses };
}

function fillLogistic(scores: Float64Array, out: Float64Array): void {
  for (let i = 0; i < scores.length; i++) {
    const positive = 1 / (1 + Math.exp(-scores[i]!));
    out[2 * i] = 1 - positive;
    out[2 * i + 1] = positive;
  }
}

function fillSoftmax(scores: readonly Float64Array[], out: Float64Array): void {
  const nClasses = scores.length;
  for (let i = 0; i < scores[0]!.length; i++) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < nClasses; k++) largest = Math.max(largest, scores[k]![i]!);
    let sum = 0;
    for (let k = 0; k < nClasses; k++) {
      const exponential = Math.exp(scores[k]![i]! - largest);
      out[i * nClasses + k] = exponential;
      sum += exponential;
    }
    for (let k = 0; k < nClasses; k++) out[i * nClasses + k]! /= sum;
  }
}

/** Index of the largest probability per row, the first of equals. */
export function mostProbableClasses(probabilities: Float64Array, nClasses: number): Int32Array {
  const indices = new Int32Array(probabilities.length / nClasses);
  for (let i = 0; i < indices.length; i++) {
    let best = 0;
    for (let k = 1; k < nClasses; k++) {
      if (probabilities[i * nClasses + k]! > probabilities[i * nClasses + best]!) best = k;
    }
    indices[i] = best;
  }
  return indices;
}
