import type { FeatureSpec } from '../../contracts/models.ts';
import type { CategoryColumn, Column, Table } from '../../ml/table.ts';
import { batchOfTable, emptyBatch, type FeatureBatch, type FeatureValues } from '../feature-batch.ts';
import { putValue } from '../input-rows.ts';

/** Rows ready for a graph; those that cannot be scored are in it with missing values. */
export interface ConvertedRows {
  readonly batch: FeatureBatch;
  /** By row: the first value that is not of its feature's type. */
  readonly failures: ReadonlyMap<number, string>;
}

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
  if (column.type === feature.type) {
    const values = batchOfTable([feature], { nRows, columns: [column] }).features[0]!;
    if (values.kind === 'float32') failInfinite(values.data, fail);
    if (column.type === 'category') failNul(column, values.data as string[], fail);
    return values;
  }
  const values = emptyBatch([feature], nRows).features[0]!;
  const sent = valuesSent(feature.type, column);
  for (let row = 0; row < nRows; row++) {
    const expected = putValue(values, row, sent(row), feature);
    if (expected !== undefined) fail(row, expected);
  }
  return values;
}

/** @returns by row, what a caller would send for the value; `undefined` where it is missing */
function valuesSent(type: FeatureSpec['type'], column: Column): (row: number) => unknown {
  if (column.type === 'category') {
    const meant = column.categories.map((text) => meantBy(text.trim(), type));
    return (row) => meant[column.codes[row]!];
  }
  const { values } = column;
  return (row) => {
    const value = values[row]!;
    if (Number.isNaN(value)) return undefined;
    return column.type === 'boolean' ? value === 1 : value;
  };
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** One value that is no number makes a column of numbers text; the others still mean what they did. */
function meantBy(text: string, type: FeatureSpec['type']): unknown {
  if (text === '') return undefined;
  if (type === 'number' && decimal.test(text)) return Number(text);
  if (type === 'boolean' && /^(true|t|1|yes)$/i.test(text)) return true;
  if (type === 'boolean' && /^(false|f|0|no)$/i.test(text)) return false;
  return text;
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
