import { score } from './forest-score';
import { Tree } from './forest-tree';
import {
  CRITERION_CLASSES, CRITERION_TWO_CLASSES, CRITERION_VARIANCE, FEATURE_RECORD_BYTES, P_BINS, P_FEATURES,
  P_MAX_FEATURES, P_N_FEATURES, P_N_ROWS, P_RANDOM_CUTS, P_WEIGHTS,
} from './layout';
import { Rng } from './random';

/** Cells are cleared one by one where a node has fewer rows than this, all at once where it has more. */
const FEW_ROWS: u32 = 128;

/** Tries features in random order until as many as are wanted were not constant, and on until one can be split. */
export function findSplit(start: u32, end: u32, count: i64): bool {
  const nFeatures = load<u32>(P_N_FEATURES);
  const wanted = load<u32>(P_MAX_FEATURES);
  const randomCuts = load<u32>(P_RANDOM_CUTS) != 0;
  Tree.bestFeature = -1;
  // More than rounding of sums.
  Tree.bestScore = Tree.parentScore + abs<f64>(Tree.parentScore) * 1e-12;
  if (isPure(count)) return false;
  let tried: u32 = 0;
  for (let i: u32 = 0; i < nFeatures && (tried < wanted || Tree.bestFeature < 0); i++) {
    const other = Tree.features + (<usize>(i + Rng.below(nFeatures - i)) << 2);
    const own = Tree.features + (<usize>i << 2);
    const feature = load<u32>(other);
    store<u32>(other, load<u32>(own));
    store<u32>(own, feature);
    const varies = Tree.criterion == CRITERION_CLASSES
      ? tryFeatureOfClasses(feature, start, end, count, randomCuts)
      : tryFeature(feature, start, end, count, randomCuts);
    if (varies) tried++;
  }
  return Tree.bestFeature >= 0;
}

function isPure(count: i64): bool {
  if (Tree.criterion == CRITERION_VARIANCE) return false;
  if (Tree.criterion == CRITERION_TWO_CLASSES) return Tree.total >> Tree.countBits == 0 || Tree.total >> Tree.countBits == count;
  for (let k: usize = 0; k < <usize>Tree.nClasses; k++) {
    if (load<f64>(Tree.classTotals + (k << 3)) == <f64>count) return true;
  }
  return false;
}

// Bins that have rows, as bits, so that a small node looks at no others.
let bits0: u64 = 0;
let bits1: u64 = 0;
let bits2: u64 = 0;
let bits3: u64 = 0;

@inline
function nextBin(bin: u32): u32 {
  // The next one that has rows, from `bin` on; 256 when there is none.
  let word = bin >> 6;
  let shift: u64 = bin & 63;
  while (word < 4) {
    const bits = (word == 0 ? bits0 : word == 1 ? bits1 : word == 2 ? bits2 : bits3) >> shift;
    if (bits != 0) return (word << 6) + <u32>shift + <u32>ctz(bits);
    word++;
    shift = 0;
  }
  return 256;
}

function addCells(column: usize, start: u32, end: u32): void {
  for (let i = <usize>start; i < <usize>end; i++) {
    const bin = <usize>load<u8>(column + <usize>load<u32>(Tree.rows + (i << 2)));
    const cell = Tree.cells + (bin << 3);
    store<i64>(cell, load<i64>(cell) + load<i64>(Tree.values + (i << 3)));
  }
}

function markBins(column: usize, start: u32, end: u32): void {
  let b0: u64 = 0, b1: u64 = 0, b2: u64 = 0, b3: u64 = 0;
  for (let i = <usize>start; i < <usize>end; i++) {
    const bin = <u64>load<u8>(column + <usize>load<u32>(Tree.rows + (i << 2)));
    const bit: u64 = <u64>1 << (bin & 63);
    const word = bin >> 6;
    b0 |= word == 0 ? bit : 0;
    b1 |= word == 1 ? bit : 0;
    b2 |= word == 2 ? bit : 0;
    b3 |= word == 3 ? bit : 0;
  }
  bits0 = b0;
  bits1 = b1;
  bits2 = b2;
  bits3 = b3;
}

