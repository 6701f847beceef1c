/** The target column as what a learner fits: numbers, or class indices with their sorted labels. */
import type { ClassLabel } from '../pipeline-model.ts';
import { type Column, columnLength } from '../table.ts';

/** Rows whose target has a value, ascending. */
export function rowsWithTarget(target: Column): Int32Array {
  const rows = new Int32Array(columnLength(target));
  let count = 0;
  if (target.type === 'category') {
    for (let row = 0; row < rows.length; row++) if (target.codes[row]! >= 0) rows[count++] = row;
  } else {
    for (let row = 0; row < rows.length; row++) if (!Number.isNaN(target.values[row]!)) rows[count++] = row;
  }
  return rows.slice(0, count);
}

export interface ClassTarget {
  /** Sorted: strings by UTF-16 code unit, numbers ascending, false before true. */
  readonly classes: readonly ClassLabel[];
  /** Index into `classes` per row; -1 where missing or not one of them. */
  readonly indices: Int32Array;
}

/** @param classes - the classes to index into. @default - those present in the column */
export function classTarget(target: Column, classes?: readonly ClassLabel[]): ClassTarget {
  if (target.type === 'category') {
    const labels = classes ?? presentLabels(target.codes, target.categories);
    const index = new Map(labels.map((label, i) => [label, i]));
    const translation = Int32Array.from(target.categories, (category) => index.get(category) ?? -1);
    return { classes: labels, indices: target.codes.map((code) => (code < 0 ? -1 : translation[code]!)) };
  }
  const values = target.values;
  const numbers =
    classes === undefined
      ? Float64Array.from(new Set(values.filter((value) => !Number.isNaN(value)))).sort()
      : Float64Array.from(classes, Number);
  const index = new Map(Array.from(numbers, (value, i) => [value, i]));
  const labels = classes ?? Array.from(numbers, (value) => (target.type === 'boolean' ? value !== 0 : value));
  return { classes: labels, indices: Int32Array.from(values, (value) => index.get(value) ?? -1) };
}

function presentLabels(codes: Int32Array, categories: readonly string[]): string[] {
  const present = new Set(codes);
  return categories.filter((_, code) => present.has(code)).sort();
}

/** Columns whose means by category say something: the target itself, or 0/1 per class, of the second one of two. */
export function encodingTargets({
  y,
  classes,
  classIndices,
}: {
  readonly y?: Float64Array;
  readonly classes?: readonly ClassLabel[];
  readonly classIndices?: Int32Array;
}): Float64Array[] {
  if (y !== undefined) return [y];
  const indices = classIndices!;
  const nClasses = classes!.length;
  if (nClasses === 2) return [Float64Array.from(indices)];
  return Array.from({ length: nClasses }, (_, k) =>
    Float64Array.from(indices, (index) => (index === k ? 1 : 0)),
  );
}

/** Weights per row that make every class count the same: n / (nClasses * rows of the class). */
export function balancedWeights(indices: Int32Array, nClasses: number): Float64Array {
  const counts = new Float64Array(nClasses);
  for (const index of indices) counts[index]!++;
  return Float64Array.from(indices, (index) => indices.length / (nClasses * counts[index]!));
}
