import { classScore, score } from './forest-score';
import { findSplit } from './forest-split';
import { Tree } from './forest-tree';
import {
  BINS, CRITERION_CLASSES, CRITERION_TWO_CLASSES, CRITERION_VARIANCE, FEATURE_RECORD_BYTES, FOREST_NODE_BYTES,
  FOREST_RANGE_BYTES, P_BINS, P_BOOTSTRAP, P_CLASS_WEIGHTS, P_COUNT_BITS, P_CRITERION, P_FEATURES, P_FIRST_TREE,
  P_GRADIENT_SCALE, P_MAX_DEPTH, P_MAX_NODES, P_MIN_SAMPLES_LEAF, P_MIN_SAMPLES_SPLIT, P_N_CLASSES, P_N_FEATURES,
  P_N_ROWS, P_PACKED, P_ROOMS, P_ROOM_BYTES, P_ROOM_FLAGS, P_SEED, P_TREES, P_TREE_BYTES, P_WEIGHTS,
} from './layout';
import { Rng } from './random';

/** Grows one tree into its place at `P_TREES`; the task is the number of the place. */
export function growTreeTask(task: u32): void {
  const flags = <usize>load<u32>(P_ROOM_FLAGS);
  let room: usize = 0;
  while (atomic.cmpxchg<i32>(flags + (room << 2), 0, 1) != 0) room++;
  openRoom(<usize>load<u32>(P_ROOMS) + room * <usize>load<u32>(P_ROOM_BYTES));
  const place = <usize>load<u32>(P_TREES) + <usize>task * <usize>load<u32>(P_TREE_BYTES);
  Tree.nodes = place + 16;
  Tree.nodeValues = Tree.nodes + <usize>load<u32>(P_MAX_NODES) * FOREST_NODE_BYTES;
  Rng.seed(load<u32>(P_SEED), load<u32>(P_FIRST_TREE) + task);
  const n = drawRows();
  Tree.nNodes = 1;
  Tree.nRanges = 0;
  push(0, n, 0, 0);
  while (Tree.nRanges > 0) {
    Tree.nRanges--;
    const range = Tree.ranges + <usize>Tree.nRanges * FOREST_RANGE_BYTES;
    splitRange(load<u32>(range), load<u32>(range, 4), load<u32>(range, 8), load<u32>(range, 12));
  }
  store<u32>(place, Tree.nNodes);
  atomic.store<i32>(flags + (room << 2), 0);
}

function openRoom(base: usize): void {
  const nRows = <usize>load<u32>(P_N_ROWS);
  const nFeatures = load<u32>(P_N_FEATURES);
  Tree.criterion = load<u32>(P_CRITERION);
  Tree.nClasses = load<u32>(P_N_CLASSES);
  Tree.countBits = <i64>load<u32>(P_COUNT_BITS);
  Tree.countMask = (<i64>1 << Tree.countBits) - 1;
  Tree.minSamplesLeaf = <i64>load<u32>(P_MIN_SAMPLES_LEAF);
  Tree.weight0 = load<f64>(P_CLASS_WEIGHTS);
  Tree.weight1 = load<f64>(P_CLASS_WEIGHTS + 8);
  Tree.values = base;
  Tree.spareValues = Tree.values + (nRows + 1) * 8;
  Tree.classTotals = Tree.spareValues + (nRows + 1) * 8;
  Tree.classLefts = Tree.classTotals + <usize>Tree.nClasses * 8;
  Tree.cells = Tree.classLefts + <usize>Tree.nClasses * 8;
  Tree.rows = Tree.cells + BINS * 8 * max<usize>(1, <usize>Tree.nClasses);
  Tree.spareRows = Tree.rows + (nRows + 1) * 4;
  Tree.ranges = Tree.spareRows + (nRows + 1) * 4;
  Tree.features = Tree.ranges + 64 * FOREST_RANGE_BYTES;
  memory.fill(Tree.cells, 0, BINS * 8 * max<usize>(1, <usize>Tree.nClasses));
  for (let feature: u32 = 0; feature < nFeatures; feature++) store<u32>(Tree.features + (<usize>feature << 2), feature);
}

/** The tree's rows, each once, with what they count; a bootstrap draws as many as there are, with replacement. */
function drawRows(): u32 {
  const nRows = load<u32>(P_N_ROWS);
  const bootstrap = load<u32>(P_BOOTSTRAP) != 0;
  if (bootstrap) {
    memory.fill(Tree.spareRows, 0, <usize>nRows << 2);
    for (let i: u32 = 0; i < nRows; i++) {
      const drawn = Tree.spareRows + (<usize>Rng.below(nRows) << 2);
      store<u32>(drawn, load<u32>(drawn) + 1);
    }
  }
  const packed = <usize>load<u32>(P_PACKED);
  let n: u32 = 0;
  for (let row: u32 = 0; row < nRows; row++) {
    const times: i64 = bootstrap ? <i64>load<u32>(Tree.spareRows + (<usize>row << 2)) : 1;
    if (times == 0) continue;
    const own = load<i64>(packed + (<usize>row << 3));
    store<u32>(Tree.rows + (<usize>n << 2), row);
    // Of a class the weight is counted, of a sum everything.
    store<i64>(Tree.values + (<usize>n << 3), Tree.criterion == CRITERION_CLASSES ? (own << 32) | times : own * times);
    n++;
  }
  return n;
}

