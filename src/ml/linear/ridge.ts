import { solveCholesky } from './cholesky.ts';
import { type DesignMatrix, gram, transposeProduct } from './design-matrix.ts';

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
  const yMean = meanOf(y);
  const columnMeans = new Float64Array(n);
  transposeProduct(design, new Float64Array(design.nRows).fill(1 / design.nRows), columnMeans, 0);
  const normal = gram(design);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) normal[i * n + j]! -= design.nRows * columnMeans[i]! * columnMeans[j]!;
    normal[i * n + i]! += alpha;
  }
  const moments = new Float64Array(n);
  transposeProduct(
    design,
    y.map((value) => value - yMean),
    moments,
    0,
  );
  const weights = solveCholesky(normal, moments);
  let intercept = yMean;
  for (let i = 0; i < n; i++) intercept -= columnMeans[i]! * weights[i]!;
  return { weights, intercept };
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
