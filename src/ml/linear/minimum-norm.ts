/** Solves A x = b for a symmetric positive semi-definite A of any rank: of all solutions the one of least norm. */
import { solveCholesky } from './cholesky.ts';

/**
 * A column whose remainder, once the columns before it are taken out, is a smaller share of it than this depends on
 * them within the rounding of A.
 */
const DEPENDENT_BELOW = 1e-10;

/** @param a - row-major n × n. @returns b ↦ x. Cost O(n³) once, O(n²) per right side of full rank. */
export function minimumNormSolver(a: Float64Array, n: number): (b: Float64Array) => Float64Array {
  const { factor, independent } = pivotedCholesky(a, n);
  const rank = independent.length;
  const isIndependent = new Uint8Array(n);
  for (const column of independent) isIndependent[column] = 1;
  const dependent = Array.from({ length: n }, (_, i) => i).filter((i) => isIndependent[i] === 0);
  // Column d of A is A[:, independent] · combinations[d].
  const combinations = dependent.map((row) =>
    solveUpper(factor, independent, n, factor.slice(row * n, row * n + rank)),
  );
  const spread = dependent.length === 0 ? undefined : identityPlusSquares(combinations, rank);
  return (b) => {
    const basic = solveUpper(factor, independent, n, solveLower(factor, independent, n, b));
    // The basic solution gives dependent columns nothing. Solutions of least norm lie in the range of A, which is
    // spanned by [I; combinations]: spread the basic one along it.
    const weights = spread === undefined ? basic : solveCholesky(Float64Array.from(spread), basic);
    const x = new Float64Array(n);
    independent.forEach((column, k) => {
      x[column] = weights[k]!;
    });
    dependent.forEach((column, d) => {
      for (let k = 0; k < rank; k++) x[column]! += combinations[d]![k]! * weights[k]!;
    });
    return x;
  };
}

/** Rows keep their place; column k of the factor belongs to the k-th independent column. */
function pivotedCholesky(a: Float64Array, n: number): { factor: Float64Array; independent: number[] } {
  const factor = new Float64Array(n * n);
  const rest = Float64Array.from({ length: n }, (_, i) => a[i * n + i]!);
  const left = new Set(rest.keys());
  const independent: number[] = [];
  for (let k = 0; k < n; k++) {
    let pivot = -1;
    let largest = DEPENDENT_BELOW;
    for (const i of left) {
      const share = rest[i]! / a[i * n + i]!;
      if (share > largest) [pivot, largest] = [i, share];
    }
    if (pivot < 0) break;
    left.delete(pivot);
    independent.push(pivot);
    const root = Math.sqrt(rest[pivot]!);
    factor[pivot * n + k] = root;
    for (const i of left) {
      let value = a[i * n + pivot]!;
      for (let m = 0; m < k; m++) value -= factor[i * n + m]! * factor[pivot * n + m]!;
      value /= root;
      factor[i * n + k] = value;
      rest[i]! -= value * value;
    }
  }
  return { factor, independent };
}

/** L x = b over the independent rows. */
function solveLower(
  factor: Float64Array,
  independent: readonly number[],
  n: number,
  b: Float64Array,
): Float64Array {
  const x = new Float64Array(independent.length);
  independent.forEach((row, i) => {
    let sum = b[row]!;
    for (let k = 0; k < i; k++) sum -= factor[row * n + k]! * x[k]!;
    x[i] = sum / factor[row * n + i]!;
  });
  return x;
}

/** Lᵀ x = b over the independent rows; b is overwritten and returned. */
function solveUpper(
  factor: Float64Array,
  independent: readonly number[],
  n: number,
  b: Float64Array,
): Float64Array {
  for (let i = independent.length - 1; i >= 0; i--) {
    const row = independent[i]! * n;
    b[i]! /= factor[row + i]!;
    for (let k = 0; k < i; k++) b[k]! -= factor[row + k]! * b[i]!;
  }
  return b;
}

/** I + Σ c cᵀ. */
function identityPlusSquares(vectors: readonly Float64Array[], size: number): Float64Array {
  const result = new Float64Array(size * size);
  for (let i = 0; i < size; i++) result[i * size + i] = 1;
  for (const vector of vectors) {
    for (let i = 0; i < size; i++) {
      if (vector[i] === 0) continue;
      for (let j = 0; j < size; j++) result[i * size + j]! += vector[i]! * vector[j]!;
    }
  }
  return result;
}
