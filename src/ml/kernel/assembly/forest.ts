import { Rng } from './random';
import {
  BINS, CRITERION_CLASSES, CRITERION_TWO_CLASSES, CRITERION_VARIANCE, FEATURE_RECORD_BYTES, FOREST_NODE_BYTES,
  FOREST_RANGE_BYTES, P_BINS, P_BOOTSTRAP, P_CLASS_WEIGHTS, P_COUNT_BITS, P_CRITERION, P_FEATURES, P_FIRST_TREE,
  P_GRADIENT_SCALE, P_MAX_DEPTH, P_MAX_FEATURES, P_MAX_NODES, P_MIN_SAMPLES_LEAF, P_MIN_SAMPLES_SPLIT, P_N_CLASSES,
  P_N_FEATURES, P_N_ROWS, P_PACKED, P_RANDOM_CUTS, P_ROOMS, P_ROOM_BYTES, P_ROOM_FLAGS, P_SEED, P_TARGET, P_TREES,
  P_TREE_BYTES, P_WEIGHTS,
} from './layout';

// Every thread runs an instance of its own, so these belong to the tree that the thread is growing. Its room holds
// the rows in the order of the leaves, what they add up to (a packed int64 for sums, class and weight for classes),
// spare room for both, how often each was drawn, ranges that wait, features in random order, and cells of a histogram.
let rows: usize = 0;
let values: usize = 0;
let spareRows: usize = 0;
let spareValues: usize = 0;
let ranges: usize = 0;
let features: usize = 0;
let cells: usize = 0;
let classTotals: usize = 0;
let classLefts: usize = 0;
let nodes: usize = 0;
let nodeValues: usize = 0;
let nNodes: u32 = 0;
let nRanges: u32 = 0;
let criterion: u32 = 0;
let nClasses: u32 = 0;
let countBits: i64 = 0;
let countMask: i64 = 0;
let minSamplesLeaf: i64 = 0;
let weight0: f64 = 1;
let weight1: f64 = 1;

// The node that is being split.
let total: i64 = 0;
let parentScore: f64 = 0;
let bestScore: f64 = 0;
let bestFeature: i32 = -1;
let bestCut: u32 = 0;
let bestMissingLeft: bool = false;

/** Cells are cleared one by one where a node has fewer rows than this, all at once where it has more. */
const FEW_ROWS: u32 = 128;

/** Grows one tree into its place at `P_TREES`; the task is the number of the place. */
export function growTreeTask(task: u32): void {
  const flags = <usize>load<u32>(P_ROOM_FLAGS);
  let room: usize = 0;
  while (atomic.cmpxchg<i32>(flags + (room << 2), 0, 1) != 0) room++;
  openRoom(<usize>load<u32>(P_ROOMS) + room * <usize>load<u32>(P_ROOM_BYTES));
  const place = <usize>load<u32>(P_TREES) + <usize>task * <usize>load<u32>(P_TREE_BYTES);
  nodes = place + 16;
  nodeValues = nodes + <usize>load<u32>(P_MAX_NODES) * FOREST_NODE_BYTES;
  Rng.seed(load<u32>(P_SEED), load<u32>(P_FIRST_TREE) + task);
  const n = drawRows();
  nNodes = 1;
  nRanges = 0;
  push(0, n, 0, 0);
  while (nRanges > 0) {
    nRanges--;
    const range = ranges + <usize>nRanges * FOREST_RANGE_BYTES;
    splitRange(load<u32>(range), load<u32>(range, 4), load<u32>(range, 8), load<u32>(range, 12));
  }
  store<u32>(place, nNodes);
  atomic.store<i32>(flags + (room << 2), 0);
}

