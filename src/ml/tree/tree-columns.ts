/** A model's features as the columns that trees test: numbers as they are, categories as codes. */
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

export function fitTreeEncoding(features: readonly FeatureColumn[]): {
  encoding: TreeEncoding;
  columns: TreeColumn[];
} {
  const expansion = fitFeatureExpansion(features);
  const expanded = expandFeatures(features, expansion);
  const categories = expanded.flatMap((column, position) =>
    column.kind === 'category' ? [fitCategoryCodes(column, position)] : [],
  );
  const encoding = { expansion, categories };
  return { encoding, columns: treeColumns(expanded, encoding) };
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
