/** A feature matrix as dense columns and one-hot blocks, with the products that linear learners need. */

export interface OneHotBlock {
  /** Column inside the block per row; -1: all zeros. */
  readonly codes: Int32Array;
  readonly width: number;
}

/** Columns are numbered: dense ones first, then the blocks in order. */
export interface DesignMatrix {
  readonly nRows: number;
  readonly nColumns: number;
  readonly dense: readonly Float64Array[];
  readonly blocks: readonly OneHotBlock[];
}

/** out[i] += row i · weights[offset .. offset + nColumns). Cost O(nRows · (dense + blocks)). */
export function addProduct(
  design: DesignMatrix,
  weights: Float64Array,
  offset: number,
  out: Float64Array,
): void {
  let column = offset;
  for (const values of design.dense) addScaled(values, weights[column++]!, out);
  for (const block of design.blocks) {
    addLookup(block.codes, weights.subarray(column, column + block.width), out);
    column += block.width;
  }
}

function addScaled(values: Float64Array, weight: number, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i]! += values[i]! * weight;
}

function addLookup(codes: Int32Array, weights: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) {
    const code = codes[i]!;
    if (code >= 0) out[i]! += weights[code]!;
  }
}

/** out[offset + j] = column j · values. */
export function transposeProduct(
  design: DesignMatrix,
  values: Float64Array,
  out: Float64Array,
  offset: number,
): void {
  let column = offset;
  for (const dense of design.dense) out[column++] = dot(dense, values);
  for (const block of design.blocks) {
    const sums = out.subarray(column, column + block.width).fill(0);
    for (let i = 0; i < values.length; i++) {
      const code = block.codes[i]!;
      if (code >= 0) sums[code]! += values[i]!;
    }
    column += block.width;
  }
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** XᵀX, row-major nColumns × nColumns. Cost O(nRows · (dense + blocks)²), memory O(nColumns²). */
export function gram(design: DesignMatrix): Float64Array {
  const n = design.nColumns;
  const result = new Float64Array(n * n);
  const products = new Float64Array(n);
  for (let j = 0; j < design.dense.length; j++) {
    transposeProduct(design, design.dense[j]!, products, 0);
    for (let k = 0; k < n; k++) {
      result[j * n + k] = products[k]!;
      result[k * n + j] = products[k]!;
    }
  }
  let first = design.dense.length;
  for (let a = 0; a < design.blocks.length; a++) {
    let second = first;
    for (let b = a; b < design.blocks.length; b++) {
      countPairs(design.blocks[a]!, design.blocks[b]!, result, n, first, second);
      second += design.blocks[b]!.width;
    }
    first += design.blocks[a]!.width;
  }
  return result;
}

function countPairs(
  a: OneHotBlock,
  b: OneHotBlock,
  result: Float64Array,
  n: number,
  rowOffset: number,
  columnOffset: number,
): void {
  for (let i = 0; i < a.codes.length; i++) {
    const row = a.codes[i]!;
    const column = b.codes[i]!;
    if (row >= 0 && column >= 0) result[(rowOffset + row) * n + columnOffset + column]!++;
  }
  if (rowOffset === columnOffset) return;
  for (let row = 0; row < a.width; row++) {
    for (let column = 0; column < b.width; column++) {
      result[(columnOffset + column) * n + rowOffset + row] =
        result[(rowOffset + row) * n + columnOffset + column]!;
    }
  }
}
