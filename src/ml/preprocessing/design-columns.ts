/** What each column of a design matrix stands for. */
import type { ClassLabel, FeatureSpec } from '../pipeline-model.ts';
import type { DesignEncoding, NumericEncoding } from './design-encoding.ts';
import { columnName, type FeatureExpansion } from './feature-expansion.ts';
import type { OneHotLevels } from './one-hot.ts';

/**
 * value: a number, or a part of a date; missing: 1 where it is missing; level: 1 for a category; rare: 1 for all rare
 * ones (and, in predictions, unknown ones); missing_level: 1 for no category; ordinal: position of the category;
 * target: mean target of the category.
 */
export type DesignColumnKind =
  | 'value'
  | 'missing'
  | 'level'
  | 'rare'
  | 'missing_level'
  | 'ordinal'
  | 'target';

export interface DesignColumn {
  /** Position of the feature that it comes from. */
  readonly source: number;
  /** For people; not always unique where features have odd names. */
  readonly name: string;
  readonly kind: DesignColumnKind;
  /** Of kind level. */
  readonly category?: string;
  /** Of kind target with more than two classes: whose share it is. */
  readonly targetClass?: ClassLabel;
  /** One step of the column in units of the feature: 1 unless it is scaled. */
  readonly scale: number;
}

/** In the order of the design matrix. */
export function designColumns(
  features: readonly FeatureSpec[],
  expansion: FeatureExpansion,
  encoding: DesignEncoding,
  classes?: readonly ClassLabel[],
): DesignColumn[] {
  const nameOf = (column: number) => {
    const expanded = expansion.columns[column]!;
    return columnName(features[expanded.source]!.name, expanded);
  };
  const sourceOf = (column: number) => expansion.columns[column]!.source;
  const scaled = encoding.numeric
    .filter(({ scale }) => scale > 0)
    .map(
      (numeric): DesignColumn =>
        valueColumn(numeric, sourceOf(numeric.column), nameOf(numeric.column), classes),
    );
  const indicators = encoding.numeric
    .filter(({ hasIndicator }) => hasIndicator)
    .map(({ column }): DesignColumn => {
      const source = sourceOf(column);
      return { source, name: `${features[source]!.name} is missing`, kind: 'missing', scale: 1 };
    });
  const levels = encoding.category.flatMap(({ column, levels }) => {
    const source = sourceOf(column);
    return levelColumns(levels, features[source]!.categories!, source, nameOf(column));
  });
  return [...scaled, ...indicators, ...levels];
}

function valueColumn(
  { numbers, targetClass, scale }: NumericEncoding,
  source: number,
  name: string,
  classes: readonly ClassLabel[] | undefined,
): DesignColumn {
  if (numbers === undefined) return { source, name, kind: 'value', scale };
  // Ordinals know no number for missing, means of the target do.
  if (numbers.ofMissing === null) return { source, name: `${name} (ordinal)`, kind: 'ordinal', scale };
  if (targetClass === undefined || classes === undefined) {
    return { source, name: `${name} (mean target)`, kind: 'target', scale };
  }
  const label = classes[targetClass]!;
  return { source, name: `${name} (share of ${label})`, kind: 'target', targetClass: label, scale };
}

function levelColumns(
  { nLevels, levelOfCategory, levelOfUnknown }: OneHotLevels,
  categories: readonly string[],
  source: number,
  name: string,
): DesignColumn[] {
  const categoryOf = new Map(levelOfCategory.map((level, category) => [level, categories[category]!]));
  return Array.from({ length: nLevels }, (_, level): DesignColumn => {
    if (level === levelOfUnknown) return { source, name: `${name} is rare`, kind: 'rare', scale: 1 };
    const category = categoryOf.get(level);
    if (category === undefined) {
      return { source, name: `${name} is missing`, kind: 'missing_level', scale: 1 };
    }
    return { source, name: `${name} = ${category}`, kind: 'level', category, scale: 1 };
  });
}
