import {
  BLOCK_BYTES, CATEGORY_SCRATCH_BYTES, FEATURE_RECORD_BYTES, LEAF_SUMS_BYTES, P_CATEGORY_PRICE, P_CATEGORY_SMOOTHING,
  P_CONSTANT_HESSIAN, P_COUNT_BITS, P_FEATURES, P_GRADIENT_SCALE, P_HAS_CONSTRAINTS, P_HESSIAN_BITS, P_HESSIAN_SCALE,
  P_HISTOGRAM, P_HISTOGRAM_BYTES, P_LAMBDA, P_LEAF_SUMS, P_MIN_GAIN, P_MIN_HESSIAN, P_MIN_SAMPLES_LEAF, P_N_CHUNKS,
  P_N_FEATURES, P_PARTIAL_HISTOGRAMS, P_SEARCH, P_SIBLING, P_SPLITS, P_SUBTRACT, SPLIT_BYTES,
} from './layout';

// Offsets in a split record.
const GAIN: usize = 0;
const LEFT_GRADIENT: usize = 8;
const LEFT_HESSIAN: usize = 16;
const LEFT_COUNT: usize = 24;
const BIN: usize = 28;
const MISSING_LEFT: usize = 32;
const IS_SET: usize = 36;
const SET: usize = 40;

// A packed sum: gradient, hessian and count of rows, from the highest bits to the lowest. The readers are inlined, and
// what they load does not change during a task, so that the compiler can keep it.
@inline
function countOf(sum: i64): i64 {
  return sum & ((<i64>1 << <i64>load<u32>(P_COUNT_BITS)) - 1);
}

@inline
function gradientOf(sum: i64): f64 {
  return <f64>(sum >> <i64>(load<u32>(P_COUNT_BITS) + load<u32>(P_HESSIAN_BITS))) / load<f64>(P_GRADIENT_SCALE);
}

@inline
function hessianOf(sum: i64): f64 {
  if (load<u32>(P_CONSTANT_HESSIAN) != 0) return <f64>countOf(sum);
  const mask = (<i64>1 << <i64>load<u32>(P_HESSIAN_BITS)) - 1;
  return <f64>((sum >> <i64>load<u32>(P_COUNT_BITS)) & mask) / load<f64>(P_HESSIAN_SCALE);
}

/**
 * Finishes one feature of the histograms of a split's children and finds their best splits on it: adds the partial
 * sums of other chunks to the smaller child, takes the smaller child from the parent so that the larger one is left,
 * and scans both. Task = feature. The children's records: `P_SPLITS + (feature * 2 + child) * SPLIT_BYTES`.
 * `P_SEARCH` says which are searched: bit 0 the histogram itself, bit 1 its sibling.
 */
export function splitSearchTask(feature: u32): void {
  const offset = <usize>(feature >> 3) * BLOCK_BYTES + (<usize>(feature & 7) << 11);
  const histogram = <usize>load<u32>(P_HISTOGRAM) + offset;
  const record = <usize>load<u32>(P_FEATURES) + <usize>feature * FEATURE_RECORD_BYTES;
  const nBins = load<u32>(record);
  const nChunks = load<u32>(P_N_CHUNKS);
  for (let chunk: u32 = 1; chunk < nChunks; chunk++) {
    const partial = <usize>load<u32>(P_PARTIAL_HISTOGRAMS) + <usize>(chunk - 1) * <usize>load<u32>(P_HISTOGRAM_BYTES) + offset;
    for (let cell: usize = 0; cell <= <usize>nBins << 3; cell += 8) {
      store<i64>(histogram + cell, load<i64>(histogram + cell) + load<i64>(partial + cell));
    }
  }
  const sibling = <usize>load<u32>(P_SIBLING) + offset;
  if (load<u32>(P_SUBTRACT) != 0) {
    for (let cell: usize = 0; cell <= <usize>nBins << 3; cell += 8) {
      store<i64>(sibling + cell, load<i64>(sibling + cell) - load<i64>(histogram + cell));
    }
  }
  const searched = load<u32>(P_SEARCH);
  const splits = <usize>load<u32>(P_SPLITS) + <usize>feature * 2 * SPLIT_BYTES;
  if ((searched & 1) != 0) search(histogram, feature, record, nBins, P_LEAF_SUMS, splits);
  if ((searched & 2) != 0) search(sibling, feature, record, nBins, P_LEAF_SUMS + LEAF_SUMS_BYTES, splits + SPLIT_BYTES);
}

