import type { FitHooks, FitResult } from '../pipeline-model.ts';
import { type PenalizedQuadratic, sweep, violation } from './coordinate-descent.ts';
import type { DesignMatrix } from './design-matrix.ts';
import { centeredMoments, interceptOf } from './gram.ts';
import { largestComponent } from './lbfgs.ts';
import type { LinearWeights } from './ridge.ts';

export interface ElasticNetOptions {
  /**
   * @default - a thousandth of the least that makes every weight zero, with the L2 part counted in standard deviations
   * of the target, so that its unit does not matter
   */
  readonly alpha: number | undefined;
  /** In (0, 1]; 1 is the lasso. */
  readonly l1Ratio: number;
  readonly maxIter: number;
  /** Stops when no component of the subgradient exceeds this share of the largest one at zero weights. */
  readonly tol: number;
}

const DEFAULT_SHARE_OF_LARGEST_ALPHA = 1e-3;

/**
 * Minimizes |y - X w - b|² / (2 nRows) + alpha · l1Ratio |w|₁ + alpha · (1 - l1Ratio) |w|² / 2 by coordinate descent.
 * Tibshirani 1996 (lasso), Zou and Hastie 2005 (elastic net), Friedman et al. 2010 (solver).
 * Cost O(nRows · columns²) once and O(columns²) per iteration; memory O(columns²).
 * A checkpoint holds weights and gradient, so that the resumed fit ends with the very weights of an uninterrupted one.
 */
export function fitElasticNet(
  design: DesignMatrix,
  y: Float64Array,
  options: ElasticNetOptions,
  hooks: FitHooks = {},
  checkpoint?: unknown,
): FitResult<LinearWeights> {
  const { nRows, nColumns } = design;
  const moments = centeredMoments(design, y);
  const a = moments.gram.map((value) => value / nRows);
  const b = moments.products.map((value) => value / nRows);
  const largest = largestComponent(b);
  const alpha = options.alpha ?? (DEFAULT_SHARE_OF_LARGEST_ALPHA * largest) / options.l1Ratio;
  const quadratic: PenalizedQuadratic = {
    a,
    n: nColumns,
    l1: alpha * options.l1Ratio,
    l2: (alpha * (1 - options.l1Ratio)) / (options.alpha === undefined ? deviationOf(y, moments.yMean) : 1),
    nPenalized: nColumns,
  };
  const state = checkpoint === undefined ? undefined : (checkpoint as ReturnType<typeof toJSON>);
  const weights = state === undefined ? new Float64Array(nColumns) : Float64Array.from(state.weights);
  const gradient = state === undefined ? b.map((value) => -value) : Float64Array.from(state.gradient);
  let iteration = state?.iteration ?? 0;
  while (iteration < options.maxIter && violation(quadratic, weights, gradient) > options.tol * largest) {
    sweep(quadratic, weights, gradient);
    iteration++;
    hooks.onProgress?.(iteration / options.maxIter);
    if (hooks.shouldPause?.()) return { done: false, checkpoint: toJSON(weights, gradient, iteration) };
  }
  return { done: true, model: { weights, intercept: interceptOf(moments, weights) } };
}

/** Scaled by the largest difference, so that the squares of huge and tiny ones neither overflow nor vanish. */
function deviationOf(y: Float64Array, mean: number): number {
  let unit = 0;
  for (const value of y) unit = Math.max(unit, Math.abs(value - mean));
  let squares = 0;
  for (const value of y) squares += ((value - mean) / unit) ** 2;
  return unit * Math.sqrt(squares / y.length);
}

function toJSON(weights: Float64Array, gradient: Float64Array, iteration: number) {
  return { weights: Array.from(weights), gradient: Array.from(gradient), iteration };
}