function openRoom(base: usize): void {
  const nRows = <usize>load<u32>(P_N_ROWS);
  const nFeatures = load<u32>(P_N_FEATURES);
  criterion = load<u32>(P_CRITERION);
  nClasses = load<u32>(P_N_CLASSES);
  countBits = <i64>load<u32>(P_COUNT_BITS);
  countMask = (<i64>1 << countBits) - 1;
  minSamplesLeaf = <i64>load<u32>(P_MIN_SAMPLES_LEAF);
  weight0 = load<f64>(P_CLASS_WEIGHTS);
  weight1 = load<f64>(P_CLASS_WEIGHTS + 8);
  values = base;
  spareValues = values + (nRows + 1) * 8;
  classTotals = spareValues + (nRows + 1) * 8;
  classLefts = classTotals + <usize>nClasses * 8;
  cells = classLefts + <usize>nClasses * 8;
  rows = cells + BINS * 8 * max<usize>(1, <usize>nClasses);
  spareRows = rows + (nRows + 1) * 4;
  ranges = spareRows + (nRows + 1) * 4;
  features = ranges + 64 * FOREST_RANGE_BYTES;
  memory.fill(cells, 0, BINS * 8 * max<usize>(1, <usize>nClasses));
  for (let feature: u32 = 0; feature < nFeatures; feature++) store<u32>(features + (<usize>feature << 2), feature);
}

/** The tree's rows, each once, with what they count; a bootstrap draws as many as there are, with replacement. */
function drawRows(): u32 {
  const nRows = load<u32>(P_N_ROWS);
  const bootstrap = load<u32>(P_BOOTSTRAP) != 0;
  if (bootstrap) {
    memory.fill(spareRows, 0, <usize>nRows << 2);
    for (let i: u32 = 0; i < nRows; i++) {
      const drawn = spareRows + (<usize>Rng.below(nRows) << 2);
      store<u32>(drawn, load<u32>(drawn) + 1);
    }
  }
  const packed = <usize>load<u32>(P_PACKED);
  let n: u32 = 0;
  for (let row: u32 = 0; row < nRows; row++) {
    const times: i64 = bootstrap ? <i64>load<u32>(spareRows + (<usize>row << 2)) : 1;
    if (times == 0) continue;
    const own = load<i64>(packed + (<usize>row << 3));
    store<u32>(rows + (<usize>n << 2), row);
    // Of a class the weight is counted, of a sum everything.
    store<i64>(values + (<usize>n << 3), criterion == CRITERION_CLASSES ? (own << 32) | times : own * times);
    n++;
  }
  return n;
}

function push(start: u32, end: u32, node: u32, depth: u32): void {
  const range = ranges + <usize>nRanges * FOREST_RANGE_BYTES;
  nRanges++;
  store<u32>(range, start);
  store<u32>(range, end, 4);
  store<u32>(range, node, 8);
  store<u32>(range, depth, 12);
}

function splitRange(start: u32, end: u32, node: u32, depth: u32): void {
  const count = sumUp(start, end);
  const record = nodes + <usize>node * FOREST_NODE_BYTES;
  store<i32>(record, -1);
  store<u32>(record, 0, 8);
  store<f32>(record, <f32>count, 20);
  store<f32>(record, 0, 24);
  writeValue(node, count);
  const mayBeSplit = depth < load<u32>(P_MAX_DEPTH) && count >= 2 * minSamplesLeaf &&
    count >= <i64>load<u32>(P_MIN_SAMPLES_SPLIT) && end - start > 1;
  if (!mayBeSplit || !findSplit(start, end, count) || nNodes + 2 > load<u32>(P_MAX_NODES)) return;
  const middle = partition(start, end);
  const left = nNodes;
  nNodes += 2;
  store<i32>(record, bestFeature);
  store<u32>(record, bestCut, 4);
  store<u32>(record, bestMissingLeft ? 1 : 0, 8);
  store<u32>(record, left, 12);
  store<u32>(record, left + 1, 16);
  const scale = criterion == CRITERION_VARIANCE ? load<f64>(P_GRADIENT_SCALE) : 1;
  store<f32>(record, <f32>((bestScore - parentScore) / (scale * scale)), 24);
  // The smaller side comes next, so that never more than log2(rows) ranges wait.
  if (middle - start < end - middle) {
    push(middle, end, left + 1, depth + 1);
    push(start, middle, left, depth + 1);
  } else {
    push(start, middle, left, depth + 1);
    push(middle, end, left + 1, depth + 1);
  }
}

