/** Columns of mixed types as a design matrix for linear learners: imputed, scaled, categories as columns or numbers. */
import type { DesignMatrix, OneHotBlock } from '../linear/design-matrix.ts';
import { type CategoryNumbers, categoryNumbers, ordinalNumbers } from './category-numbers.ts';
import type { CategoryFeature, NumericFeature } from './feature-columns.ts';
import type { LearnerColumn } from './feature-expansion.ts';
import { type Imputation, imputed, missingIndicator, mostFrequent, replacementOf } from './imputation.ts';
import { fitOneHot, type OneHotLevels, oneHotCodes } from './one-hot.ts';
import { fitScale, type Scaling, scaled } from './scaling.ts';
import { fitTargetEncodings, foldsOf } from './target-encoding.ts';

export const CATEGORICAL_ENCODINGS = ['auto', 'one_hot', 'ordinal', 'target'] as const;
/**
 * auto: one_hot, and target beside it where more than `maxCategories` categories are not rare and the target has few
 * enough classes.
 */
export type CategoricalEncoding = (typeof CATEGORICAL_ENCODINGS)[number];

/** Means of the target are one column per class and feature: of hundreds of classes they would fill the memory. */
const MAX_CLASSES_OF_AUTO = 20;

export interface PreprocessingOptions {
  readonly scaling: Scaling;
  readonly imputation: Imputation;
  readonly categoricalEncoding: CategoricalEncoding;
  readonly maxCategories: number;
  readonly minCategoryRows: number;
  readonly targetSmoothing: number;
  readonly randomState: number;
}

/** A number per row: a column's own, or one per category. */
export interface NumericEncoding {
  /** Position among the learner's columns. */
  readonly column: number;
  /** Of a category column. */
  readonly numbers?: CategoryNumbers;
  /** Index of the target's class that the numbers are shares of, with more than two classes. */
  readonly targetClass?: number;
  readonly replacement: number;
  readonly center: number;
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

export interface FittedDesign {
  readonly encoding: DesignEncoding;
  /** Of the training rows: it differs from what `encodeDesign` gives where means of the target leave rows out. */
  readonly design: DesignMatrix;
}

/**
 * Columns that are constant or have no value are left out.
 * @param targets - the target itself, or a 0/1 column per class (of the second one for two classes).
 */
export function fitDesign(
  columns: readonly LearnerColumn[],
  nRows: number,
  targets: readonly Float64Array[],
  options: PreprocessingOptions,
): FittedDesign {
  const numeric: NumericEncoding[] = [];
  const category: CategoryEncoding[] = [];
  const values: Float32Array[] = [];
  const withIndicator = new Set<number>();
  let folds: Uint8Array | undefined;
  const add = (
    encoding: Pick<NumericEncoding, 'column' | 'numbers' | 'targetClass' | 'replacement'>,
    training: Float32Array,
  ): void => {
    const { source } = columns[encoding.column]!;
    // The parts of a date are missing together: one indicator says it for all.
    const hasIndicator = !withIndicator.has(source) && training.some(Number.isNaN);
    const scale = fitScale(imputed(training, encoding.replacement), options.scaling);
    if (scale.scale === 0 && !hasIndicator) return;
    if (hasIndicator) withIndicator.add(source);
    numeric.push({ ...encoding, ...scale, hasIndicator });
    values.push(training);
  };
  columns.forEach((feature, column) => {
    if (feature.kind === 'numeric') {
      const isBoolean = feature.spec.type === 'boolean';
      const replacement = replacementOf(feature.values, isBoolean ? 'most_frequent' : options.imputation);
      if (replacement !== undefined) add({ column, replacement }, feature.values);
      return;
    }
    const encodings = encodingsOf(feature, options, targets.length);
    if (encodings.includes('one_hot')) {
      const levels = fitOneHot(feature, options);
      if (levels !== undefined) category.push({ column, levels });
    }
    if (encodings.includes('ordinal')) {
      const numbers = ordinalNumbers(feature);
      const training = categoryNumbers(feature.codes, numbers);
      const replacement = mostFrequent(training);
      if (replacement !== undefined) add({ column, numbers, replacement }, training);
    }
    if (encodings.includes('target')) {
      folds ??= foldsOf(nRows, options.randomState);
      const means = fitTargetEncodings(feature, targets, {
        minCategoryRows: options.minCategoryRows,
        smoothing: options.targetSmoothing,
        folds,
      });
      means.forEach(({ numbers, training }, k) => {
        const targetClass = targets.length > 1 ? { targetClass: k } : {};
        add({ column, numbers, ...targetClass, replacement: 0 }, training);
      });
    }
  });
  const encoding = { numeric, category };
  return { encoding, design: assemble(columns, encoding, values, nRows) };
}

function encodingsOf(
  feature: CategoryFeature,
  { categoricalEncoding, maxCategories, minCategoryRows }: PreprocessingOptions,
  nTargets: number,
): readonly CategoricalEncoding[] {
  if (categoricalEncoding !== 'auto') return [categoricalEncoding];
  if (feature.spec.categories.length <= maxCategories || nTargets > MAX_CLASSES_OF_AUTO) return ['one_hot'];
  const counts = new Int32Array(feature.spec.categories.length);
  for (const code of feature.codes) if (code >= 0) counts[code]!++;
  const nFrequent = counts.filter((count) => count >= minCategoryRows).length;
  return nFrequent > maxCategories ? ['one_hot', 'target'] : ['one_hot'];
}

/** The design matrix of rows that training did not see, or saw only as any other. */
export function encodeDesign(
  columns: readonly LearnerColumn[],
  encoding: DesignEncoding,
  nRows: number,
): DesignMatrix {
  const values = encoding.numeric.map(({ column, numbers }) =>
    numbers === undefined
      ? (columns[column] as NumericFeature).values
      : categoryNumbers((columns[column] as CategoryFeature).codes, numbers),
  );
  return assemble(columns, encoding, values, nRows);
}

function assemble(
  columns: readonly LearnerColumn[],
  encoding: DesignEncoding,
  values: readonly Float32Array[],
  nRows: number,
): DesignMatrix {
  const dense: Float64Array[] = [];
  encoding.numeric.forEach((numeric, position) => {
    if (numeric.scale > 0) dense.push(scaled(imputed(values[position]!, numeric.replacement), numeric));
  });
  encoding.numeric.forEach(({ hasIndicator }, position) => {
    if (hasIndicator) dense.push(missingIndicator(values[position]!));
  });
  const blocks: OneHotBlock[] = encoding.category.map(({ column, levels }) => ({
    codes: oneHotCodes((columns[column] as CategoryFeature).codes, levels),
    width: levels.nLevels,
  }));
  const nColumns = dense.length + blocks.reduce((sum, block) => sum + block.width, 0);
  return { nRows, nColumns, dense, blocks };
}
