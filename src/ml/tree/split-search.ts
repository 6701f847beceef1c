/** Has the kernel build the histograms of leaves and find their best splits, and reads what it found. */
import {
  BLOCK_BYTES,
  BLOCK_FEATURES,
  CATEGORY_SCRATCH_BYTES,
  JOB_GATHER,
  JOB_HISTOGRAM,
  JOB_SPLIT_SEARCH,
  LEAF_SUMS_BYTES,
  P_BINS,
  P_CHUNK_ROWS,
  P_COUNT,
  P_FEATURES,
  P_GATHER_COUNT,
  P_GATHER_START,
  P_HISTOGRAM,
  P_HISTOGRAM_BYTES,
  P_IDENTITY_ROWS,
  P_LEAF_BINS,
  P_LEAF_PACKED,
  P_LEAF_SUMS,
  P_N_CHUNKS,
  P_N_FEATURES,
  P_N_ROWS,
  P_PACKED,
  P_PARTIAL_HISTOGRAMS,
  P_ROWS,
  P_SEARCH,
  P_SIBLING,
  P_SPLITS,
  P_START,
  P_SUBTRACT,
  SPLIT_BYTES,
} from '../kernel/assembly/layout.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { MemoryPlan } from '../kernel/memory-plan.ts';
import type { BinnedMatrix } from './binned-matrix.ts';

/** Sums over a leaf's rows in the sample, and the bounds of its value. */
export interface LeafSums {
  readonly gradient: number;
  readonly hessian: number;
  readonly count: number;
  readonly lowest: number;
  readonly highest: number;
}

export interface Split {
  /** How much the loss falls, twice over (the factor one half is left out everywhere). */
  readonly gain: number;
  /** Position in `BinnedMatrix.features`. */
  readonly feature: number;
  /** Rows of bins <= bin go left; with a set, those of its bins. */
  readonly bin: number;
  readonly set: Uint32Array | undefined;
  readonly missingLeft: boolean;
  readonly leftGradient: number;
  readonly leftHessian: number;
  readonly leftCount: number;
}

export interface LeafRows {
  readonly start: number;
  readonly end: number;
}

export interface SearchPlace {
  readonly leafPacked: number;
  readonly leafBins: number;
  readonly partialHistograms: number;
  readonly splits: number;
}

/** Below this many additions a job is done sooner than another thread wakes up. */
const MIN_SHARED_WORK = 16_384;
const MIN_CHUNK_ROWS = 4_096;
const GATHER_CHUNK_ROWS = 16_384;

export function histogramBytesOf(nColumns: number): number {
  return Math.max(1, Math.ceil(nColumns / BLOCK_FEATURES)) * BLOCK_BYTES;
}

export function planSearch(plan: MemoryPlan, nRows: number, nColumns: number, nThreads: number): SearchPlace {
  return {
    leafPacked: plan.reserve(nRows * 8),
    leafBins: plan.reserve(sparseRows(nRows) * Math.ceil(nColumns / BLOCK_FEATURES) * BLOCK_FEATURES),
    partialHistograms: plan.reserve((nThreads - 1) * 3 * histogramBytesOf(nColumns)),
    splits: plan.reserve(nColumns * (2 * SPLIT_BYTES + CATEGORY_SCRATCH_BYTES)),
  };
}

export class SplitSearch {
  readonly #kernel: Kernel;
  readonly #binned: BinnedMatrix;
  readonly #place: SearchPlace;
  readonly #packed: number;
  readonly #rows: number;

  constructor(kernel: Kernel, binned: BinnedMatrix, place: SearchPlace, packed: number, rows: number) {
    this.#kernel = kernel;
    this.#binned = binned;
    this.#place = place;
    this.#packed = packed;
    this.#rows = rows;
  }