function search(cells: usize, feature: u32, record: usize, nBins: u32, sums: usize, out: usize): void {
  store<f64>(out, load<f64>(P_MIN_GAIN), GAIN);
  store<i32>(out, -1, BIN);
  store<u32>(out, 0, IS_SET);
  const missing = load<i64>(cells + (<usize>nBins << 3));
  const hasMissing = countOf(missing) != 0;
  searchCuts(cells, nBins, missing, hasMissing, load<i32>(record, 8), sums, out);
  if (load<u32>(record, 4) == 1) searchSets(cells, feature, nBins, hasMissing, sums, out);
}

function searchCuts(
  cells: usize, nBins: u32, missing: i64, hasMissing: bool, sign: i32, sums: usize, out: usize,
): void {
  const constrained = load<u32>(P_HAS_CONSTRAINTS) != 0;
  if (hasMissing) {
    if (constrained) {
      scanConstrained(cells, nBins, 0, false, sums, out, sign);
      scanConstrained(cells, nBins - 1, missing, true, sums, out, sign);
    } else {
      scan(cells, nBins, 0, false, sums, out);
      scan(cells, nBins - 1, missing, true, sums, out);
    }
    return;
  }
  if (constrained) scanConstrained(cells, nBins - 1, 0, false, sums, out, sign);
  else scan(cells, nBins - 1, 0, false, sums, out);
  // Nothing was missing here: what is missing later goes with the majority.
  store<u32>(out, 2 * <f64>load<u32>(out, LEFT_COUNT) > load<f64>(sums, 16) ? 1 : 0, MISSING_LEFT);
}

/**
 * Candidates "bin <= b" for b < nCandidates, with the packed sum `start` already on the left. It reads packed sums by
 * itself, with reciprocals: this is the loop in which a search spends its time.
 */
function scan(cells: usize, nCandidates: u32, start: i64, missingLeft: bool, sums: usize, out: usize): void {
  const countBits = <i64>load<u32>(P_COUNT_BITS);
  const hessianBits = <i64>load<u32>(P_HESSIAN_BITS);
  const lowBits = countBits + hessianBits;
  const countMask = (<i64>1 << countBits) - 1;
  const hessianMask = (<i64>1 << hessianBits) - 1;
  const constant = load<u32>(P_CONSTANT_HESSIAN) != 0;
  const gradientUnit = 1.0 / load<f64>(P_GRADIENT_SCALE);
  const hessianUnit = 1.0 / load<f64>(P_HESSIAN_SCALE);
  const minSamplesLeaf = <i64>load<u32>(P_MIN_SAMPLES_LEAF);
  const minHessian = load<f64>(P_MIN_HESSIAN);
  const lambda = load<f64>(P_LAMBDA);
  const leafGradient = load<f64>(sums);
  const leafHessian = load<f64>(sums, 8);
  const leafCount = <i64>load<f64>(sums, 16);
  const unsplit = (leafGradient * leafGradient) / (leafHessian + lambda);
  let best = load<f64>(out, GAIN) + unsplit;
  let bestBin: i32 = -1;
  let bestSum: i64 = 0;
  let sum = start;
  for (let bin: u32 = 0; bin < nCandidates; bin++) {
    sum += load<i64>(cells + (<usize>bin << 3));
    const count = sum & countMask;
    if (count < minSamplesLeaf) continue;
    if (leafCount - count < minSamplesLeaf) break;
    const gradient = <f64>(sum >> lowBits) * gradientUnit;
    const hessian = constant ? <f64>count : <f64>((sum >> countBits) & hessianMask) * hessianUnit;
    const rightHessian = leafHessian - hessian;
    if (hessian < minHessian) continue;
    if (rightHessian < minHessian) break;
    const rightGradient = leafGradient - gradient;
    // One division for two quotients: a / b + c / d = (a d + c b) / (b d).
    const leftDenominator = hessian + lambda;
    const rightDenominator = rightHessian + lambda;
    const gain =
      (gradient * gradient * rightDenominator + rightGradient * rightGradient * leftDenominator) /
      (leftDenominator * rightDenominator);
    if (gain > best) {
      best = gain;
      bestBin = <i32>bin;
      bestSum = sum;
    }
  }
  if (bestBin >= 0) keep(out, best - unsplit, bestBin, bestSum, missingLeft);
}

