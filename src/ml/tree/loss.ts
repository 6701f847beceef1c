/** Losses as boosting sees them: where scores begin and what the kernel is told. They know nothing of trees. */
import {
  LOSS_ABSOLUTE,
  LOSS_BINARY,
  LOSS_POISSON,
  LOSS_QUANTILE,
  LOSS_SOFTMAX,
  LOSS_SQUARED,
} from '../kernel/assembly/layout.ts';
import { quantileOf } from './quantile.ts';

export interface Loss {
  /** The kernel's number for it. */
  readonly kind: number;
  /** Scores per row, and trees per iteration. */
  readonly nScores: number;
  /** Numbers, or class indices. */
  readonly target: Float64Array;
  /** One per row, > 0. @default - all 1 */
  readonly weights?: Float64Array;
  /** The second derivative is 1 for every row. */
  readonly constantHessian: boolean;
  /** Leaves take this quantile of what is left to explain, instead of a Newton step. */
  readonly leafQuantile?: number;
  /** Most that one step may add to a score, where Newton's may overshoot. */
  readonly highestStep?: number;
  /** The best constant per score over the given rows, as float32. */
  initialScores(rows: Int32Array): Float32Array;
  /** Mean loss over the given rows at scores that lie one column after the other, nRows each. */
  meanLoss(scores: Float64Array, rows: Int32Array): number;
}

export function squaredLoss(y: Float64Array): Loss {
  return {
    kind: LOSS_SQUARED,
    nScores: 1,
    target: y,
    constantHessian: true,
    initialScores: (rows) => Float32Array.of(meanOver(rows, (row) => y[row]!)),
    meanLoss: (scores, rows) => meanOver(rows, (row) => (scores[row]! - y[row]!) ** 2),
  };
}

export function absoluteLoss(y: Float64Array): Loss {
  return { ...quantileLoss(y, 0.5), kind: LOSS_ABSOLUTE };
}

/** Pinball loss (Koenker and Bassett 1978). @param quantile - in (0, 1) */
export function quantileLoss(y: Float64Array, quantile: number): Loss {
  return {
    kind: LOSS_QUANTILE,
    nScores: 1,
    target: y,
    constantHessian: true,
    leafQuantile: quantile,
    initialScores: (rows) =>
      Float32Array.of(
        quantileOf(
          Float64Array.from(rows, (row) => y[row]!),
          quantile,
        ),
      ),
    meanLoss: (scores, rows) =>
      meanOver(rows, (row) => {
        const difference = y[row]! - scores[row]!;
        return difference >= 0 ? quantile * difference : (quantile - 1) * difference;
      }),
  };
}

/**
 * Where all of a leaf's amounts are far above its mean, Newton's step on the logarithm is the ratio of the two: hundreds
 * where six would do, and from there no way back. A factor of e^5 a step is enough.
 */
const HIGHEST_LOG_STEP = 5;

/** Log link: the score is the logarithm of the mean. @param y - >= 0, not all 0 */
export function poissonLoss(y: Float64Array): Loss {
  return {
    kind: LOSS_POISSON,
    nScores: 1,
    highestStep: HIGHEST_LOG_STEP,
    target: y,
    constantHessian: false,
    initialScores: (rows) =>
      Float32Array.of(
        Math.log(
          Math.max(
            1e-30,
            meanOver(rows, (row) => y[row]!),
          ),
        ),
      ),
    meanLoss: (scores, rows) => meanOver(rows, (row) => Math.exp(scores[row]!) - y[row]! * scores[row]!),
  };
}

/** Two classes: one score, the log odds of class 1. */
export function binaryLogLoss(classIndices: Int32Array, weights?: Float64Array): Loss {
  const target = Float64Array.from(classIndices);
  return {
    kind: LOSS_BINARY,
    nScores: 1,
    target,
    ...(weights === undefined ? {} : { weights }),
    constantHessian: false,
    initialScores(rows) {
      const [negative, positive] = classTotals(classIndices, 2, rows, weights);
      return Float32Array.of(Math.log(positive! / negative!));
    },
    meanLoss: (scores, rows) =>
      weightedMeanOver(rows, weights, (row) => {
        const score = target[row] === 1 ? -scores[row]! : scores[row]!;
        return Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score)));
      }),
  };
}

/** More classes: softmax over one score per class, beginning at the log of the class's share. */
export function multinomialLogLoss(classIndices: Int32Array, nClasses: number, weights?: Float64Array): Loss {
  const nRows = classIndices.length;
  return {
    kind: LOSS_SOFTMAX,
    nScores: nClasses,
    target: Float64Array.from(classIndices),
    ...(weights === undefined ? {} : { weights }),
    constantHessian: false,
    initialScores(rows) {
      const totals = classTotals(classIndices, nClasses, rows, weights);
      const total = totals.reduce((sum, weight) => sum + weight, 0);
      return Float32Array.from(totals, (weight) => Math.log(weight / total));
    },
    meanLoss: (scores, rows) =>
      weightedMeanOver(rows, weights, (row) => {
        let largest = Number.NEGATIVE_INFINITY;
        for (let k = 0; k < nClasses; k++) largest = Math.max(largest, scores[k * nRows + row]!);
        let sum = 0;
        for (let k = 0; k < nClasses; k++) sum += Math.exp(scores[k * nRows + row]! - largest);
        return Math.log(sum) + largest - scores[classIndices[row]! * nRows + row]!;
      }),
  };
}

function meanOver(rows: Int32Array, lossOf: (row: number) => number): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += lossOf(rows[i]!);
  return sum / rows.length;
}

function weightedMeanOver(
  rows: Int32Array,
  weights: Float64Array | undefined,
  lossOf: (row: number) => number,
): number {
  if (weights === undefined) return meanOver(rows, lossOf);
  return meanOver(rows, (row) => weights[row]! * lossOf(row)) / meanOver(rows, (row) => weights[row]!);
}

function classTotals(
  classIndices: Int32Array,
  nClasses: number,
  rows: Int32Array,
  weights: Float64Array | undefined,
): Float64Array {
  const totals = new Float64Array(nClasses);
  for (const row of rows) totals[classIndices[row]!]! += weights === undefined ? 1 : weights[row]!;
  return totals;
}
