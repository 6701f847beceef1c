/** A model's features as the columns that trees test: numbers as they are, categories as codes. */
import type { FitInput } from '../fit-input.ts';
import type { FeatureColumn } from '../preprocessing/feature-columns.ts';
import {
  expandFeatures,
  type FeatureExpansion,
  fitFeatureExpansion,
  type LearnerColumn,
} from '../preprocessing/feature-expansion.ts';
import type { TreeColumn } from './binned-matrix.ts';
import { type CategoryCodes, fillCodes, fitCategoryCodes, nCodesOf } from './category-codes.ts';

/** Plain data. */
export interface TreeEncoding {
  readonly expansion: FeatureExpansion;
  /** One per category column of the expansion. */
  readonly categories: readonly CategoryCodes[];
}

/** @param targets - what categories are ordered by: the target itself, or one 0/1 column per class. */
export function fitTreeEncoding(
  features: readonly FeatureColumn[],
  targets: readonly Float64Array[],
): {
  encoding: TreeEncoding;
  columns: TreeColumn[];
} {
  const expansion = fitFeatureExpansion(features);
  const expanded = expandFeatures(features, expansion);
  const categories = expanded.flatMap((column, position) =>
    column.kind === 'category' ? [fitCategoryCodes(column, position, targets)] : [],
  );
  const encoding = { expansion, categories };
  return { encoding, columns: treeColumns(expanded, encoding) };
}

/** The target itself, or one 0/1 column per class (of the second one where there are two). */
export function orderingTargets({ y, classes, classIndices }: FitInput): Float64Array[] {
  if (y !== undefined) return [y];
  if (classes!.length === 2) return [Float64Array.from(classIndices!)];
  return classes!.map((_, k) => Float64Array.from(classIndices!, (index) => (index === k ? 1 : 0)));
}

function treeColumns(expanded: readonly LearnerColumn[], { categories }: TreeEncoding): TreeColumn[] {
  return expanded.map((column, position) => {
    if (column.kind === 'numeric') {
      return { kind: 'numeric', nCategories: 0, fill: (out) => out.set(column.values) };
    }
    const codes = categories.find((one) => one.column === position)!;
    return {
      kind: 'category',
      nCategories: nCodesOf(codes),
      fill: (out) => fillCodes(column.codes, codes, out),
    };
  });
}

/** The columns of a table to predict for, as float32; NaN for missing, rare and unknown. */
export function encodedColumns(
  features: readonly FeatureColumn[],
  encoding: TreeEncoding,
  nRows: number,
): Float32Array[] {
  return expandFeatures(features, encoding.expansion).map((column, position) => {
    if (column.kind === 'numeric') return column.values;
    const out = new Float32Array(nRows);
    fillCodes(column.codes, encoding.categories.find((one) => one.column === position)!, out);
    return out;
  });
}
