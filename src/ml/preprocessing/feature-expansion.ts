/**
 * Features as the columns that learners learn from: numbers and categories as they are, a date as its time and its
 * calendar parts. Every column knows the feature that it comes from, so that explanations can be added up per feature.
 */
import { CALENDAR_PARTS, type CalendarPart, calendarParts, MS_PER_DAY } from './calendar-parts.ts';
import type { CategoryFeature, DateFeature, FeatureColumn, NumericFeature } from './feature-columns.ts';

/** Plain data. */
export type ExpandedColumn =
  | { readonly source: number; readonly kind: 'numeric' | 'category' }
  | {
      readonly source: number;
      readonly kind: 'time';
      /**
       * Epoch ms of the earliest day in training, from which the days are counted: as float32, days since 1970 would
       * lose more than a minute, those since here lose seconds at most.
       */
      readonly origin: number;
    }
  | { readonly source: number; readonly kind: CalendarPart };

export interface FeatureExpansion {
  readonly columns: readonly ExpandedColumn[];
}

/** What a learner sees; `source` is the position of the feature that it comes from. */
export type LearnerColumn = (NumericFeature | CategoryFeature) & { readonly source: number };

/** A date gets a column for each part that differs between rows of training, and its time if none does. */
export function fitFeatureExpansion(features: readonly FeatureColumn[]): FeatureExpansion {
  return {
    columns: features.flatMap((feature, source): ExpandedColumn[] =>
      feature.kind === 'date' ? dateColumns(feature.values, source) : [{ source, kind: feature.kind }],
    ),
  };
}

function dateColumns(values: Float64Array, source: number): ExpandedColumn[] {
  const present = values.filter((value) => !Number.isNaN(value));
  const earliest = present.reduce((least, value) => Math.min(least, value), present[0] ?? 0);
  const origin = Math.floor(earliest / MS_PER_DAY) * MS_PER_DAY;
  const time: ExpandedColumn = { source, kind: 'time', origin };
  const first = calendarParts(earliest);
  const varies = new Set<CalendarPart>();
  for (const value of present) {
    if (varies.size === CALENDAR_PARTS.length) break;
    const parts = calendarParts(value);
    for (const part of CALENDAR_PARTS) if (parts[part] !== first[part]) varies.add(part);
  }
  return [time, ...CALENDAR_PARTS.filter((part) => varies.has(part)).map((kind) => ({ source, kind }))];
}

/** The features' columns in the order of the expansion; numbers are float32, as a graph holds them. */
export function expandFeatures(
  features: readonly FeatureColumn[],
  expansion: FeatureExpansion,
): LearnerColumn[] {
  return expansion.columns.map((column): LearnerColumn => {
    const feature = features[column.source]!;
    if (feature.kind !== 'date') return { ...feature, source: column.source };
    return {
      kind: 'numeric',
      source: column.source,
      spec: { name: columnName(feature.spec.name, column), type: 'number' },
      values: dateValues(feature, column),
    };
  });
}

/** The feature's name, with the part of a date behind it: `ordered (month)`. */
export function columnName(feature: string, column: ExpandedColumn): string {
  const isWhole = column.kind === 'numeric' || column.kind === 'category';
  return isWhole ? feature : `${feature} (${column.kind.replaceAll('_', ' ')})`;
}

function dateValues({ values }: DateFeature, column: ExpandedColumn): Float32Array {
  const { kind } = column;
  if (kind === 'time') {
    return Float32Array.from(values, (value) => (value - column.origin) / MS_PER_DAY);
  }
  const part = kind as CalendarPart;
  return Float32Array.from(values, (value) => (Number.isNaN(value) ? value : calendarParts(value)[part]));
}
