/** How the memory of a forest's fit is laid out, which is also how much of it the fit will take. */
import { BINS, FOREST_NODE_BYTES, FOREST_RANGE_BYTES } from '../kernel/assembly/layout.ts';
import { MemoryPlan } from '../kernel/memory-plan.ts';
import { planBinnedMatrix, planBinningRoom } from '../tree/binned-matrix.ts';

export interface ForestOptions {
  readonly nEstimators: number;
  /** `undefined`: no limit. */
  readonly maxDepth: number | undefined;
  readonly minSamplesLeaf: number;
  readonly minSamplesSplit: number;
  /** Features tried for a split, in [1, nColumns]. */
  readonly maxFeatures: number;
  readonly bootstrap: boolean;
  /** One cut at random for each feature that is tried (extremely randomized trees). */
  readonly randomCuts: boolean;
  readonly maxBins: number;
  readonly randomState: number;
}

export interface ForestPlace {
  readonly packed: number;
  readonly weights: number;
  readonly flags: number;
  readonly rooms: number;
  readonly roomBytes: number;
  readonly trees: number;
  readonly treeBytes: number;
}

/** Trees that are grown between two questions whether to pause, for each thread. */
const TREES_PER_ROUND = 2;

/** @param nClasses - 0 for regression */
export function planForest(
  nRows: number,
  nColumns: number,
  nClasses: number,
  options: Pick<ForestOptions, 'nEstimators' | 'minSamplesLeaf'>,
  nThreads: number,
) {
  const width = nClasses > 2 ? nClasses : 1;
  const round = Math.min(options.nEstimators, nThreads * TREES_PER_ROUND);
  const maxNodes = 2 * Math.max(1, Math.floor(nRows / options.minSamplesLeaf)) + 1;
  const roomBytes = roomBytesOf(nRows, nClasses, nColumns);
  const treeBytes = Math.ceil((16 + maxNodes * (FOREST_NODE_BYTES + 4 * width)) / 64) * 64;
  const plan = new MemoryPlan();
  const matrixPlace = planBinnedMatrix(plan, nRows, nColumns);
  const packed = plan.reserve(nRows * 8);
  const weights = plan.reserve(Math.max(2, nClasses) * 8);
  const flags = plan.reserve(nThreads * 4);
  const [room, rooms, trees] = plan.overlay(
    () => [planBinningRoom(plan, nRows)] as const,
    () => [plan.reserve(roomBytes * nThreads), plan.reserve(treeBytes * round)] as const,
  );
  const place: ForestPlace = { packed, weights, flags, rooms, roomBytes, trees, treeBytes };
  return { matrixPlace, room, place, maxNodes, round, totalBytes: plan.totalBytes };
}

function roomBytesOf(nRows: number, nClasses: number, nColumns: number): number {
  const perRow = 2 * 8 + 2 * 4;
  const cells = BINS * 8 * Math.max(1, nClasses) + 2 * 8 * nClasses;
  const bytes = (nRows + 1) * perRow + cells + 64 * FOREST_RANGE_BYTES + nColumns * 4;
  return Math.ceil(bytes / 64) * 64 + 64;
}
