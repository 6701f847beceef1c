import type { TreeColumn } from '../../../../src/ml/tree/binned-matrix.ts';

export function numericColumn(values: ArrayLike<number>): TreeColumn {
  return { kind: 'numeric', nCategories: 0, fill: (out) => out.set(Float32Array.from(values)) };
}

/** @param codes - below nCategories; NaN is missing */
export function categoryColumnOf(codes: ArrayLike<number>, nCategories: number): TreeColumn {
  return { kind: 'category', nCategories, fill: (out) => out.set(Float32Array.from(codes)) };
}
