/** Grows one tree leaf-wise: the leaf with the largest gain is split next (Shi 2007; LightGBM). */
import {
  BINS,
  BLOCK_FEATURES,
  JOB_ADD_SCORES,
  JOB_PARTITION,
  LEAF_RECORD_BYTES,
  P_BLOCK,
  P_CATEGORY_PRICE,
  P_CATEGORY_SMOOTHING,
  P_CHUNK_COUNTS,
  P_CHUNK_ROWS,
  P_COUNT,
  P_HAS_CONSTRAINTS,
  P_LAMBDA,
  P_LEAVES,
  P_LEFT_TABLE,
  P_MIN_GAIN,
  P_MIN_HESSIAN,
  P_MIN_SAMPLES_LEAF,
  P_ROWS,
  P_ROWS_SPARE,
  P_SCORES,
  P_START,
} from '../kernel/assembly/layout.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { MemoryPlan } from '../kernel/memory-plan.ts';
import type { BinnedFeature, BinnedMatrix } from './binned-matrix.ts';
import { HistogramPool } from './histogram-pool.ts';
import type { ConstrainedSplit } from './monotonic-leaves.ts';
import {
  histogramBytesOf,
  type LeafRows,
  type LeafSums,
  planSearch,
  type SearchPlace,
  type Split,
  SplitSearch,
} from './split-search.ts';
import type { TreeEnsembleBuilder } from './tree.ts';

export interface GrowthRules {
  readonly maxLeafNodes: number;
  /** `undefined`: no limit. */
  readonly maxDepth: number | undefined;
  readonly minSamplesLeaf: number;
  readonly l2Regularization: number;
  readonly learningRate: number;
  /** -1, 0 or 1 per column. @default - no constraint */
  readonly monotonicConstraints?: readonly number[];
  /** Most that a leaf adds, before the learning rate. @default - no limit */
  readonly highestStep?: number;
}

interface Leaf extends LeafSums, LeafRows {
  readonly node: number;
  readonly depth: number;
  /** Address, held while the leaf may still be split and there is room. */
  histogram: number | undefined;
  best: Split | undefined;
}

/** What a tree begins with: the sums of its rows in the sample, and the least gain that is not rounding. */
export interface RootSums {
  readonly gradient: number;
  readonly hessian: number;
  readonly count: number;
  readonly minGain: number;
  /** What one more free parameter gains by chance: the mean square of the gradients over the mean hessian. */
  readonly chanceGain: number;
}

export interface GrowerPlace {
  readonly rows: number;
  readonly spareRows: number;
  readonly packed: number;
  readonly search: SearchPlace;
  readonly histograms: number;
  readonly nHistograms: number;
  readonly leftTable: number;
  readonly chunkCounts: number;
  readonly leaves: number;
}

/** A side with less than this has no second derivative worth dividing by. */
const MIN_HESSIAN = 1e-3;
/** Rows' worth of hessian that damp the order of categories; a category with fewer rows in a leaf stays right. */
const CATEGORY_SMOOTHING = 10;
/** What a set owes for each category in the leaf, in units of what one category gains by chance. */
const CATEGORY_PRICE = 2;
const MIN_PARTITION_CHUNK_ROWS = 16_384;
/** Beyond this, leaves wait without a histogram and have it built when they are split. */
const MAX_HISTOGRAM_BYTES = 128 * 1024 * 1024;

/** Greater than every float32 value that training accepts: all values left, only missing right. */
export const EVERY_VALUE = 3.4028234663852886e38;

export function planGrower(
  plan: MemoryPlan,
  nRows: number,
  nColumns: number,
  rules: GrowthRules,
  nThreads: number,
): GrowerPlace {
  const histogramBytes = histogramBytesOf(nColumns);
  const wanted = Math.min(rules.maxLeafNodes, Math.ceil(nRows / Math.max(1, rules.minSamplesLeaf))) + 1;
  const nHistograms = Math.max(4, Math.min(wanted, Math.floor(MAX_HISTOGRAM_BYTES / histogramBytes)));
  return {
    rows: plan.reserve(nRows * 4 + 4),
    spareRows: plan.reserve(nRows * 4 + 4),
    packed: plan.reserve(nRows * 8),
    search: planSearch(plan, nRows, nColumns, nThreads),
    histograms: plan.reserve(nHistograms * histogramBytes),
    nHistograms,
    leftTable: plan.reserve(BINS),
    chunkCounts: plan.reserve(4 * Math.max(1, nThreads)),
    leaves: plan.reserve(rules.maxLeafNodes * LEAF_RECORD_BYTES),
  };
}

