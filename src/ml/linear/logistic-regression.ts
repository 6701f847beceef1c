import type { FitHooks, FitResult } from '../pipeline-model.ts';
import { addProduct, type DesignMatrix, dot, transposeProduct } from './design-matrix.ts';
import {
  type LbfgsState,
  largestComponent,
  lbfgsFromJSON,
  lbfgsToJSON,
  type Objective,
  startLbfgs,
  stepLbfgs,
} from './lbfgs.ts';
import { lossAndResiduals } from './logistic-loss.ts';

export interface LogisticOptions {
  readonly C: number;
  readonly maxIter: number;
  readonly tol: number;
}

/** One weight vector per score: one score with two classes (of the second), else one per class. */
export interface LogisticWeights {
  readonly nScores: number;
  /** Row-major nScores × nColumns. */
  readonly weights: Float64Array;
  readonly intercepts: Float64Array;
}

/**
 * Minimizes the log loss plus |w|² / (2 C); multinomial for more than two classes. Intercepts are not penalized.
 * Cost per iteration O(nRows · nScores · (dense columns + one-hot blocks)).
 * @param classIndices - in [0, nClasses), one per row, each class at least once.
 * @param sampleWeights - one per row, > 0. @default - all 1
 */
export function fitLogisticRegression(
  design: DesignMatrix,
  classIndices: Int32Array,
  nClasses: number,
  options: LogisticOptions,
  sampleWeights?: Float64Array,
  hooks: FitHooks = {},
  checkpoint?: unknown,
): FitResult<LogisticWeights> {
  const nScores = nClasses === 2 ? 1 : nClasses;
  const objective = logisticObjective(design, classIndices, nScores, options.C, sampleWeights);
  const size = nScores * (design.nColumns + 1);
  const curvatures = inverseCurvatures(design, nScores, options.C);
  let state: LbfgsState =
    checkpoint === undefined ? startLbfgs(objective, new Float64Array(size)) : lbfgsFromJSON(checkpoint);
  while (
    !state.stalled &&
    state.iteration < options.maxIter &&
    largestComponent(state.gradient) > options.tol
  ) {
    state = stepLbfgs(objective, state, curvatures);
    hooks.onProgress?.(state.iteration / options.maxIter);
    if (hooks.shouldPause?.()) return { done: false, checkpoint: lbfgsToJSON(state) };
  }
  const nWeights = nScores * design.nColumns;
  return {
    done: true,
    model: { nScores, weights: state.x.slice(0, nWeights), intercepts: state.x.slice(nWeights) },
  };
}

/** Mean loss over x = [weights row-major nScores × nColumns, intercepts]. */
function logisticObjective(
  design: DesignMatrix,
  classIndices: Int32Array,
  nScores: number,
  C: number,
  sampleWeights: Float64Array | undefined,
): Objective {
  const { nRows, nColumns } = design;
  const nWeights = nScores * nColumns;
  const rowWeights = sampleWeights ?? new Float64Array(nRows).fill(1);
  const scores = Array.from({ length: nScores }, () => new Float64Array(nRows));
  return (x, gradient) => {
    for (let k = 0; k < nScores; k++) {
      scores[k]!.fill(x[nWeights + k]!);
      addProduct(design, x, k * nColumns, scores[k]!);
    }
    const loss = lossAndResiduals(scores, classIndices, rowWeights);
    const weights = x.subarray(0, nWeights);
    for (let k = 0; k < nScores; k++) {
      transposeProduct(design, scores[k]!, gradient, k * nColumns);
      gradient[nWeights + k] = sumOf(scores[k]!) / nRows;
    }
    for (let i = 0; i < nWeights; i++) gradient[i] = (gradient[i]! + weights[i]! / C) / nRows;
    return (loss + dot(weights, weights) / (2 * C)) / nRows;
  };
}

/** Of the mean loss where all classes are equally likely: share of the row's probability times mean square of a column. */
function inverseCurvatures(design: DesignMatrix, nScores: number, C: number): Float64Array {
  const { nRows, nColumns } = design;
  const nClasses = Math.max(2, nScores);
  const variance = (nClasses - 1) / (nClasses * nClasses);
  // A one-hot value is its own square, so its mean square is its share of rows.
  const meanSquares = new Float64Array(nColumns);
  transposeProduct(design, new Float64Array(nRows).fill(1 / nRows), meanSquares, 0);
  design.dense.forEach((values, column) => {
    meanSquares[column] = dot(values, values) / nRows;
  });
  const result = new Float64Array(nScores * (nColumns + 1)).fill(1 / variance);
  for (let k = 0; k < nScores; k++) {
    for (let column = 0; column < nColumns; column++) {
      result[k * nColumns + column] = 1 / (variance * meanSquares[column]! + 1 / (C * nRows));
    }
  }
  return result;
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