  /** Parameters that hold for a whole tree. */
  beginTree(): void {
    const kernel = this.#kernel;
    const { nRows, features, address, featureRecords } = this.#binned;
    kernel.setInt(P_N_ROWS, nRows);
    kernel.setInt(P_BINS, address);
    kernel.setInt(P_N_FEATURES, features.length);
    kernel.setInt(P_FEATURES, featureRecords);
    kernel.setInt(P_PACKED, this.#packed);
    kernel.setInt(P_ROWS, this.#rows);
    kernel.setInt(P_SPLITS, this.#place.splits);
    kernel.setInt(P_PARTIAL_HISTOGRAMS, this.#place.partialHistograms);
    kernel.setInt(P_HISTOGRAM_BYTES, histogramBytesOf(features.length));
  }

  /**
   * Builds the histogram of a leaf; where it was split off a parent, `sibling` holds the parent's histogram and
   * becomes that of the other child. Finds the best splits of those of the two that have sums.
   * @returns the splits of the leaf and of its sibling; `undefined` where none gains more than the least gain
   */
  search(
    rows: LeafRows,
    histogram: number,
    leaf: LeafSums | undefined,
    sibling?: { readonly histogram: number; readonly leaf: LeafSums | undefined },
  ): [Split | undefined, Split | undefined] {
    this.#build(rows, histogram);
    const kernel = this.#kernel;
    kernel.setInt(P_SUBTRACT, sibling === undefined ? 0 : 1);
    kernel.setInt(P_SIBLING, sibling?.histogram ?? histogram);
    kernel.setInt(P_SEARCH, (leaf === undefined ? 0 : 1) + (sibling?.leaf === undefined ? 0 : 2));
    if (leaf !== undefined) this.#writeSums(P_LEAF_SUMS, leaf);
    if (sibling?.leaf !== undefined) this.#writeSums(P_LEAF_SUMS + LEAF_SUMS_BYTES, sibling.leaf);
    kernel.run(JOB_SPLIT_SEARCH, this.#binned.features.length);
    return [
      leaf === undefined ? undefined : this.#best(0),
      sibling?.leaf === undefined ? undefined : this.#best(1),
    ];
  }

  #build({ start, end }: LeafRows, histogram: number): void {
    const kernel = this.#kernel;
    const { nRows, features } = this.#binned;
    const count = end - start;
    const isRoot = count === nRows;
    const nBlocks = Math.ceil(features.length / BLOCK_FEATURES);
    if (isRoot) kernel.setInt(P_LEAF_BINS, 0);
    else this.#gather(start, count);
    const isShared = kernel.nThreads > 1 && count * features.length >= MIN_SHARED_WORK;
    const nChunks = isShared ? chunksFor(kernel.nThreads, nBlocks, count) : 1;
    kernel.setInt(P_IDENTITY_ROWS, isRoot ? 1 : 0);
    kernel.setInt(P_LEAF_PACKED, isRoot ? this.#packed : this.#place.leafPacked);
    kernel.setInt(P_START, start);
    kernel.setInt(P_COUNT, count);
    kernel.setInt(P_N_CHUNKS, nChunks);
    kernel.setInt(P_CHUNK_ROWS, Math.ceil(count / nChunks));
    kernel.setInt(P_HISTOGRAM, histogram);
    if (isShared) kernel.run(JOB_HISTOGRAM, nBlocks * nChunks);
    else kernel.runAlone(JOB_HISTOGRAM, nBlocks);
  }

  #gather(start: number, count: number): void {
    const kernel = this.#kernel;
    kernel.setInt(P_LEAF_PACKED, this.#place.leafPacked);
    kernel.setInt(P_LEAF_BINS, count <= sparseRows(this.#binned.nRows) ? this.#place.leafBins : 0);
    kernel.setInt(P_GATHER_START, start);
    kernel.setInt(P_GATHER_COUNT, count);
    kernel.setInt(P_CHUNK_ROWS, GATHER_CHUNK_ROWS);
    kernel.run(JOB_GATHER, Math.ceil(count / GATHER_CHUNK_ROWS));
  }

  #writeSums(address: number, sums: LeafSums): void {
    const kernel = this.#kernel;
    kernel.setFloat(address, sums.gradient);
    kernel.setFloat(address + 8, sums.hessian);
    kernel.setFloat(address + 16, sums.count);
    kernel.setFloat(address + 24, sums.lowest);
    kernel.setFloat(address + 32, sums.highest);
  }

  /** Over the features, the first of equals. */
  #best(child: 0 | 1): Split | undefined {
    const kernel = this.#kernel;
    let bestGain = 0;
    let best = -1;
    for (let feature = 0; feature < this.#binned.features.length; feature++) {
      const record = this.#place.splits + (2 * feature + child) * SPLIT_BYTES;
      const gain = kernel.getFloat(record);
      if (kernel.getInt(record + 28) >= 0 && gain > bestGain) {
        bestGain = gain;
        best = feature;
      }
    }
    if (best < 0) return undefined;
    const record = this.#place.splits + (2 * best + child) * SPLIT_BYTES;
    const isSet = kernel.getInt(record + 36) === 1;
    return {
      gain: bestGain,
      feature: best,
      leftGradient: kernel.getFloat(record + 8),
      leftHessian: kernel.getFloat(record + 16),
      leftCount: kernel.getInt(record + 24),
      bin: kernel.getInt(record + 28),
      missingLeft: kernel.getInt(record + 32) === 1,
      set: isSet ? Uint32Array.from(kernel.int32(record + 40, 8)) : undefined,
    };
  }
}

/** A leaf with at most so many rows is sparse: its rows lie on cache lines of their own. */
function sparseRows(nRows: number): number {
  return Math.floor(nRows / 8);
}

/** Enough tasks that no thread idles while another finishes, and rows enough in each to be worth a histogram. */
function chunksFor(nThreads: number, nBlocks: number, count: number): number {
  const wanted = nBlocks >= 4 * nThreads ? 1 : Math.ceil((3 * nThreads) / nBlocks);
  return Math.max(1, Math.min(wanted, 3 * (nThreads - 1) + 1, Math.floor(count / MIN_CHUNK_ROWS)));
}
