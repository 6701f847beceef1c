import { addProduct, type DesignMatrix } from './design-matrix.ts';
import { centeredMoments, centeredProducts, interceptOf } from './gram.ts';
import { minimumNormSolver } from './minimum-norm.ts';
import type { LinearWeights } from './ridge.ts';

/** Squaring the condition in the normal equations costs digits; each correction from the residuals gains them back. */
const CORRECTIONS = 2;

/**
 * Minimizes |y - X w - b|²; of all minima the one with least |w|, so that columns which depend on each other share
 * the weight. Normal equations with corrections from the residuals (Björck 1987).
 * Cost O(nRows · columns²) for the normal equations, O(columns³) to solve them.
 * @param y - finite, one per row.
 */
export function fitLeastSquares(design: DesignMatrix, y: Float64Array): LinearWeights {
  const moments = centeredMoments(design, y);
  const solve = solverInUnits(moments.gram, unitsOf(moments.gram, design));
  const weights = solve(moments.products);
  for (let correction = 0; correction < CORRECTIONS; correction++) {
    const intercept = interceptOf(moments, weights);
    const predicted = new Float64Array(design.nRows).fill(intercept);
    addProduct(design, weights, 0, predicted);
    const residuals = y.map((value, i) => value - predicted[i]!);
    const change = solve(centeredProducts(design, moments.columnMeans, residuals));
    for (let j = 0; j < weights.length; j++) weights[j]! += change[j]!;
  }
  return { weights, intercept: interceptOf(moments, weights) };
}

/** Columns of a spread beyond this, or below its inverse, are counted in their own: norms would drown in rounding. */
const USUAL_SPREAD = 1e3;

function unitsOf(gram: Float64Array, { nRows, nColumns }: DesignMatrix): Float64Array {
  return Float64Array.from({ length: nColumns }, (_, j) => {
    const deviation = Math.sqrt(gram[j * nColumns + j]! / nRows);
    const isUsual = deviation <= USUAL_SPREAD && deviation >= 1 / USUAL_SPREAD;
    return isUsual || !(deviation > 0) ? 1 : deviation;
  });
}

function solverInUnits(gram: Float64Array, units: Float64Array): (products: Float64Array) => Float64Array {
  const n = units.length;
  const solve = minimumNormSolver(
    gram.map((value, at) => value / units[Math.floor(at / n)]! / units[at % n]!),
    n,
  );
  return (products) =>
    solve(products.map((value, j) => value / units[j]!)).map((value, j) => value / units[j]!);
}