/** Finds the bins with rows, from the cells that a large node has filled. */
function markCells(nBins: u32): void {
  bits0 = bits1 = bits2 = bits3 = 0;
  for (let bin: u32 = 0; bin <= nBins; bin++) {
    if (load<i64>(Tree.cells + (<usize>bin << 3)) == 0) continue;
    const bit: u64 = <u64>1 << <u64>(bin & 63);
    if (bin < 64) bits0 |= bit;
    else if (bin < 128) bits1 |= bit;
    else if (bin < 192) bits2 |= bit;
    else bits3 |= bit;
  }
}

/** @returns whether the feature varies in the node */
function tryFeature(feature: u32, start: u32, end: u32, count: i64, randomCuts: bool): bool {
  const column = <usize>load<u32>(P_BINS) + <usize>feature * <usize>load<u32>(P_N_ROWS);
  const missingBin = load<u32>(<usize>load<u32>(P_FEATURES) + <usize>feature * FEATURE_RECORD_BYTES);
  addCells(column, start, end);
  if (end - start < FEW_ROWS) markBins(column, start, end);
  else markCells(missingBin);
  const first = nextBin(0);
  const second = nextBin(first + 1);
  const varies = second < 256;
  if (varies) {
    const missing = load<i64>(Tree.cells + (<usize>missingBin << 3));
    if (randomCuts) {
      let cut = first;
      let last = first;
      for (let bin = first; bin < missingBin; bin = nextBin(bin + 1)) last = bin;
      // Between the least and the greatest bin; with one bin and missing values, between the two.
      if (last > first) cut = first + Rng.below(last - first);
      const missingLeft = last > first && missing != 0 && (Rng.next() & 1) == 1;
      let sum: i64 = missingLeft ? missing : 0;
      for (let bin = first; bin <= cut; bin = nextBin(bin + 1)) sum += load<i64>(Tree.cells + (<usize>bin << 3));
      consider(feature, cut, sum, count, missingLeft, missing != 0);
    } else {
      scanCuts(feature, first, missingBin, 0, count, false, missing != 0);
      if (missing != 0) scanCuts(feature, first, missingBin, missing, count, true, true);
    }
  }
  for (let bin = first; bin < 256; bin = nextBin(bin + 1)) store<i64>(Tree.cells + (<usize>bin << 3), 0);
  return varies;
}

function scanCuts(
  feature: u32, first: u32, missingBin: u32, startSum: i64, count: i64, missingLeft: bool, hasMissing: bool,
): void {
  let sum = startSum;
  for (let bin = first; bin < missingBin; bin = nextBin(bin + 1)) {
    sum += load<i64>(Tree.cells + (<usize>bin << 3));
    const leftCount = sum & Tree.countMask;
    if (leftCount < Tree.minSamplesLeaf) continue;
    if (count - leftCount < max<i64>(1, Tree.minSamplesLeaf)) break;
    consider(feature, bin, sum, count, missingLeft, hasMissing);
  }
}

@inline
function consider(feature: u32, cut: u32, sum: i64, count: i64, missingLeft: bool, hasMissing: bool): void {
  const leftCount = sum & Tree.countMask;
  const rightCount = count - leftCount;
  if (leftCount < max<i64>(1, Tree.minSamplesLeaf) || rightCount < max<i64>(1, Tree.minSamplesLeaf)) return;
  const left = <f64>(sum >> Tree.countBits);
  const right = <f64>(Tree.total >> Tree.countBits) - left;
  keepIfBetter(
    score(left, <f64>leftCount) + score(right, <f64>rightCount), feature, cut,
    hasMissing ? missingLeft : 2 * leftCount > count,
  );
}

function keepIfBetter(candidate: f64, feature: u32, cut: u32, missingLeft: bool): void {
  if (candidate <= Tree.bestScore) return;
  Tree.bestScore = candidate;
  Tree.bestFeature = <i32>feature;
  Tree.bestCut = cut;
  Tree.bestMissingLeft = missingLeft;
}

