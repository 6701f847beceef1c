/**
 * Sums of gradients, hessians and rows per bin: three float64 a bin, side by side so that a row touches one cache line.
 * The functions are small and monomorphic: they are where training spends its time.
 */
import type { BinnedMatrix } from './binned-matrix.ts';

export const CELL = 3;

/** Rows of a leaf, with their derivatives gathered in the same order. */
export interface LeafRows {
  readonly rows: Int32Array;
  readonly gradients: Float64Array;
  readonly hessians: Float64Array;
}

/** Overwrites `histogram` with the sums over the leaf's rows. */
export function buildHistogram(
  binned: BinnedMatrix,
  leaf: LeafRows,
  constantHessian: boolean,
  histogram: Float64Array,
): void {
  histogram.fill(0);
  const everyRow = leaf.rows.length === binned.nRows;
  for (const feature of binned.features) {
    const cells = histogram.subarray(CELL * feature.firstBin, CELL * (feature.firstBin + feature.nBins + 1));
    if (constantHessian) {
      if (everyRow) addAllRowsConstantHessian(feature.bins, leaf.gradients, cells);
      else addRowsConstantHessian(feature.bins, leaf.rows, leaf.gradients, cells);
    } else if (everyRow) addAllRows(feature.bins, leaf.gradients, leaf.hessians, cells);
    else addRows(feature.bins, leaf.rows, leaf.gradients, leaf.hessians, cells);
  }
  if (constantHessian) copyCountsToHessians(histogram);
}

function addRows(
  bins: Uint8Array,
  rows: Int32Array,
  gradients: Float64Array,
  hessians: Float64Array,
  cells: Float64Array,
): void {
  for (let i = 0; i < rows.length; i++) {
    const cell = CELL * bins[rows[i]!]!;
    cells[cell]! += gradients[i]!;
    cells[cell + 1]! += hessians[i]!;
    cells[cell + 2]! += 1;
  }
}

/** The root: its rows are every row in ascending order, so nothing is looked up. */
function addAllRows(
  bins: Uint8Array,
  gradients: Float64Array,
  hessians: Float64Array,
  cells: Float64Array,
): void {
  for (let i = 0; i < bins.length; i++) {
    const cell = CELL * bins[i]!;
    cells[cell]! += gradients[i]!;
    cells[cell + 1]! += hessians[i]!;
    cells[cell + 2]! += 1;
  }
}

function addRowsConstantHessian(
  bins: Uint8Array,
  rows: Int32Array,
  gradients: Float64Array,
  cells: Float64Array,
): void {
  for (let i = 0; i < rows.length; i++) {
    const cell = CELL * bins[rows[i]!]!;
    cells[cell]! += gradients[i]!;
    cells[cell + 2]! += 1;
  }
}

function addAllRowsConstantHessian(bins: Uint8Array, gradients: Float64Array, cells: Float64Array): void {
  for (let i = 0; i < bins.length; i++) {
    const cell = CELL * bins[i]!;
    cells[cell]! += gradients[i]!;
    cells[cell + 2]! += 1;
  }
}

/** A constant hessian is 1, so its sum is the count. */
function copyCountsToHessians(histogram: Float64Array): void {
  for (let cell = 0; cell < histogram.length; cell += CELL) histogram[cell + 1] = histogram[cell + 2]!;
}

/** parent -= child: what is left is the sibling's histogram. */
export function subtractHistogram(parent: Float64Array, child: Float64Array): void {
  for (let i = 0; i < parent.length; i++) parent[i]! -= child[i]!;
}
