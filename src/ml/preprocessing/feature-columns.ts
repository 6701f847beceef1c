/** The features of a table as float32 numbers, dates and category codes: the one view that training, predict and ONNX share. */
import { PredictionError, TrainingError } from '../../errors.ts';
import type { FeatureSpec } from '../pipeline-model.ts';
import { type CategoryColumn, type Column, columnNamed, type NumericColumn, type Table } from '../table.ts';

/** Values as float32, as a graph gets them; NaN is missing. */
export interface NumericFeature {
  readonly kind: 'numeric';
  readonly spec: FeatureSpec;
  readonly values: Float32Array;
}

/** Codes index `spec.categories`; -1 is missing, -2 a category not seen in training. */
export interface CategoryFeature {
  readonly kind: 'category';
  readonly spec: FeatureSpec & { readonly categories: readonly string[] };
  readonly codes: Int32Array;
}

/** Whole epoch ms, as far from 1970 as a Date can be; NaN is missing. */
export interface DateFeature {
  readonly kind: 'date';
  readonly spec: FeatureSpec;
  readonly values: Float64Array;
}

export type FeatureColumn = NumericFeature | CategoryFeature | DateFeature;

export const MISSING_CODE = -1;
export const UNKNOWN_CODE = -2;

/** The most that ECMAScript's Date holds, 100 million days. */
const MAX_EPOCH_MS = 8.64e15;

/**
 * Every column but the target, as training sees it.
 * @throws TrainingError INFINITE_VALUE, naming the column.
 */
export function trainingFeatures(table: Table, target: string): FeatureColumn[] {
  return table.columns
    .filter((column) => column.name !== target)
    .map((column) => {
      if (column.type !== 'category') {
        return valueFeature(column, { name: column.name, type: column.type }, trainingInfinity);
      }
      const categories = presentCategories(column);
      const spec = { name: column.name, type: column.type, categories };
      return { kind: 'category', spec, codes: recode(column, categories) };
    });
}

/**
 * The table's columns in the order of the features that a model was trained on; other columns are ignored.
 * @throws PredictionError FEATURE_NOT_FOUND, FEATURE_TYPE_MISMATCH, INFINITE_VALUE or CATEGORY_NOT_STORABLE, naming the
 * column.
 */
export function alignFeatures(table: Table, features: readonly FeatureSpec[]): FeatureColumn[] {
  return features.map((spec) => {
    const column = columnNamed(table, spec.name);
    if (column === undefined) {
      throw new PredictionError(
        'FEATURE_NOT_FOUND',
        `the model needs feature "${spec.name}" (${spec.type}) but the table has no such column; give it, with missing values if need be`,
        { evidence: { feature: spec.name, type: spec.type } },
      );
    }
    if (spec.type === 'category') {
      if (column.type !== 'category') throw typeMismatch(spec, column);
      const categories = spec.categories ?? [];
      checkNoNul(column);
      return { kind: 'category', spec: { ...spec, categories }, codes: recode(column, categories) };
    }
    if (!isReadableAs(column, spec)) throw typeMismatch(spec, column);
    return valueFeature(column, spec, predictionInfinity);
  });
}

/** onnxruntime ends a text at NUL: the graph would take the category for another one. */
function checkNoNul({ name, codes, categories }: CategoryColumn): void {
  if (!categories.some((category) => category.includes('\0'))) return;
  const row = codes.findIndex((code) => code >= 0 && categories[code]!.includes('\0'));
  if (row < 0) return;
  throw new PredictionError(
    'CATEGORY_NOT_STORABLE',
    `feature "${name}" holds ${JSON.stringify(categories[codes[row]!]!.slice(0, 64))} in row ${row}; categories must not hold the character NUL, remove it`,
    { evidence: { feature: name, row } },
  );
}

/** A batch of whole numbers may be read as boolean and the other way round; dates never mix with either. */
function isReadableAs(column: Column, spec: FeatureSpec): column is NumericColumn {
  if (column.type === 'category') return false;
  return (column.type === 'date') === (spec.type === 'date');
}

function typeMismatch(spec: FeatureSpec, column: Column): PredictionError {
  return new PredictionError(
    'FEATURE_TYPE_MISMATCH',
    `feature "${spec.name}" was trained as ${spec.type} but the column is of type ${column.type}; convert it`,
    { evidence: { feature: spec.name, trained: spec.type, given: column.type } },
  );
}

function valueFeature(
  column: NumericColumn,
  spec: FeatureSpec,
  infinity: (name: string, row: number, rule: string) => Error,
): NumericFeature | DateFeature {
  if (spec.type === 'date') return dateFeature(column, spec, infinity);
  const values = new Float32Array(column.values);
  for (let row = 0; row < values.length; row++) {
    if (Math.abs(values[row]!) === Number.POSITIVE_INFINITY) {
      throw infinity(
        column.name,
        row,
        `${column.values[row]} in row ${row}; values must be finite as float32`,
      );
    }
  }
  return { kind: 'numeric', spec, values };
}

function dateFeature(
  column: NumericColumn,
  spec: FeatureSpec,
  infinity: (name: string, row: number, rule: string) => Error,
): DateFeature {
  // A fraction of a millisecond has no place in a graph's int64.
  const values = column.values.map(Math.round);
  for (let row = 0; row < values.length; row++) {
    if (!(Math.abs(values[row]!) <= MAX_EPOCH_MS) && !Number.isNaN(values[row]!)) {
      throw infinity(
        column.name,
        row,
        `${column.values[row]} in row ${row}; dates must be within ${MAX_EPOCH_MS} ms of 1970`,
      );
    }
  }
  return { kind: 'date', spec, values };
}

function infinityMessage(name: string, rule: string): string {
  return `feature "${name}" holds ${rule}, use missing instead`;
}

function trainingInfinity(name: string, row: number, rule: string): Error {
  return new TrainingError('INFINITE_VALUE', infinityMessage(name, rule), {
    evidence: { feature: name, row },
  });
}

function predictionInfinity(name: string, row: number, rule: string): Error {
  return new PredictionError('INFINITE_VALUE', infinityMessage(name, rule), {
    evidence: { feature: name, row },
  });
}

/**
 * Categories with at least one row, in order, as a graph sees them: the empty string is how it spells missing, and in
 * UTF-8 half of a surrogate pair becomes U+FFFD.
 */
function presentCategories(column: CategoryColumn): string[] {
  const present = new Uint8Array(column.categories.length);
  for (const code of column.codes) if (code >= 0) present[code] = 1;
  const seen = new Set<string>();
  column.categories.forEach((category, code) => {
    if (present[code] === 1 && category !== '') seen.add(category.toWellFormed());
  });
  return [...seen].sort();
}

function recode(column: CategoryColumn, categories: readonly string[]): Int32Array {
  const trained = new Map(categories.map((category, code) => [category, code]));
  const translation = Int32Array.from(column.categories, (category) =>
    category === '' ? MISSING_CODE : (trained.get(category.toWellFormed()) ?? UNKNOWN_CODE),
  );
  return column.codes.map((code) => (code < 0 ? MISSING_CODE : translation[code]!));
}