/** Owns the buffers that every tree of a fit shares. */
export class TreeGrower {
  readonly #kernel: Kernel;
  readonly #binned: BinnedMatrix;
  readonly #rules: GrowthRules;
  readonly #place: GrowerPlace;
  readonly #search: SplitSearch;
  readonly #pool: HistogramPool;
  readonly #constraints: readonly number[] | undefined;
  #leaves: Leaf[] = [];
  #constrainedSplits: ConstrainedSplit[] = [];

  constructor(kernel: Kernel, binned: BinnedMatrix, rules: GrowthRules, place: GrowerPlace) {
    this.#kernel = kernel;
    this.#binned = binned;
    this.#rules = rules;
    this.#place = place;
    this.#search = new SplitSearch(kernel, binned, place.search, place.packed, place.rows);
    const histogramBytes = histogramBytesOf(binned.features.length);
    this.#pool = new HistogramPool(place.histograms, histogramBytes, place.nHistograms);
    const constraints = rules.monotonicConstraints;
    if (constraints?.some((sign) => sign !== 0)) {
      this.#constraints = binned.features.map(({ column }) => constraints[column]!);
      this.#constraints.forEach((sign, position) => {
        kernel.setInt(binned.featureRecords + position * 16 + 8, sign);
      });
    }
  }

  /** The leaves of the last tree: node and rows, the latter positions in `rows`. */
  get leaves(): readonly (LeafRows & { readonly node: number })[] {
    return this.#leaves;
  }

  /** Of the last tree, in the order in which they were made. */
  get constrainedSplits(): readonly ConstrainedSplit[] {
    return this.#constrainedSplits;
  }

  /** Row numbers, grouped by leaf. */
  get rows(): Int32Array {
    return this.#kernel.int32(this.#place.rows, this.#binned.nRows);
  }

  /** Adds the tree to `trees`; the packed derivatives of the rows are in place. */
  grow(root: RootSums, trees: TreeEnsembleBuilder): void {
    this.#beginTree(root);
    trees.beginTree();
    const leaves = [this.#rootLeaf(root, trees)];
    this.#leaves = leaves;
    this.#constrainedSplits = [];
    while (leaves.length < this.#rules.maxLeafNodes) {
      const next = leafWithLargestGain(leaves);
      if (next < 0) break;
      const isLastSplit = leaves.length + 1 === this.#rules.maxLeafNodes;
      const [left, right] = this.#split(leaves[next]!, trees, isLastSplit);
      leaves[next] = left;
      leaves.push(right);
    }
    for (const leaf of leaves) this.#release(leaf);
  }

  /** Adds the values of the last tree's leaves to the scores of their rows. */
  addToScores(trees: TreeEnsembleBuilder, scores: number): void {
    const kernel = this.#kernel;
    this.#leaves.forEach((leaf, i) => {
      const record = this.#place.leaves + i * LEAF_RECORD_BYTES;
      kernel.setInt(record, leaf.start);
      kernel.setInt(record + 4, leaf.end);
      kernel.setFloat(record + 8, trees.valueOf(leaf.node));
    });
    kernel.setInt(P_LEAVES, this.#place.leaves);
    kernel.setInt(P_SCORES, scores);
    kernel.run(JOB_ADD_SCORES, this.#leaves.length);
  }

  #beginTree(root: RootSums): void {
    const kernel = this.#kernel;
    const rows = this.rows;
    for (let row = 0; row < rows.length; row++) rows[row] = row;
    kernel.setInt(P_MIN_SAMPLES_LEAF, this.#rules.minSamplesLeaf);
    kernel.setFloat(P_LAMBDA, this.#rules.l2Regularization);
    kernel.setFloat(P_MIN_HESSIAN, MIN_HESSIAN);
    kernel.setFloat(P_MIN_GAIN, root.minGain);
    kernel.setFloat(P_CATEGORY_SMOOTHING, CATEGORY_SMOOTHING);
    kernel.setFloat(P_CATEGORY_PRICE, CATEGORY_PRICE * root.chanceGain);
    kernel.setInt(P_HAS_CONSTRAINTS, this.#constraints === undefined ? 0 : 1);
    kernel.setInt(P_ROWS_SPARE, this.#place.spareRows);
    kernel.setInt(P_LEFT_TABLE, this.#place.leftTable);
    kernel.setInt(P_CHUNK_COUNTS, this.#place.chunkCounts);
    this.#search.beginTree();
  }

  #rootLeaf(root: RootSums, trees: TreeEnsembleBuilder): Leaf {
    const highest = this.#rules.highestStep ?? Number.POSITIVE_INFINITY;
    const bounds = { lowest: Number.NEGATIVE_INFINITY, highest };
    const leaf = this.#leaf(0, { start: 0, end: this.#binned.nRows }, { ...root, ...bounds }, trees);
    if (!this.#mayBeSplit(leaf)) return leaf;
    leaf.histogram = this.#pool.take();
    leaf.best = this.#search.search(leaf, leaf.histogram!, leaf)[0];
    return leaf;
  }

  #leaf(depth: number, { start, end }: LeafRows, sums: LeafSums, trees: TreeEnsembleBuilder): Leaf {
    const { gradient, hessian, count, lowest, highest } = sums;
    const value = this.#rules.learningRate * this.#valueOf(sums);
    const node = trees.addLeaf(value, count);
    return {
      node,
      depth,
      start,
      end,
      gradient,
      hessian,
      count,
      lowest,
      highest,
      histogram: undefined,
      best: undefined,
    };
  }

  #valueOf({ gradient, hessian, lowest, highest }: LeafSums): number {
    const denominator = hessian + this.#rules.l2Regularization;
    const value = denominator > 0 ? -gradient / denominator : 0;
    return Math.max(lowest, Math.min(highest, value));
  }

  #mayBeSplit(leaf: Leaf): boolean {
    const { maxDepth, minSamplesLeaf } = this.#rules;
    return (
      leaf.count >= 2 * minSamplesLeaf &&
      (maxDepth === undefined || leaf.depth < maxDepth) &&
      this.#binned.features.length > 0
    );
  }

  #split(leaf: Leaf, trees: TreeEnsembleBuilder, isLastSplit: boolean): [Leaf, Leaf] {
    const best = leaf.best!;
    const feature = this.#binned.features[best.feature]!;
    const middle = leaf.start + this.#partition(leaf, feature, best);
    const depth = leaf.depth + 1;
    const [leftSums, rightSums] = this.#childSums(leaf, best);
    const sign = this.#signOf(best.feature);
    if (sign !== 0) this.#constrainedSplits.push({ sign, start: leaf.start, middle, end: leaf.end });
    const left = this.#leaf(depth, { start: leaf.start, end: middle }, leftSums, trees);
    const right = this.#leaf(depth, { start: middle, end: leaf.end }, rightSums, trees);
    trees.split(leaf.node, {
      feature: feature.column,
      test: best.set?.subarray(0, Math.ceil(feature.nBins / 32)) ?? thresholdOf(feature, best.bin),
      missingLeft: best.missingLeft,
      left: left.node,
      right: right.node,
      gain: best.gain,
    });
    if (isLastSplit || !(this.#mayBeSplit(left) || this.#mayBeSplit(right))) this.#release(leaf);
    else this.#searchChildren(leaf, left, right);
    return [left, right];
  }

  #signOf(feature: number): number {
    return this.#constraints?.[feature] ?? 0;
  }

  #childSums(leaf: Leaf, best: Split): [LeafSums, LeafSums] {
    const { lowest, highest } = leaf;
    const left = {
      gradient: best.leftGradient,
      hessian: best.leftHessian,
      count: best.leftCount,
      lowest,
      highest,
    };
    const right = {
      gradient: leaf.gradient - best.leftGradient,
      hessian: leaf.hessian - best.leftHessian,
      count: leaf.count - best.leftCount,
      lowest,
      highest,
    };
    const sign = this.#signOf(best.feature);
    if (sign === 0) return [left, right];
    // Whatever is split further keeps to its own side of the middle.
    const middle = (this.#valueOf(left) + this.#valueOf(right)) / 2;
    return sign > 0
      ? [
          { ...left, highest: middle },
          { ...right, lowest: middle },
        ]
      : [
          { ...left, lowest: middle },
          { ...right, highest: middle },
        ];
  }

  /** @returns how many of the leaf's rows go left */
  #partition({ start, end }: Leaf, feature: BinnedFeature, split: Split): number {
    const kernel = this.#kernel;
    const table = kernel.bytes(this.#place.leftTable, BINS);
    for (let bin = 0; bin < feature.nBins; bin++) {
      const isLeft =
        split.set === undefined ? bin <= split.bin : ((split.set[bin >> 5]! >>> (bin & 31)) & 1) === 1;
      table[bin] = isLeft ? 1 : 0;
    }
    table[feature.nBins] = split.missingLeft ? 1 : 0;
    const position = split.feature;
    const block = Math.floor(position / BLOCK_FEATURES);
    const blockBytes = this.#binned.nRows * BLOCK_FEATURES;
    const count = end - start;
    const nChunks = Math.max(1, Math.min(kernel.nThreads, Math.floor(count / MIN_PARTITION_CHUNK_ROWS)));
    kernel.setInt(P_BLOCK, this.#binned.address + block * blockBytes + (position % BLOCK_FEATURES));
    kernel.setInt(P_ROWS, this.#place.rows);
    kernel.setInt(P_START, start);
    kernel.setInt(P_COUNT, count);
    kernel.setInt(P_CHUNK_ROWS, Math.ceil(count / nChunks));
    kernel.run(JOB_PARTITION, nChunks);
    return kernel.joinChunks(nChunks);
  }

  /** Adds up the smaller child only, where the parent's histogram is there: the larger one is what that leaves of it. */
  #searchChildren(parent: Leaf, left: Leaf, right: Leaf): void {
    const [smaller, larger] =
      left.end - left.start <= right.end - right.start ? [left, right] : [right, left];
    const own = this.#pool.take();
    if (own !== undefined && parent.histogram !== undefined) {
      smaller.histogram = own;
      larger.histogram = parent.histogram;
      parent.histogram = undefined;
      [smaller.best, larger.best] = this.#search.search(
        smaller,
        own,
        this.#mayBeSplit(smaller) ? smaller : undefined,
        { histogram: larger.histogram, leaf: this.#mayBeSplit(larger) ? larger : undefined },
      );
      for (const child of [left, right]) if (child.best === undefined) this.#release(child);
      return;
    }
    // Out of room: one histogram serves both in turn and is not kept.
    const shared = own ?? parent.histogram ?? this.#borrow();
    if (parent.histogram !== undefined && parent.histogram !== shared) this.#release(parent);
    parent.histogram = undefined;
    for (const child of [left, right]) {
      if (this.#mayBeSplit(child)) child.best = this.#search.search(child, shared, child)[0];
    }
    this.#pool.give(shared);
  }

  /** Takes the histogram of the leaf that is least likely to be split soon. */
  #borrow(): number {
    const holders = this.#leaves.filter((leaf) => leaf.histogram !== undefined);
    const least = holders.reduce((a, b) => ((a.best?.gain ?? 0) <= (b.best?.gain ?? 0) ? a : b));
    const histogram = least.histogram!;
    least.histogram = undefined;
    return histogram;
  }

  #release(leaf: Leaf): void {
    if (leaf.histogram !== undefined) this.#pool.give(leaf.histogram);
    leaf.histogram = undefined;
  }
}

/** -1 when no leaf has a split. */
function leafWithLargestGain(leaves: readonly Leaf[]): number {
  let best = -1;
  let bestGain = 0;
  for (let i = 0; i < leaves.length; i++) {
    const gain = leaves[i]!.best?.gain ?? 0;
    if (gain > bestGain) {
      bestGain = gain;
      best = i;
    }
  }
  return best;
}

function thresholdOf({ thresholds }: BinnedFeature, bin: number): number {
  return bin < thresholds.length ? thresholds[bin]! : EVERY_VALUE;
}
