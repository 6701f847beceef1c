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
