import type { FeatureSpec } from '../../contracts/models.ts';
import type { CategoryColumn, Column, NumericColumn, Table } from '../../ml/table.ts';
import { epochMsOfText } from '../date-text.ts';
import { batchOfTable, type FeatureBatch, type FeatureValues, missingInt64 } from '../feature-batch.ts';

/** Rows ready for a graph; those that cannot be scored are in it with missing values. */
export interface ConvertedRows {
  readonly batch: FeatureBatch;
  /** By row: the first value that is not of its feature's type. */
  readonly failures: ReadonlyMap<number, string>;
}

/** Beyond ±8.64e15 ms there are no dates. */
const lastDateMs = 8.64e15;

/**
 * Columns of a dataset as the features of a model: where the types are the same as training reads them, else value by
 * value as an online prediction takes them.
 * @param table has a column for every feature, of a type that `checkDatasetFits` has let through
 */
export function convertRows(features: readonly FeatureSpec[], table: Table): ConvertedRows {
  const failures = new Map<number, string>();
  const columnOf = new Map(table.columns.map((column) => [column.name, column]));
  const converted = features.map((feature) => {
    const column = columnOf.get(feature.name)!;
    const fail: Fail = (row, expected) => {
      if (failures.has(row)) return;
      failures.set(row, `${feature.name} must be ${expected}, got ${valueOfRow(column, row)}`);
    };
    return convertColumn(feature, column, table.nRows, fail);
  });
  return { batch: { nRows: table.nRows, features: converted }, failures };
}

type Fail = (row: number, expected: string) => void;

function valueOfRow(column: Column, row: number): string {
  if (column.type !== 'category') return String(column.values[row]);
  return JSON.stringify(column.categories[column.codes[row]!]!.slice(0, 40));
}

function convertColumn(feature: FeatureSpec, column: Column, nRows: number, fail: Fail): FeatureValues {
  const { input, type } = feature;
  if (column.type === type) {
    const values = batchOfTable([feature], { nRows, columns: [column] }).features[0]!;
    if (values.kind === 'float32') failInfinite(values.data, fail);
    if (column.type === 'category') failNul(column, values.data as string[], fail);
    return values;
  }
  if (type === 'category') return { input, kind: 'string', data: textsOf(column as NumericColumn) };
  if (type === 'date') return { input, kind: 'int64', data: datesOf(column, nRows, fail) };
  const data = new Float32Array(nRows).fill(Number.NaN);
  if (column.type === 'category') {
    const { of, expected } = type === 'number' ? textAsNumber : textAsBoolean;
    eachText(column, of, (row, value) => {
      if (value === undefined) fail(row, expected);
      else data[row] = value;
    });
  } else {
    for (const [row, value] of column.values.entries()) {
      if (value === 0 || value === 1) data[row] = value;
      else if (!Number.isNaN(value)) fail(row, textAsBoolean.expected);
    }
  }
  if (type === 'number') failInfinite(data, fail);
  return { input, kind: 'float32', data };
}

function failInfinite(data: Float32Array, fail: Fail): void {
  for (let row = 0; row < data.length; row++) {
    if (data[row]! === Number.POSITIVE_INFINITY || data[row]! === Number.NEGATIVE_INFINITY)
      fail(row, 'a number within ±3.4e38');
  }
}

/** onnxruntime ends a text at NUL: the graph would take it for another category. */
function failNul({ codes, categories }: CategoryColumn, data: string[], fail: Fail): void {
  const bad = new Set(categories.flatMap((text, code) => (text.includes('\0') ? [code] : [])));
  if (bad.size === 0) return;
  for (const [row, code] of codes.entries()) {
    if (!bad.has(code)) continue;
    data[row] = '';
    fail(row, 'text without the character NUL');
  }
}

/** As an online prediction writes a number or a boolean that is given for a category. */
function textsOf({ type, values }: NumericColumn): string[] {
  return Array.from(values, (value) =>
    Number.isNaN(value) ? '' : type === 'boolean' ? String(value === 1) : String(value),
  );
}

function datesOf(column: Column, nRows: number, fail: Fail): BigInt64Array {
  const data = new BigInt64Array(nRows).fill(missingInt64);
  const set = (row: number, epochMs: number | undefined) => {
    if (epochMs !== undefined && Math.abs(epochMs) <= lastDateMs) data[row] = BigInt(Math.round(epochMs));
    else fail(row, 'a date: RFC 3339 text or epoch milliseconds');
  };
  if (column.type === 'category') {
    eachText(column, epochMsOfText, set);
  } else {
    for (const [row, value] of column.values.entries()) if (!Number.isNaN(value)) set(row, value);
  }
  return data;
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const textAsNumber = {
  expected: 'a number',
  of: (text: string) => (decimal.test(text) ? Number(text) : undefined),
};
const textAsBoolean = {
  expected: 'true or false',
  of: (text: string) => (/^(true|t|1|yes)$/i.test(text) ? 1 : /^(false|f|0|no)$/i.test(text) ? 0 : undefined),
};

/** Converts each distinct text once; a blank one is missing. */
function eachText(
  { codes, categories }: CategoryColumn,
  convert: (text: string) => number | undefined,
  use: (row: number, value: number | undefined) => void,
): void {
  const converted = categories.map((text) => (text.trim() === '' ? Number.NaN : convert(text.trim())));
  const isBlank = categories.map((text) => text.trim() === '');
  for (const [row, code] of codes.entries()) {
    if (code >= 0 && !isBlank[code]) use(row, converted[code]);
  }
}
