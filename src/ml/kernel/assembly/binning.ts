import {
  P_BLOCK, P_BLOCK_FEATURES, P_CHUNK_ROWS, P_COLUMNS, P_COUNT, P_FEATURES, P_FEATURE_BYTES, P_N_ROWS, P_ROW_BYTES, P_SORT_SPARE,
} from './layout';

const DIGIT_BITS: u32 = 11;
const DIGITS: u32 = 2048;

/** The bits of a float32 as an integer of the same order. */
@inline
function sortable(bits: u32): u32 {
  return bits ^ (<u32>(<i32>bits >> 31) | 0x80000000);
}

@inline
function unsortable(key: u32): u32 {
  return key ^ (<u32>((<i32>key >> 31) ^ -1) | 0x80000000);
}

/**
 * Sorts one column's sample of float32 numbers (no NaN), ascending: least significant digit first, three digits.
 * Task = column; its numbers lie at `P_COLUMNS + task * stride`, how many at `P_FEATURES + 4 task`, and its spare room
 * (as much again, and 2048 counters) at `P_SORT_SPARE + task * (stride + 8192)`; the stride is `P_COUNT` numbers.
 */
export function sortSampleTask(task: u32): void {
  const stride = <usize>load<u32>(P_COUNT) << 2;
  const n = <usize>load<u32>(<usize>load<u32>(P_FEATURES) + (<usize>task << 2));
  const values = <usize>load<u32>(P_COLUMNS) + <usize>task * stride;
  const spare = <usize>load<u32>(P_SORT_SPARE) + <usize>task * (stride + (DIGITS << 2));
  const counters = spare + stride;
  for (let i: usize = 0; i < n; i++) store<u32>(values + (i << 2), sortable(load<u32>(values + (i << 2))));
  sortByDigit(values, spare, counters, n, 0);
  sortByDigit(spare, values, counters, n, DIGIT_BITS);
  sortByDigit(values, spare, counters, n, 2 * DIGIT_BITS);
  for (let i: usize = 0; i < n; i++) store<u32>(values + (i << 2), unsortable(load<u32>(spare + (i << 2))));
}

function sortByDigit(from: usize, to: usize, counters: usize, n: usize, shift: u32): void {
  memory.fill(counters, 0, DIGITS << 2);
  for (let i: usize = 0; i < n; i++) {
    const counter = counters + (<usize>((load<u32>(from + (i << 2)) >> shift) & (DIGITS - 1)) << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
  let next: u32 = 0;
  for (let digit: usize = 0; digit < DIGITS; digit++) {
    const count = load<u32>(counters + (digit << 2));
    store<u32>(counters + (digit << 2), next);
    next += count;
  }
  for (let i: usize = 0; i < n; i++) {
    const key = load<u32>(from + (i << 2));
    const counter = counters + (<usize>((key >> shift) & (DIGITS - 1)) << 2);
    const position = load<u32>(counter);
    store<u32>(counter, position + 1);
    store<u32>(to + (<usize>position << 2), key);
  }
}

/**
 * Bins of a block of features for a chunk of rows; `P_BLOCK` is where that of the first feature in row 0 goes. Columns lie one after the other at `P_COLUMNS`; each feature has
 * 256 float32 at `P_SORT_SPARE`, its thresholds and +infinity behind them, and at `P_FEATURES` its number of
 * thresholds and its bin for missing values (2 × uint32).
 */
export function binBlockTask(chunk: u32): void {
  const nRows = load<u32>(P_N_ROWS);
  const from = <usize>(chunk * load<u32>(P_CHUNK_ROWS));
  const to = min<usize>(from + <usize>load<u32>(P_CHUNK_ROWS), <usize>nRows);
  const nFeatures = <usize>load<u32>(P_BLOCK_FEATURES);
  const block = <usize>load<u32>(P_BLOCK);
  const rowBytes = <usize>load<u32>(P_ROW_BYTES);
  const featureBytes = <usize>load<u32>(P_FEATURE_BYTES);
  for (let feature: usize = 0; feature < nFeatures; feature++) {
    const values = <usize>load<u32>(P_COLUMNS) + feature * (<usize>nRows << 2);
    const thresholds = <usize>load<u32>(P_SORT_SPARE) + (feature << 10);
    const record = <usize>load<u32>(P_FEATURES) + (feature << 3);
    binChunk(values, thresholds, load<u32>(record, 4), from, to, block + feature * featureBytes, rowBytes);
  }
}

@inline
function skip(thresholds: usize, bin: usize, step: usize, value: f32): usize {
  return load<f32>(thresholds + ((bin + step - 1) << 2)) < value ? bin + step : bin;
}

/**
 * Bin of a value: the number of thresholds below it, found by halving without a branch or a loop. There are always 256
 * numbers to halve, as +infinity stands behind the thresholds.
 */
function binChunk(
  values: usize, thresholds: usize, missingBin: u32, from: usize, to: usize, out: usize, rowBytes: usize,
): void {
  for (let i = from; i < to; i++) {
    const value = load<f32>(values + (i << 2));
    let bin = skip(thresholds, 0, 128, value);
    bin = skip(thresholds, bin, 64, value);
    bin = skip(thresholds, bin, 32, value);
    bin = skip(thresholds, bin, 16, value);
    bin = skip(thresholds, bin, 8, value);
    bin = skip(thresholds, bin, 4, value);
    bin = skip(thresholds, bin, 2, value);
    bin = skip(thresholds, bin, 1, value);
    store<u8>(out + i * rowBytes, isNaN(value) ? missingBin : <u32>bin);
  }
}