function keep(out: usize, gain: f64, bin: i32, sum: i64, missingLeft: bool): void {
  store<f64>(out, gain, GAIN);
  store<f64>(out, gradientOf(sum), LEFT_GRADIENT);
  store<f64>(out, hessianOf(sum), LEFT_HESSIAN);
  store<u32>(out, <u32>countOf(sum), LEFT_COUNT);
  store<i32>(out, bin, BIN);
  store<u32>(out, missingLeft ? 1 : 0, MISSING_LEFT);
}

@inline
function clipped(value: f64, lowest: f64, highest: f64): f64 {
  return max<f64>(lowest, min<f64>(highest, value));
}

/** Twice the loss of a leaf with this value, less a constant. */
@inline
function lossAt(gradient: f64, denominator: f64, value: f64): f64 {
  return 2 * gradient * value + denominator * value * value;
}

/** As `scan`, where values are held between bounds, and a sign says which side must have the greater value. */
function scanConstrained(
  cells: usize, nCandidates: u32, start: i64, missingLeft: bool, sums: usize, out: usize, sign: i32,
): void {
  const lambda = load<f64>(P_LAMBDA);
  const minSamplesLeaf = <i64>load<u32>(P_MIN_SAMPLES_LEAF);
  const minHessian = load<f64>(P_MIN_HESSIAN);
  const leafGradient = load<f64>(sums);
  const leafHessian = load<f64>(sums, 8);
  const leafCount = <i64>load<f64>(sums, 16);
  const lowest = load<f64>(sums, 24);
  const highest = load<f64>(sums, 32);
  const own = clipped(-leafGradient / (leafHessian + lambda), lowest, highest);
  const unsplit = lossAt(leafGradient, leafHessian + lambda, own);
  let best = load<f64>(out, GAIN);
  let sum = start;
  for (let bin: u32 = 0; bin < nCandidates; bin++) {
    sum += load<i64>(cells + (<usize>bin << 3));
    const count = countOf(sum);
    if (count < minSamplesLeaf) continue;
    if (leafCount - count < minSamplesLeaf) break;
    const gradient = gradientOf(sum);
    const hessian = hessianOf(sum);
    if (hessian < minHessian) continue;
    if (leafHessian - hessian < minHessian) break;
    const left = clipped(-gradient / (hessian + lambda), lowest, highest);
    const right = clipped(-(leafGradient - gradient) / (leafHessian - hessian + lambda), lowest, highest);
    if (<f64>sign * (right - left) < 0) continue;
    const gain = unsplit - lossAt(gradient, hessian + lambda, left) -
      lossAt(leafGradient - gradient, leafHessian - hessian + lambda, right);
    if (gain > best) {
      best = gain;
      keep(out, gain, <i32>bin, sum, missingLeft);
    }
  }
}

/**
 * Sets of categories, where one gains more than the best cut of their order over all rows. In the order of gradient over
 * hessian the best set is a prefix (Fisher 1958). Missing is a category like the others; one with few rows here stays
 * right. `P_CATEGORY_SMOOTHING` rows' worth of hessian damp the order; the gain is lowered by what so many categories
 * gain by chance.
 */