/** The node's sums, its score before a split, and how many rows were drawn for it. */
function sumUp(start: u32, end: u32): i64 {
  const last = values + (<usize>end << 3);
  if (criterion != CRITERION_CLASSES) {
    let sum: i64 = 0;
    for (let at = values + (<usize>start << 3); at < last; at += 8) sum += load<i64>(at);
    total = sum;
    const count = sum & countMask;
    parentScore = score(<f64>(sum >> countBits), <f64>count);
    return count;
  }
  memory.fill(classTotals, 0, <usize>nClasses << 3);
  let count: i64 = 0;
  for (let at = values + (<usize>start << 3); at < last; at += 8) {
    const value = load<i64>(at);
    const cell = classTotals + (<usize>(value >> 32) << 3);
    store<f64>(cell, load<f64>(cell) + <f64>(value & 0xffffffff));
    count += value & 0xffffffff;
  }
  total = count;
  parentScore = classScore(classTotals);
  return count;
}

/** Square of the sum over the weight, for one side: the larger over both sides, the purer they are. */
// @ts-ignore: decorator
@inline
function score(sum: f64, count: f64): f64 {
  if (criterion == CRITERION_TWO_CLASSES) {
    const positive = weight1 * sum;
    const negative = weight0 * (count - sum);
    return (positive * positive + negative * negative) / (positive + negative);
  }
  return (sum * sum) / count;
}

function classScore(counts: usize): f64 {
  const weights = <usize>load<u32>(P_WEIGHTS);
  let squares: f64 = 0;
  let weight: f64 = 0;
  for (let k: usize = 0; k < <usize>nClasses; k++) {
    const own = load<f64>(counts + (k << 3)) * load<f64>(weights + (k << 3));
    squares += own * own;
    weight += own;
  }
  return squares / weight;
}

function writeValue(node: u32, count: i64): void {
  if (criterion == CRITERION_CLASSES) {
    const weights = <usize>load<u32>(P_WEIGHTS);
    let weight: f64 = 0;
    for (let k: usize = 0; k < <usize>nClasses; k++) {
      weight += load<f64>(classTotals + (k << 3)) * load<f64>(weights + (k << 3));
    }
    const out = nodeValues + <usize>node * (<usize>nClasses << 2);
    for (let k: usize = 0; k < <usize>nClasses; k++) {
      store<f32>(out + (k << 2), <f32>((load<f64>(classTotals + (k << 3)) * load<f64>(weights + (k << 3))) / weight));
    }
    return;
  }
  const sum = <f64>(total >> countBits);
  const value = criterion == CRITERION_TWO_CLASSES
    ? (weight1 * sum) / (weight1 * sum + weight0 * (<f64>count - sum))
    : sum / <f64>count / load<f64>(P_GRADIENT_SCALE);
  store<f32>(nodeValues + (<usize>node << 2), <f32>value);
}

/** Tries features in random order until as many as are wanted were not constant, and on until one can be split. */
function findSplit(start: u32, end: u32, count: i64): bool {
  const nFeatures = load<u32>(P_N_FEATURES);
  const wanted = load<u32>(P_MAX_FEATURES);
  const randomCuts = load<u32>(P_RANDOM_CUTS) != 0;
  bestFeature = -1;
  // More than rounding of sums.
  bestScore = parentScore + abs<f64>(parentScore) * 1e-12;
  if (isPure(count)) return false;
  let tried: u32 = 0;
  for (let i: u32 = 0; i < nFeatures && (tried < wanted || bestFeature < 0); i++) {
    const other = features + (<usize>(i + Rng.below(nFeatures - i)) << 2);
    const own = features + (<usize>i << 2);
    const feature = load<u32>(other);
    store<u32>(other, load<u32>(own));
    store<u32>(own, feature);
    const varies = criterion == CRITERION_CLASSES
      ? tryFeatureOfClasses(feature, start, end, count, randomCuts)
      : tryFeature(feature, start, end, count, randomCuts);
    if (varies) tried++;
  }
  return bestFeature >= 0;
}