function push(start: u32, end: u32, node: u32, depth: u32): void {
  const range = Tree.ranges + <usize>Tree.nRanges * FOREST_RANGE_BYTES;
  Tree.nRanges++;
  store<u32>(range, start);
  store<u32>(range, end, 4);
  store<u32>(range, node, 8);
  store<u32>(range, depth, 12);
}

function splitRange(start: u32, end: u32, node: u32, depth: u32): void {
  const count = sumUp(start, end);
  const record = Tree.nodes + <usize>node * FOREST_NODE_BYTES;
  store<i32>(record, -1);
  store<u32>(record, 0, 8);
  store<f32>(record, <f32>count, 20);
  store<f32>(record, 0, 24);
  writeValue(node, count);
  const mayBeSplit = depth < load<u32>(P_MAX_DEPTH) && count >= 2 * Tree.minSamplesLeaf &&
    count >= <i64>load<u32>(P_MIN_SAMPLES_SPLIT) && end - start > 1;
  if (!mayBeSplit || !findSplit(start, end, count) || Tree.nNodes + 2 > load<u32>(P_MAX_NODES)) return;
  const middle = partition(start, end);
  const left = Tree.nNodes;
  Tree.nNodes += 2;
  store<i32>(record, Tree.bestFeature);
  store<u32>(record, Tree.bestCut, 4);
  store<u32>(record, Tree.bestMissingLeft ? 1 : 0, 8);
  store<u32>(record, left, 12);
  store<u32>(record, left + 1, 16);
  const scale = Tree.criterion == CRITERION_VARIANCE ? load<f64>(P_GRADIENT_SCALE) : 1;
  store<f32>(record, <f32>((Tree.bestScore - Tree.parentScore) / (scale * scale)), 24);
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
  const last = Tree.values + (<usize>end << 3);
  if (Tree.criterion != CRITERION_CLASSES) {
    let sum: i64 = 0;
    for (let at = Tree.values + (<usize>start << 3); at < last; at += 8) sum += load<i64>(at);
    Tree.total = sum;
    const count = sum & Tree.countMask;
    Tree.parentScore = score(<f64>(sum >> Tree.countBits), <f64>count);
    return count;
  }
  memory.fill(Tree.classTotals, 0, <usize>Tree.nClasses << 3);
  let count: i64 = 0;
  for (let at = Tree.values + (<usize>start << 3); at < last; at += 8) {
    const value = load<i64>(at);
    const cell = Tree.classTotals + (<usize>(value >> 32) << 3);
    store<f64>(cell, load<f64>(cell) + <f64>(value & 0xffffffff));
    count += value & 0xffffffff;
  }
  Tree.total = count;
  Tree.parentScore = classScore(Tree.classTotals);
  return count;
}

function writeValue(node: u32, count: i64): void {
  if (Tree.criterion == CRITERION_CLASSES) {
    const weights = <usize>load<u32>(P_WEIGHTS);
    let weight: f64 = 0;
    for (let k: usize = 0; k < <usize>Tree.nClasses; k++) {
      weight += load<f64>(Tree.classTotals + (k << 3)) * load<f64>(weights + (k << 3));
    }
    const out = Tree.nodeValues + <usize>node * (<usize>Tree.nClasses << 2);
    for (let k: usize = 0; k < <usize>Tree.nClasses; k++) {
      store<f32>(out + (k << 2), <f32>((load<f64>(Tree.classTotals + (k << 3)) * load<f64>(weights + (k << 3))) / weight));
    }
    return;
  }
  const sum = <f64>(Tree.total >> Tree.countBits);
  const value = Tree.criterion == CRITERION_TWO_CLASSES
    ? (Tree.weight1 * sum) / (Tree.weight1 * sum + Tree.weight0 * (<f64>count - sum))
    : sum / <f64>count / load<f64>(P_GRADIENT_SCALE);
  store<f32>(Tree.nodeValues + (<usize>node << 2), <f32>value);
}

/** Divides the node's rows, and what they count, without a branch; returns where the right ones begin. */
function partition(start: u32, end: u32): u32 {
  const column = <usize>load<u32>(P_BINS) + <usize>Tree.bestFeature * <usize>load<u32>(P_N_ROWS);
  const missingBin = load<u32>(<usize>load<u32>(P_FEATURES) + <usize>Tree.bestFeature * FEATURE_RECORD_BYTES);
  let left = <usize>start;
  let right: usize = 0;
  for (let i = <usize>start; i < <usize>end; i++) {
    const row = load<u32>(Tree.rows + (i << 2));
    const value = load<i64>(Tree.values + (i << 3));
    const bin = <u32>load<u8>(column + <usize>row);
    const goesLeft: usize = bin == missingBin ? (Tree.bestMissingLeft ? 1 : 0) : bin <= Tree.bestCut ? 1 : 0;
    store<u32>(Tree.rows + (left << 2), row);
    store<i64>(Tree.values + (left << 3), value);
    store<u32>(Tree.spareRows + (right << 2), row);
    store<i64>(Tree.spareValues + (right << 3), value);
    left += goesLeft;
    right += 1 - goesLeft;
  }
  memory.copy(Tree.rows + (left << 2), Tree.spareRows, right << 2);
  memory.copy(Tree.values + (left << 3), Tree.spareValues, right << 3);
  return <u32>left;
}
