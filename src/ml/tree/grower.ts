/** Grows one tree leaf-wise: the leaf with the largest gain is split next (Shi 2007; LightGBM). */
import type { BinnedMatrix } from './binned-matrix.ts';
import { buildHistogram, subtractHistogram } from './histogram.ts';
import {
  findBestSplit,
  type LeafSums,
  NEGLIGIBLE_GAIN,
  type SplitRules,
  thresholdOf,
} from './split-finder.ts';
import { SplitInfo } from './split-info.ts';
import type { TreeEnsembleBuilder } from './tree.ts';

export interface GrowthRules extends SplitRules {
  readonly maxLeafNodes: number;
  /** `undefined`: no limit. */
  readonly maxDepth: number | undefined;
  readonly learningRate: number;
}

/** First and second derivatives of the loss per row. */
export interface Derivatives {
  readonly gradients: Float64Array;
  readonly hessians: Float64Array;
}

interface Leaf extends LeafSums {
  readonly node: number;
  readonly depth: number;
  /** Its rows are `rows[start .. end)` of the grower. */
  readonly start: number;
  readonly end: number;
  /** Held while the leaf may still be split. */
  histogram: Float64Array | undefined;
  readonly best: SplitInfo;
}

/** Owns the buffers that every tree of a fit shares. */
export class TreeGrower {
  readonly #binned: BinnedMatrix;
  readonly #rules: GrowthRules;
  readonly #rows: Int32Array;
  readonly #rightRows: Int32Array;
  readonly #leafGradients: Float64Array;
  readonly #leafHessians: Float64Array;
  readonly #freeHistograms: Float64Array[] = [];
  #minGain = 0;

  constructor(binned: BinnedMatrix, rules: GrowthRules) {
    this.#binned = binned;
    this.#rules = rules;
    this.#rows = new Int32Array(binned.nRows);
    this.#rightRows = new Int32Array(binned.nRows);
    this.#leafGradients = new Float64Array(binned.nRows);
    this.#leafHessians = new Float64Array(binned.nRows);
  }