function isPure(count: i64): bool {
  if (criterion == CRITERION_VARIANCE) return false;
  if (criterion == CRITERION_TWO_CLASSES) return total >> countBits == 0 || total >> countBits == count;
  for (let k: usize = 0; k < <usize>nClasses; k++) {
    if (load<f64>(classTotals + (k << 3)) == <f64>count) return true;
  }
  return false;
}

// Bins that have rows, as bits, so that a small node looks at no others.
let bits0: u64 = 0;
let bits1: u64 = 0;
let bits2: u64 = 0;
let bits3: u64 = 0;

// @ts-ignore: decorator
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
    const bin = <usize>load<u8>(column + <usize>load<u32>(rows + (i << 2)));
    const cell = cells + (bin << 3);
    store<i64>(cell, load<i64>(cell) + load<i64>(values + (i << 3)));
  }
}

function markBins(column: usize, start: u32, end: u32): void {
  let b0: u64 = 0, b1: u64 = 0, b2: u64 = 0, b3: u64 = 0;
  for (let i = <usize>start; i < <usize>end; i++) {
    const bin = <u64>load<u8>(column + <usize>load<u32>(rows + (i << 2)));
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
    if (load<i64>(cells + (<usize>bin << 3)) == 0) continue;
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
    const missing = load<i64>(cells + (<usize>missingBin << 3));
    if (randomCuts) {
      let cut = first;
      let last = first;
      for (let bin = first; bin < missingBin; bin = nextBin(bin + 1)) last = bin;
      // Between the least and the greatest bin; with one bin and missing values, between the two.
      if (last > first) cut = first + Rng.below(last - first);
      const missingLeft = last > first && missing != 0 && (Rng.next() & 1) == 1;
      let sum: i64 = missingLeft ? missing : 0;
      for (let bin = first; bin <= cut; bin = nextBin(bin + 1)) sum += load<i64>(cells + (<usize>bin << 3));
      consider(feature, cut, sum, count, missingLeft, missing != 0);
    } else {
      scanCuts(feature, first, missingBin, 0, count, false, missing != 0);
      if (missing != 0) scanCuts(feature, first, missingBin, missing, count, true, true);
    }
  }
  for (let bin = first; bin < 256; bin = nextBin(bin + 1)) store<i64>(cells + (<usize>bin << 3), 0);
  return varies;
}

function scanCuts(
  feature: u32, first: u32, missingBin: u32, startSum: i64, count: i64, missingLeft: bool, hasMissing: bool,
): void {
  let sum = startSum;
  for (let bin = first; bin < missingBin; bin = nextBin(bin + 1)) {
    sum += load<i64>(cells + (<usize>bin << 3));
    const leftCount = sum & countMask;
    if (leftCount < minSamplesLeaf) continue;
    if (count - leftCount < max<i64>(1, minSamplesLeaf)) break;
    consider(feature, bin, sum, count, missingLeft, hasMissing);
  }
}

// @ts-ignore: decorator
@inline
function consider(feature: u32, cut: u32, sum: i64, count: i64, missingLeft: bool, hasMissing: bool): void {
  const leftCount = sum & countMask;
  const rightCount = count - leftCount;
  if (leftCount < max<i64>(1, minSamplesLeaf) || rightCount < max<i64>(1, minSamplesLeaf)) return;
  const left = <f64>(sum >> countBits);
  const right = <f64>(total >> countBits) - left;
  keepIfBetter(
    score(left, <f64>leftCount) + score(right, <f64>rightCount), feature, cut,
    hasMissing ? missingLeft : 2 * leftCount > count,
  );
}

