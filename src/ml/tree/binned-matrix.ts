/** Columns as bin numbers in the kernel's memory, eight features side by side. */
import {
  BINS,
  BLOCK_FEATURES,
  FEATURE_RECORD_BYTES,
  JOB_BIN_BLOCK,
  JOB_SORT_SAMPLE,
  P_BLOCK,
  P_BLOCK_FEATURES,
  P_CHUNK_ROWS,
  P_COLUMNS,
  P_COUNT,
  P_FEATURE_BYTES,
  P_FEATURES,
  P_N_ROWS,
  P_ROW_BYTES,
  P_SORT_SPARE,
} from '../kernel/assembly/layout.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { MemoryPlan } from '../kernel/memory-plan.ts';
import { Random } from '../random.ts';
import { thresholdsOf } from './bin-mapper.ts';

/** A column as a tree learner takes it. */
export interface TreeColumn {
  readonly kind: 'numeric' | 'category';
  /** Of a category: its values are codes below this, or NaN for what counts as missing. */
  readonly nCategories: number;
  /** Writes float32 values, NaN for missing, no infinities. */
  fill(out: Float32Array): void;
}

export interface BinnedFeature {
  /** Position among the columns that were binned. */
  readonly column: number;
  readonly kind: 'numeric' | 'category';
  /** Bins of values; the missing bin is number `nBins` itself. */
  readonly nBins: number;
  /** nBins - 1 cuts of a numeric feature. */
  readonly thresholds: Float32Array;
}

/**
 * How bins lie: eight features side by side for each row, which is what adding up whole leaves wants, or one feature
 * after the other, which is what looking at single features of small nodes wants.
 */
export type BinLayout = 'blocks' | 'columns';

export interface BinnedMatrix {
  readonly nRows: number;
  /** Columns with something to split on; the others are left out. */
  readonly features: readonly BinnedFeature[];
  readonly address: number;
  /** Of the features' records, as the kernel reads them. */
  readonly featureRecords: number;
}

/** Most categories that keep a bin of their own; one bin is for missing. */
export const MAX_CATEGORIES = 254;
/** Rows looked at for the cuts; more do not change them noticeably. */
const MAX_ROWS_FOR_CUTS = 200_000;
const CHUNK_ROWS = 16_384;
const COUNTER_BYTES = 8_192;

/** Parts of the memory that only binning needs. */
export interface BinningRoom {
  readonly columns: number;
  readonly samples: number;
  readonly spare: number;
  readonly records: number;
}

export function planBinnedMatrix(plan: MemoryPlan, nRows: number, nColumns: number) {
  const nBlocks = Math.ceil(nColumns / BLOCK_FEATURES);
  return {
    address: plan.reserve(nBlocks * nRows * BLOCK_FEATURES),
    featureRecords: plan.reserve(nColumns * FEATURE_RECORD_BYTES),
  };
}

export function planBinningRoom(plan: MemoryPlan, nRows: number): BinningRoom {
  const sampleRows = Math.min(nRows, MAX_ROWS_FOR_CUTS);
  return {
    columns: plan.reserve(BLOCK_FEATURES * nRows * 4),
    samples: plan.reserve(BLOCK_FEATURES * sampleRows * 4),
    spare: plan.reserve(BLOCK_FEATURES * Math.max(sampleRows * 4 + COUNTER_BYTES, BINS * 4)),
    records: plan.reserve(BLOCK_FEATURES * 8),
  };
}

/**
 * @param maxBins - in [2, 255], so that a bin number with the missing one fits a byte.
 * @param isLearnt - rows that the cuts are learnt from. @default - all of them
 */
export function binColumns(
  kernel: Kernel,
  columns: readonly TreeColumn[],
  nRows: number,
  maxBins: number,
  randomState: number,
  place: { address: number; featureRecords: number },
  room: BinningRoom,
  isLearnt?: Uint8Array,
  layout: BinLayout = 'blocks',
): BinnedMatrix {
  const features: BinnedFeature[] = [];
  const sampleRows = sampledRows(nRows, randomState, isLearnt);
  let pending: number[] = [];
  const flush = () => {
    if (pending.length === 0) return;
    const cuts = fitCuts(kernel, pending, columns, nRows, maxBins, sampleRows, room);
    const block = features.length / BLOCK_FEATURES;
    pending.forEach((column, slot) => {
      const { kind } = columns[column]!;
      features.push({ column, kind, nBins: cuts[slot]!.length + 1, thresholds: cuts[slot]! });
    });
    const firstBin = place.address + block * nRows * BLOCK_FEATURES;
    binBlock(kernel, pending.length, cuts, nRows, firstBin, layout, room);
    pending = [];
  };
  columns.forEach((column, position) => {
    const values = kernel.float32(room.columns + pending.length * nRows * 4, nRows);
    column.fill(values);
    if (isConstant(values)) return;
    pending.push(position);
    if (pending.length === BLOCK_FEATURES) flush();
  });
  flush();
  features.forEach((feature, position) => {
    const record = place.featureRecords + position * FEATURE_RECORD_BYTES;
    kernel.setInt(record, feature.nBins);
    kernel.setInt(record + 4, feature.kind === 'category' ? 1 : 0);
    kernel.setInt(record + 8, 0);
  });
  return { nRows, features, ...place };
}

