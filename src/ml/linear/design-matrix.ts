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

/**
 * Rows at a time: what they add to stays in the first cache, and loops that are called often are compiled fully, where
 * one long loop would run in half-compiled code.
 */
const CHUNK_ROWS = 2048;

/** out[i] += row i · weights[offset .. offset + nColumns). Cost O(nRows · (dense + blocks)). */
export function addProduct(
  design: DesignMatrix,
  weights: Float64Array,
  offset: number,
  out: Float64Array,
): void {
  const { dense, blocks } = design;
  let column = offset + dense.length;
  const tables = blocks.map(({ width }) => {
    column += width;
    return lookupTable(weights, column - width, width);
  });
  for (let start = 0; start < out.length; start += CHUNK_ROWS) {
    const end = Math.min(start + CHUNK_ROWS, out.length);
    let j = 0;
    for (; j + 1 < dense.length; j += 2) {
      addTwo(dense[j]!, weights[offset + j]!, dense[j + 1]!, weights[offset + j + 1]!, out, start, end);
    }
    if (j < dense.length) addScaled(dense[j]!, weights[offset + j]!, out, start, end);
    let b = 0;
    for (; b + 1 < blocks.length; b += 2) {
      addTwoLookups(blocks[b]!.codes, tables[b]!, blocks[b + 1]!.codes, tables[b + 1]!, out, start, end);
    }
    if (b < blocks.length) addLookup(blocks[b]!.codes, tables[b]!, out, start, end);
  }
}

function addTwo(
  first: Float64Array,
  firstWeight: number,
  second: Float64Array,
  secondWeight: number,
  out: Float64Array,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) out[i]! += first[i]! * firstWeight + second[i]! * secondWeight;
}

function addScaled(
  values: Float64Array,
  weight: number,
  out: Float64Array,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) out[i]! += values[i]! * weight;
}

/** Weights behind a zero for code -1, so that the loop needs no branch. */
function lookupTable(weights: Float64Array, start: number, width: number): Float64Array {
  const table = new Float64Array(width + 1);
  table.set(weights.subarray(start, start + width), 1);
  return table;
}

function addLookup(
  codes: Int32Array,
  table: Float64Array,
  out: Float64Array,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) out[i]! += table[codes[i]! + 1]!;
}

function addTwoLookups(
  firstCodes: Int32Array,
  firstTable: Float64Array,
  secondCodes: Int32Array,
  secondTable: Float64Array,
  out: Float64Array,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) {
    out[i]! += firstTable[firstCodes[i]! + 1]! + secondTable[secondCodes[i]! + 1]!;
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
  for (const { codes, width } of design.blocks) {
    // Two tables in turn: where most rows have one code, each addition would wait for the one before.
    const size = width + 1;
    const sums = new Float64Array(2 * size);
    for (let start = 0; start < codes.length; start += CHUNK_ROWS) {
      addUpByCode(codes, values, sums, size, start, Math.min(start + CHUNK_ROWS, codes.length));
    }
    for (let k = 1; k < size; k++) out[column++] = sums[k]! + sums[size + k]!;
  }
}

function addUpByCode(
  codes: Int32Array,
  values: Float64Array,
  sums: Float64Array,
  size: number,
  start: number,
  end: number,
): void {
  let i = start;
  for (; i + 1 < end; i += 2) {
    sums[codes[i]! + 1]! += values[i]!;
    sums[size + codes[i + 1]! + 1]! += values[i + 1]!;
  }
  if (i < end) sums[codes[i]! + 1]! += values[i]!;
}

/** Four sums in turn, which a processor adds up at once. */
export function dot(a: Float64Array, b: Float64Array): number {
  let [first, second, third, fourth] = [0, 0, 0, 0];
  const whole = a.length - (a.length % 4);
  for (let i = 0; i < whole; i += 4) {
    first += a[i]! * b[i]!;
    second += a[i + 1]! * b[i + 1]!;
    third += a[i + 2]! * b[i + 2]!;
    fourth += a[i + 3]! * b[i + 3]!;
  }
  for (let i = whole; i < a.length; i++) first += a[i]! * b[i]!;
  return first + second + (third + fourth);
}