function searchSets(cells: usize, feature: u32, nBins: u32, hasMissing: bool, sums: usize, out: usize): void {
  const leafGradient = load<f64>(sums);
  const leafHessian = load<f64>(sums, 8);
  const leafCount = <i64>load<f64>(sums, 16);
  const smoothing = load<f64>(P_CATEGORY_SMOOTHING);
  const smoothingHessian = (smoothing * leafHessian) / <f64>leafCount;
  const scratch = <usize>load<u32>(P_SPLITS) + <usize>load<u32>(P_N_FEATURES) * 2 * SPLIT_BYTES +
    <usize>feature * CATEGORY_SCRATCH_BYTES;
  const keys = scratch;
  const order = scratch + 2048;
  let n: usize = 0;
  const last = hasMissing ? nBins : nBins - 1;
  for (let bin: u32 = 0; bin <= last && nBins > 0; bin++) {
    const cell = load<i64>(cells + (<usize>bin << 3));
    const count = countOf(cell);
    if (<f64>count < smoothing) continue;
    // Insertion by halves would not help: most lists are short.
    const key = gradientOf(cell) / (hessianOf(cell) + smoothingHessian);
    let at = n++;
    while (at > 0 && load<f64>(keys + ((at - 1) << 3)) > key) {
      store<f64>(keys + (at << 3), load<f64>(keys + ((at - 1) << 3)));
      store<u32>(order + (at << 2), load<u32>(order + ((at - 1) << 2)));
      at--;
    }
    store<f64>(keys + (at << 3), key);
    store<u32>(order + (at << 2), bin);
  }
  const lambda = load<f64>(P_LAMBDA);
  const price = load<f64>(P_CATEGORY_PRICE) * <f64>n;
  const minSamplesLeaf = <i64>load<u32>(P_MIN_SAMPLES_LEAF);
  const minHessian = load<f64>(P_MIN_HESSIAN);
  const unsplit = (leafGradient * leafGradient) / (leafHessian + lambda);
  const constrained = load<u32>(P_HAS_CONSTRAINTS) != 0;
  let best = load<f64>(out, GAIN) + price;
  let bestLength: usize = 0;
  let sum: i64 = 0;
  // With every category in order the last prefix is everything; where some stay right it is a candidate.
  for (let i: usize = 0; i < n; i++) {
    sum += load<i64>(cells + (<usize>load<u32>(order + (i << 2)) << 3));
    const count = countOf(sum);
    if (count < minSamplesLeaf) continue;
    if (leafCount - count < minSamplesLeaf) break;
    const gradient = gradientOf(sum);
    const hessian = hessianOf(sum);
    if (hessian < minHessian) continue;
    if (leafHessian - hessian < minHessian) break;
    const rightGradient = leafGradient - gradient;
    let gain = (gradient * gradient) / (hessian + lambda) +
      (rightGradient * rightGradient) / (leafHessian - hessian + lambda) - unsplit;
    if (constrained) {
      const lowest = load<f64>(sums, 24);
      const highest = load<f64>(sums, 32);
      gain = lossAt(leafGradient, leafHessian + lambda, clipped(-leafGradient / (leafHessian + lambda), lowest, highest)) -
        lossAt(gradient, hessian + lambda, clipped(-gradient / (hessian + lambda), lowest, highest)) -
        lossAt(rightGradient, leafHessian - hessian + lambda,
          clipped(-rightGradient / (leafHessian - hessian + lambda), lowest, highest));
    }
    if (gain > best) {
      best = gain;
      bestLength = i + 1;
      keep(out, gain - price, <i32>i, sum, false);
    }
  }
  if (bestLength == 0) return;
  store<u32>(out, 1, IS_SET);
  memory.fill(out + SET, 0, 32);
  let missingLeft = hasMissing ? false : 2 * <i64>load<u32>(out, LEFT_COUNT) > leafCount;
  for (let i: usize = 0; i < bestLength; i++) {
    const bin = load<u32>(order + (i << 2));
    if (bin == nBins) {
      missingLeft = true;
    } else {
      const word = out + SET + (<usize>(bin >> 5) << 2);
      store<u32>(word, load<u32>(word) | (<u32>1 << (bin & 31)));
    }
  }
  store<u32>(out, missingLeft ? 1 : 0, MISSING_LEFT);
}