  /** Adds the tree to `trees` and its leaf values to `scores`. */
  grow(derivatives: Derivatives, trees: TreeEnsembleBuilder, scores: Float64Array): void {
    trees.beginTree();
    // Relative to the gradients, so that the unit of the target does not matter.
    this.#minGain = NEGLIGIBLE_GAIN * sumOfSquares(derivatives.gradients);
    const leaves = [this.#rootLeaf(derivatives, trees)];
    while (leaves.length < this.#rules.maxLeafNodes) {
      const next = leafWithLargestGain(leaves);
      const leaf = leaves[next]!;
      if (leaf.best.gain === 0) break;
      const isLastSplit = leaves.length + 1 === this.#rules.maxLeafNodes;
      const [left, right] = this.#split(leaf, derivatives, trees, isLastSplit);
      leaves[next] = left;
      leaves.push(right);
    }
    for (const leaf of leaves) {
      this.#release(leaf);
      addToRows(this.#rows, leaf.start, leaf.end, trees.valueOf(leaf.node), scores);
    }
  }

  #rootLeaf(derivatives: Derivatives, trees: TreeEnsembleBuilder): Leaf {
    for (let row = 0; row < this.#rows.length; row++) this.#rows[row] = row;
    const gradient = sumOf(derivatives.gradients);
    const hessian = sumOf(derivatives.hessians);
    const leaf = this.#leaf(0, 0, this.#rows.length, { gradient, hessian, count: this.#rows.length }, trees);
    if (this.#mayBeSplit(leaf)) {
      leaf.histogram = this.#histogram();
      buildHistogram(this.#binned, { rows: this.#rows, ...derivatives }, leaf.histogram);
      findBestSplit(this.#binned, leaf.histogram, leaf, this.#rules, this.#minGain, leaf.best);
    }
    return leaf;
  }

  #leaf(depth: number, start: number, end: number, sums: LeafSums, trees: TreeEnsembleBuilder): Leaf {
    const { learningRate, l2Regularization } = this.#rules;
    const denominator = sums.hessian + l2Regularization;
    const value = denominator > 0 ? (-learningRate * sums.gradient) / denominator : 0;
    const { gradient, hessian, count } = sums;
    const node = trees.addLeaf(value, count);
    return { node, depth, start, end, gradient, hessian, count, histogram: undefined, best: new SplitInfo() };
  }

  #mayBeSplit(leaf: Leaf): boolean {
    const { maxDepth, minSamplesLeaf } = this.#rules;
    return leaf.count >= 2 * minSamplesLeaf && (maxDepth === undefined || leaf.depth < maxDepth);
  }

  #split(
    leaf: Leaf,
    derivatives: Derivatives,
    trees: TreeEnsembleBuilder,
    isLastSplit: boolean,
  ): [Leaf, Leaf] {
    const { best } = leaf;
    const feature = this.#binned.features[best.feature]!;
    const middle = partitionRows(
      this.#rows,
      leaf.start,
      leaf.end,
      feature.bins,
      best.bin,
      best.missingLeft ? feature.nBins : -1,
      this.#rightRows,
    );
    const leftSums = { gradient: best.leftGradient, hessian: best.leftHessian, count: middle - leaf.start };
    const rightSums = {
      gradient: leaf.gradient - best.leftGradient,
      hessian: leaf.hessian - best.leftHessian,
      count: leaf.end - middle,
    };
    const left = this.#leaf(leaf.depth + 1, leaf.start, middle, leftSums, trees);
    const right = this.#leaf(leaf.depth + 1, middle, leaf.end, rightSums, trees);
    trees.split(leaf.node, {
      feature: feature.column,
      test: thresholdOf(feature, best.bin),
      missingLeft: best.missingLeft,
      left: left.node,
      right: right.node,
      gain: best.gain,
    });
    if (isLastSplit || !(this.#mayBeSplit(left) || this.#mayBeSplit(right))) this.#release(leaf);
    else this.#searchChildren(leaf, left, right, derivatives);
    return [left, right];
  }

  /** Adds up the smaller child only: the larger one is what that leaves of the parent. */
  #searchChildren(parent: Leaf, left: Leaf, right: Leaf, derivatives: Derivatives): void {
    const [smaller, larger] = left.count <= right.count ? [left, right] : [right, left];
    smaller.histogram = this.#histogram();
    const rows = this.#rows.subarray(smaller.start, smaller.end);
    const gradients = this.#leafGradients.subarray(0, rows.length);
    const hessians = this.#leafHessians.subarray(0, rows.length);
    gather(derivatives.gradients, rows, gradients);
    gather(derivatives.hessians, rows, hessians);
    buildHistogram(this.#binned, { rows, gradients, hessians }, smaller.histogram);
    larger.histogram = parent.histogram!;
    parent.histogram = undefined;
    subtractHistogram(larger.histogram, smaller.histogram);
    for (const child of [left, right]) {
      if (this.#mayBeSplit(child))
        findBestSplit(this.#binned, child.histogram!, child, this.#rules, this.#minGain, child.best);
      if (child.best.gain === 0) this.#release(child);
    }
  }

  #histogram(): Float64Array {
    return this.#freeHistograms.pop() ?? new Float64Array(3 * this.#binned.totalBins);
  }

  #release(leaf: Leaf): void {
    if (leaf.histogram !== undefined) this.#freeHistograms.push(leaf.histogram);
    leaf.histogram = undefined;
  }
}

function leafWithLargestGain(leaves: readonly Leaf[]): number {
  let best = 0;
  for (let i = 1; i < leaves.length; i++) if (leaves[i]!.best.gain > leaves[best]!.best.gain) best = i;
  return best;
}

/** Stable; returns where the right rows begin. `missingBin` is the bin that goes left out of order, or -1. */
function partitionRows(
  rows: Int32Array,
  start: number,
  end: number,
  bins: Uint8Array,
  lastLeftBin: number,
  missingBin: number,
  rightRows: Int32Array,
): number {
  let nextLeft = start;
  let nRight = 0;
  for (let i = start; i < end; i++) {
    const row = rows[i]!;
    const bin = bins[row]!;
    if (bin <= lastLeftBin || bin === missingBin) rows[nextLeft++] = row;
    else rightRows[nRight++] = row;
  }
  rows.set(rightRows.subarray(0, nRight), nextLeft);
  return nextLeft;
}

function gather(values: Float64Array, rows: Int32Array, out: Float64Array): void {
  for (let i = 0; i < rows.length; i++) out[i] = values[rows[i]!]!;
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

function sumOfSquares(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}

function addToRows(rows: Int32Array, start: number, end: number, value: number, scores: Float64Array): void {
  for (let i = start; i < end; i++) scores[rows[i]!]! += value;
}