/** Rows that the cuts are learnt from; `undefined` is every row. Ascending, so that columns are read in order. */
function sampledRows(nRows: number, randomState: number, isLearnt?: Uint8Array): Int32Array | undefined {
  if (nRows <= MAX_ROWS_FOR_CUTS && isLearnt === undefined) return undefined;
  const random = new Random(randomState);
  const rows: number[] = [];
  // Selection sampling: every learnt row has the same chance, in one pass.
  let left = isLearnt === undefined ? nRows : isLearnt.reduce((sum, flag) => sum + flag, 0);
  let wanted = Math.min(left, MAX_ROWS_FOR_CUTS);
  for (let row = 0; row < nRows && wanted > 0; row++) {
    if (isLearnt !== undefined && isLearnt[row] === 0) continue;
    if (random.nextFloat() * left < wanted) {
      rows.push(row);
      wanted--;
    }
    left--;
  }
  return Int32Array.from(rows);
}

function isConstant(values: Float32Array): boolean {
  const first = values[0]!;
  if (Number.isNaN(first)) {
    for (let row = 1; row < values.length; row++) if (!Number.isNaN(values[row]!)) return false;
    return true;
  }
  for (let row = 1; row < values.length; row++) if (values[row] !== first) return false;
  return true;
}

function fitCuts(
  kernel: Kernel,
  pending: readonly number[],
  columns: readonly TreeColumn[],
  nRows: number,
  maxBins: number,
  sampleRows: Int32Array | undefined,
  room: BinningRoom,
): Float32Array[] {
  const stride = Math.min(nRows, MAX_ROWS_FOR_CUTS);
  const counts = pending.map((column, slot) => {
    let count = 0;
    if (columns[column]!.kind === 'numeric') {
      const values = kernel.float32(room.columns + slot * nRows * 4, nRows);
      count = presentValues(values, sampleRows, kernel.float32(room.samples + slot * stride * 4, stride));
    }
    kernel.setInt(room.records + slot * 4, count);
    return count;
  });
  kernel.setInt(P_COLUMNS, room.samples);
  kernel.setInt(P_SORT_SPARE, room.spare);
  kernel.setInt(P_FEATURES, room.records);
  kernel.setInt(P_COUNT, stride);
  kernel.run(JOB_SORT_SAMPLE, pending.length);
  return pending.map((column, slot) => {
    const { kind, nCategories } = columns[column]!;
    if (kind === 'category') return Float32Array.from({ length: nCategories - 1 }, (_, code) => code + 0.5);
    return thresholdsOf(kernel.float32(room.samples + slot * stride * 4, counts[slot]!), maxBins);
  });
}

/** Copies the values that are not missing; returns how many. */
function presentValues(values: Float32Array, rows: Int32Array | undefined, out: Float32Array): number {
  const n = rows?.length ?? values.length;
  let count = 0;
  for (let i = 0; i < n; i++) {
    const value = values[rows === undefined ? i : rows[i]!]!;
    out[count] = value;
    if (!Number.isNaN(value)) count++;
  }
  return count;
}

function binBlock(
  kernel: Kernel,
  nFeatures: number,
  cuts: readonly Float32Array[],
  nRows: number,
  firstBin: number,
  layout: BinLayout,
  room: BinningRoom,
): void {
  cuts.forEach((thresholds, slot) => {
    const out = kernel.float32(room.spare + slot * BINS * 4, BINS);
    out.set(thresholds);
    out.fill(Number.POSITIVE_INFINITY, thresholds.length);
    kernel.setInt(room.records + slot * 8, thresholds.length);
    kernel.setInt(room.records + slot * 8 + 4, thresholds.length + 1);
  });
  kernel.setInt(P_COLUMNS, room.columns);
  kernel.setInt(P_N_ROWS, nRows);
  kernel.setInt(P_BLOCK, firstBin);
  kernel.setInt(P_ROW_BYTES, layout === 'blocks' ? BLOCK_FEATURES : 1);
  kernel.setInt(P_FEATURE_BYTES, layout === 'blocks' ? 1 : nRows);
  kernel.setInt(P_BLOCK_FEATURES, nFeatures);
  kernel.setInt(P_CHUNK_ROWS, CHUNK_ROWS);
  kernel.run(JOB_BIN_BLOCK, Math.ceil(nRows / CHUNK_ROWS));
}
