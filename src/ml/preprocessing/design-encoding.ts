/** Features of mixed types as a design matrix for linear learners: imputed, standardized, one-hot encoded. */
import type { DesignMatrix, OneHotBlock } from '../linear/design-matrix.ts';
import type { CategoryFeature, NumericFeature } from './feature-columns.ts';
import type { LearnerColumn } from './feature-expansion.ts';
import { imputed, median, missingIndicator, mostFrequent } from './imputation.ts';
import { fitOneHot, type OneHotLevels, oneHotCodes } from './one-hot.ts';
import { standardization, standardized } from './standard-scaler.ts';

export interface NumericEncoding {
  /** Position among the learner's columns. */
  readonly column: number;
  readonly replacement: number;
  readonly mean: number;
  /** 0: constant but for missing values, so it has an indicator only. */
  readonly scale: number;
  /** Training saw missing values, so being missing is a column of its own. */
  readonly hasIndicator: boolean;
}

export interface CategoryEncoding {
  readonly column: number;
  readonly levels: OneHotLevels;
}

/** Columns: every numeric with a scale, then the indicators, then the one-hot blocks. Plain data. */
export interface DesignEncoding {
  readonly numeric: readonly NumericEncoding[];
  readonly category: readonly CategoryEncoding[];
}

/** Columns that are constant or have no value are left out. */
export function fitDesignEncoding(columns: readonly LearnerColumn[]): DesignEncoding {
  const numeric: NumericEncoding[] = [];
  const category: CategoryEncoding[] = [];
  const withIndicator = new Set<number>();
  columns.forEach((column, position) => {
    if (column.kind === 'category') {
      const levels = fitOneHot(column);
      if (levels !== undefined) category.push({ column: position, levels });
      return;
    }
    const replacement = column.spec.type === 'boolean' ? mostFrequent(column.values) : median(column.values);
    if (replacement === undefined) return;
    // The parts of a date are missing together: one indicator says it for all.
    const hasIndicator = !withIndicator.has(column.source) && column.values.some(Number.isNaN);
    const { mean, scale } = standardization(imputed(column.values, replacement));
    if (hasIndicator) withIndicator.add(column.source);
    if (scale > 0 || hasIndicator) numeric.push({ column: position, replacement, mean, scale, hasIndicator });
  });
  return { numeric, category };
}

export function encodeDesign(
  columns: readonly LearnerColumn[],
  encoding: DesignEncoding,
  nRows: number,
): DesignMatrix {
  const dense: Float64Array[] = [];
  for (const numeric of encoding.numeric) {
    if (numeric.scale === 0) continue;
    dense.push(standardized(imputed(numericValues(columns, numeric), numeric.replacement), numeric));
  }
  for (const numeric of encoding.numeric) {
    if (numeric.hasIndicator) dense.push(missingIndicator(numericValues(columns, numeric)));
  }
  const blocks: OneHotBlock[] = encoding.category.map(({ column, levels }) => ({
    codes: oneHotCodes((columns[column] as CategoryFeature).codes, levels),
    width: levels.nLevels,
  }));
  const nColumns = dense.length + blocks.reduce((sum, block) => sum + block.width, 0);
  return { nRows, nColumns, dense, blocks };
}

function numericValues(columns: readonly LearnerColumn[], encoding: NumericEncoding): Float32Array {
  return (columns[encoding.column] as NumericFeature).values;
}
