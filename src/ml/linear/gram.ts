/** Products of a design matrix's columns with each other. */
import { type DesignMatrix, dot, type OneHotBlock, transposeProduct } from './design-matrix.ts';

/**
 * Xᵀ diag(rowWeights) X, row-major nColumns × nColumns. Cost O(nRows · (dense + blocks)²), memory O(nColumns²).
 * @param rowWeights - one per row. @default - all 1
 */
export function gram(design: DesignMatrix, rowWeights?: Float64Array): Float64Array {
  const n = design.nColumns;
  const result = new Float64Array(n * n);
  const nDense = design.dense.length;
  const weighted = new Float64Array(design.nRows);
  const products = new Float64Array(n);
  const blocksOnly = { ...design, dense: [] };
  for (let j = 0; j < nDense; j++) {
    const column = rowWeights === undefined ? design.dense[j]! : weighted;
    if (rowWeights !== undefined) multiply(design.dense[j]!, rowWeights, weighted);
    for (let k = j; k < nDense; k++) products[k] = dot(column, design.dense[k]!);
    transposeProduct(blocksOnly, column, products, nDense);
    for (let k = j; k < n; k++) {
      result[j * n + k] = products[k]!;
      result[k * n + j] = products[k]!;
    }
  }
  let first = nDense;
  for (let a = 0; a < design.blocks.length; a++) {
    let second = first;
    for (let b = a; b < design.blocks.length; b++) {
      addPairs(design.blocks[a]!, design.blocks[b]!, rowWeights, result, n, first, second);
      second += design.blocks[b]!.width;
    }
    first += design.blocks[a]!.width;
  }
  return result;
}

function multiply(a: Float64Array, b: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = a[i]! * b[i]!;
}

function addPairs(
  a: OneHotBlock,
  b: OneHotBlock,
  rowWeights: Float64Array | undefined,
  result: Float64Array,
  n: number,
  rowOffset: number,
  columnOffset: number,
): void {
  // A table of its own is small enough for the cache; the result often is not.
  const pairs = new Float64Array(a.width * b.width);
  for (let i = 0; i < a.codes.length; i++) {
    const row = a.codes[i]!;
    const column = b.codes[i]!;
    if (row >= 0 && column >= 0)
      pairs[row * b.width + column]! += rowWeights === undefined ? 1 : rowWeights[i]!;
  }
  for (let row = 0; row < a.width; row++) {
    for (let column = 0; column < b.width; column++) {
      const sum = pairs[row * b.width + column]!;
      result[(rowOffset + row) * n + columnOffset + column] = sum;
      result[(columnOffset + column) * n + rowOffset + row] = sum;
    }
  }
}

/** What least squares needs of the data: moments of columns and target around their means. */
export interface CenteredMoments {
  readonly columnMeans: Float64Array;
  readonly yMean: number;
  /** Row-major nColumns × nColumns. */
  readonly gram: Float64Array;
  /** One per column: its product with the target. */
  readonly products: Float64Array;
}

/** A variance that is a smaller share of the squared mean is what rounding leaves of none. */
const ROUNDING = 1e-13;

/** Around the means, so that the intercept, which no penalty touches, drops out. */
export function centeredMoments(design: DesignMatrix, y: Float64Array): CenteredMoments {
  const n = design.nColumns;
  const yMean = meanOf(y);
  const columnMeans = meansOf(design);
  const centered = gram(design);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) centered[i * n + j]! -= design.nRows * columnMeans[i]! * columnMeans[j]!;
  }
  const constant = Array.from(columnMeans.keys()).filter(
    (i) => centered[i * n + i]! <= ROUNDING * design.nRows * columnMeans[i]! ** 2,
  );
  const products = centeredProducts(
    design,
    columnMeans,
    y.map((value) => value - yMean),
  );
  for (const i of constant) {
    products[i] = 0;
    for (let j = 0; j < n; j++) centered[i * n + j] = centered[j * n + i] = 0;
  }
  return { columnMeans, yMean, gram: centered, products };
}

/** Xᵀ values with the columns around their means. */
export function centeredProducts(
  design: DesignMatrix,
  columnMeans: Float64Array,
  values: Float64Array,
): Float64Array {
  const products = new Float64Array(design.nColumns);
  transposeProduct(design, values, products, 0);
  let sum = 0;
  for (const value of values) sum += value;
  for (let j = 0; j < products.length; j++) products[j]! -= columnMeans[j]! * sum;
  return products;
}

export function meansOf(design: DesignMatrix): Float64Array {
  const means = new Float64Array(design.nColumns);
  transposeProduct(design, new Float64Array(design.nRows).fill(1 / design.nRows), means, 0);
  return means;
}

export function interceptOf({ yMean, columnMeans }: CenteredMoments, weights: Float64Array): number {
  return yMean - dot(columnMeans, weights);
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
