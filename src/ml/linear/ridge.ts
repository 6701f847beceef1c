import { solveCholesky } from './cholesky.ts';
import type { DesignMatrix } from './design-matrix.ts';
import { centeredMoments, interceptOf } from './gram.ts';

/** Weights per column of the design matrix, and what is added to their product. */
export interface LinearWeights {
  readonly weights: Float64Array;
  readonly intercept: number;
}

/**
 * Minimizes |y - X w - b|² + alpha |w|²; the intercept b is not penalized.
 * Hoerl and Kennard 1970. Cost O(nRows · columns²) for the normal equations, O(columns³) to solve them.
 * @param y - finite, one per row.
 * @param alpha - >= 0.
 */
export function fitRidge(design: DesignMatrix, y: Float64Array, alpha: number): LinearWeights {
  const n = design.nColumns;
  const moments = centeredMoments(design, y);
  for (let i = 0; i < n; i++) moments.gram[i * n + i]! += alpha;
  const weights = solveCholesky(moments.gram, moments.products);
  return { weights, intercept: interceptOf(moments, weights) };
}