function keepIfBetter(candidate: f64, feature: u32, cut: u32, missingLeft: bool): void {
  if (candidate <= bestScore) return;
  bestScore = candidate;
  bestFeature = <i32>feature;
  bestCut = cut;
  bestMissingLeft = missingLeft;
}

/** As `tryFeature`, with a cell for each class of a bin. */
function tryFeatureOfClasses(feature: u32, start: u32, end: u32, count: i64, randomCuts: bool): bool {
  const column = <usize>load<u32>(P_BINS) + <usize>feature * <usize>load<u32>(P_N_ROWS);
  const missingBin = load<u32>(<usize>load<u32>(P_FEATURES) + <usize>feature * FEATURE_RECORD_BYTES);
  const binBytes = <usize>nClasses << 3;
  for (let i = <usize>start; i < <usize>end; i++) {
    const bin = <usize>load<u8>(column + <usize>load<u32>(rows + (i << 2)));
    const value = load<i64>(values + (i << 3));
    const cell = cells + bin * binBytes + (<usize>(value >> 32) << 3);
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
  for (let bin = first; bin < 256; bin = nextBin(bin + 1)) memory.fill(cells + <usize>bin * binBytes, 0, binBytes);
  return varies;
}

/** All cuts, or with `onlyCut` below 256 that one. */
function scanClasses(
  feature: u32, first: u32, missingBin: u32, onlyCut: u32, count: i64, missingLeft: bool, hasMissing: bool,
): void {
  const weights = <usize>load<u32>(P_WEIGHTS);
  const binBytes = <usize>nClasses << 3;
  let leftCount: f64 = 0;
  memory.fill(classLefts, 0, binBytes);
  if (missingLeft) leftCount += addClasses(cells + <usize>missingBin * binBytes);
  const least = max<f64>(1, <f64>minSamplesLeaf);
  for (let bin = first; bin < missingBin; bin = nextBin(bin + 1)) {
    if (bin > onlyCut) break;
    leftCount += addClasses(cells + <usize>bin * binBytes);
    if (onlyCut < 256 && nextBin(bin + 1) <= onlyCut) continue;
    if (leftCount < least) continue;
    if (<f64>count - leftCount < least) break;
    let leftSquares: f64 = 0, leftWeight: f64 = 0, rightSquares: f64 = 0, rightWeight: f64 = 0;
    for (let k: usize = 0; k < binBytes; k += 8) {
      const weight = load<f64>(weights + k);
      const left = load<f64>(classLefts + k) * weight;
      const right = load<f64>(classTotals + k) * weight - left;
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
  for (let k: usize = 0; k < <usize>nClasses << 3; k += 8) {
    const own = load<f64>(cell + k);
    store<f64>(classLefts + k, load<f64>(classLefts + k) + own);
    count += own;
  }
  return count;
}

/** Divides the node's rows, and what they count, without a branch; returns where the right ones begin. */
function partition(start: u32, end: u32): u32 {
  const column = <usize>load<u32>(P_BINS) + <usize>bestFeature * <usize>load<u32>(P_N_ROWS);
  const missingBin = load<u32>(<usize>load<u32>(P_FEATURES) + <usize>bestFeature * FEATURE_RECORD_BYTES);
  let left = <usize>start;
  let right: usize = 0;
  for (let i = <usize>start; i < <usize>end; i++) {
    const row = load<u32>(rows + (i << 2));
    const value = load<i64>(values + (i << 3));
    const bin = <u32>load<u8>(column + <usize>row);
    const goesLeft: usize = bin == missingBin ? (bestMissingLeft ? 1 : 0) : bin <= bestCut ? 1 : 0;
    store<u32>(rows + (left << 2), row);
    store<i64>(values + (left << 3), value);
    store<u32>(spareRows + (right << 2), row);
    store<i64>(spareValues + (right << 3), value);
    left += goesLeft;
    right += 1 - goesLeft;
  }
  memory.copy(rows + (left << 2), spareRows, right << 2);
  memory.copy(values + (left << 3), spareValues, right << 3);
  return <u32>left;
}
