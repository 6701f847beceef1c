/** Features of mixed types as a design matrix for linear learners: imputed, standardized, one-hot encoded. */
import type { DesignMatrix, OneHotBlock } from '../linear/design-matrix.ts';
import type { CategoryFeature, FeatureColumn, NumericFeature } from './feature-columns.ts';
import { imputed, median, missingIndicator, mostFrequent } from './imputation.ts';
import { fitOneHot, type OneHotLevels, oneHotCodes } from './one-hot.ts';
import { standardization, standardized } from './standard-scaler.ts';

export interface NumericEncoding {
  /** Position in the model's features. */
  readonly feature: number;
  readonly replacement: number;
  readonly mean: number;
  /** 0: constant but for missing values, so it has an indicator only. */
  readonly scale: number;
  /** Training saw missing values, so being missing is a column of its own. */
  readonly hasIndicator: boolean;
}

export interface CategoryEncoding {
  readonly feature: number;
  readonly levels: OneHotLevels;
}

/** Columns: every numeric with a scale, then the indicators, then the one-hot blocks. Plain data. */
export interface DesignEncoding {
  readonly numeric: readonly NumericEncoding[];
  readonly category: readonly CategoryEncoding[];
}

/** Features that are constant or have no value get no column. */
export function fitDesignEncoding(features: readonly FeatureColumn[]): DesignEncoding {
  const numeric: NumericEncoding[] = [];
  const category: CategoryEncoding[] = [];
  features.forEach((column, feature) => {
    if (column.kind === 'category') {
      const levels = fitOneHot(column);
      if (levels !== undefined) category.push({ feature, levels });
      return;
    }
    const replacement = column.spec.type === 'boolean' ? mostFrequent(column.values) : median(column.values);
    if (replacement === undefined) return;
    const hasIndicator = column.values.some((value) => Number.isNaN(value));
    const { mean, scale } = standardization(imputed(column.values, replacement));
    if (scale > 0 || hasIndicator) numeric.push({ feature, replacement, mean, scale, hasIndicator });
  });
  return { numeric, category };
}

export function encodeDesign(
  features: readonly FeatureColumn[],
  encoding: DesignEncoding,
  nRows: number,
): DesignMatrix {
  const dense: Float64Array[] = [];
  for (const column of encoding.numeric) {
    if (column.scale === 0) continue;
    dense.push(standardized(imputed(numericValues(features, column), column.replacement), column));
  }
  for (const column of encoding.numeric) {
    if (column.hasIndicator) dense.push(missingIndicator(numericValues(features, column)));
  }
  const blocks: OneHotBlock[] = encoding.category.map(({ feature, levels }) => ({
    codes: oneHotCodes((features[feature] as CategoryFeature).codes, levels),
    width: levels.nLevels,
  }));
  const nColumns = dense.length + blocks.reduce((sum, block) => sum + block.width, 0);
  return { nRows, nColumns, dense, blocks };
}

function numericValues(features: readonly FeatureColumn[], encoding: NumericEncoding): Float32Array {
  return (features[encoding.feature] as NumericFeature).values;
}