/** As `tryFeature`, with a cell for each class of a bin. */
function tryFeatureOfClasses(feature: u32, start: u32, end: u32, count: i64, randomCuts: bool): bool {
  const column = <usize>load<u32>(P_BINS) + <usize>feature * <usize>load<u32>(P_N_ROWS);
  const missingBin = load<u32>(<usize>load<u32>(P_FEATURES) + <usize>feature * FEATURE_RECORD_BYTES);
  const binBytes = <usize>Tree.nClasses << 3;
  for (let i = <usize>start; i < <usize>end; i++) {
    const bin = <usize>load<u8>(column + <usize>load<u32>(Tree.rows + (i << 2)));
    const value = load<i64>(Tree.values + (i << 3));
    const cell = Tree.cells + bin * binBytes + (<usize>(value >> 32) << 3);
    store<f64>(cell, load<f64>(cell) + <f64>(value & 0xffffffff));
  }
  markBins(column, start, end);
  const first = nextBin(0);
  const varies = nextBin(first + 1) < 256;
  if (varies) {
    const hasMissing = nextBin(missingBin) < 256;
    if (randomCuts) {
      let last = first;
      for (let bin = first; bin < missingBin; bin = nextBin(bin + 1)) last = bin;
      const cut = last > first ? first + Rng.below(last - first) : first;
      const missingLeft = last > first && hasMissing && (Rng.next() & 1) == 1;
      scanClasses(feature, first, missingBin, cut, count, missingLeft, hasMissing);
    } else {
      scanClasses(feature, first, missingBin, 256, count, false, hasMissing);
      if (hasMissing) scanClasses(feature, first, missingBin, 256, count, true, true);
    }
  }
  for (let bin = first; bin < 256; bin = nextBin(bin + 1)) memory.fill(Tree.cells + <usize>bin * binBytes, 0, binBytes);
  return varies;
}

/** All cuts, or with `onlyCut` below 256 that one. */
function scanClasses(
  feature: u32, first: u32, missingBin: u32, onlyCut: u32, count: i64, missingLeft: bool, hasMissing: bool,
): void {
  const weights = <usize>load<u32>(P_WEIGHTS);
  const binBytes = <usize>Tree.nClasses << 3;
  let leftCount: f64 = 0;
  memory.fill(Tree.classLefts, 0, binBytes);
  if (missingLeft) leftCount += addClasses(Tree.cells + <usize>missingBin * binBytes);
  const least = max<f64>(1, <f64>Tree.minSamplesLeaf);
  for (let bin = first; bin < missingBin; bin = nextBin(bin + 1)) {
    if (bin > onlyCut) break;
    leftCount += addClasses(Tree.cells + <usize>bin * binBytes);
    if (onlyCut < 256 && nextBin(bin + 1) <= onlyCut) continue;
    if (leftCount < least) continue;
    if (<f64>count - leftCount < least) break;
    let leftSquares: f64 = 0, leftWeight: f64 = 0, rightSquares: f64 = 0, rightWeight: f64 = 0;
    for (let k: usize = 0; k < binBytes; k += 8) {
      const weight = load<f64>(weights + k);
      const left = load<f64>(Tree.classLefts + k) * weight;
      const right = load<f64>(Tree.classTotals + k) * weight - left;
      leftSquares += left * left;
      leftWeight += left;
      rightSquares += right * right;
      rightWeight += right;
    }
    keepIfBetter(
      leftSquares / leftWeight + rightSquares / rightWeight, feature, onlyCut < 256 ? onlyCut : bin,
      hasMissing ? missingLeft : 2 * leftCount > <f64>count,
    );
  }
}

function addClasses(cell: usize): f64 {
  let count: f64 = 0;
  for (let k: usize = 0; k < <usize>Tree.nClasses << 3; k += 8) {
    const own = load<f64>(cell + k);
    store<f64>(Tree.classLefts + k, load<f64>(Tree.classLefts + k) + own);
    count += own;
  }
  return count;
}
