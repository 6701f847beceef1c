/** Columnar table of mixed types: what every learner, metric and split of `src/ml` reads. */
import { ValidationError } from '../errors.ts';

export type ColumnType = 'number' | 'boolean' | 'date' | 'category';

/** number, boolean (0 or 1) and date (epoch ms); NaN is missing. */
export interface NumericColumn {
  readonly name: string;
  readonly type: 'number' | 'boolean' | 'date';
  readonly values: Float64Array;
}

/** Codes index `categories` (sorted, distinct); -1 is missing. */
export interface CategoryColumn {
  readonly name: string;
  readonly type: 'category';
  readonly codes: Int32Array;
  readonly categories: readonly string[];
}

export type Column = NumericColumn | CategoryColumn;

export interface Table {
  readonly nRows: number;
  readonly columns: readonly Column[];
}

/**
 * A table over the given columns.
 * @throws ValidationError when lengths differ or a name appears twice.
 */
export function createTable(columns: readonly Column[]): Table {
  const nRows = columns.length === 0 ? 0 : columnLength(columns[0]!);
  const seen = new Set<string>();
  for (const column of columns) {
    const length = columnLength(column);
    if (length !== nRows) {
      throw new ValidationError(
        `column "${column.name}" has ${length} rows but the first column has ${nRows}; all columns need the same length`,
      );
    }
    if (seen.has(column.name)) {
      throw new ValidationError(`column name "${column.name}" appears twice; names must be unique`);
    }
    seen.add(column.name);
  }
  return { nRows, columns };
}

/** A category column of the given strings; `null` and `undefined` are missing. */
export function categoryColumn(name: string, values: readonly (string | null | undefined)[]): CategoryColumn {
  const distinct = new Set<string>();
  for (const value of values) if (value !== null && value !== undefined) distinct.add(value);
  const categories = [...distinct].sort();
  const codeOf = new Map(categories.map((category, code) => [category, code]));
  const codes = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    codes[i] = value === null || value === undefined ? -1 : codeOf.get(value)!;
  }
  return { name, type: 'category', codes, categories };
}

export function columnLength(column: Column): number {
  return column.type === 'category' ? column.codes.length : column.values.length;
}

export function columnNamed(table: Table, name: string): Column | undefined {
  return table.columns.find((column) => column.name === name);
}

/** A new table with the given rows in the given order; category lists are shared, not recomputed. */
export function takeRows(table: Table, rows: Int32Array): Table {
  return { nRows: rows.length, columns: table.columns.map((column) => takeColumnRows(column, rows)) };
}

function takeColumnRows(column: Column, rows: Int32Array): Column {
  if (column.type === 'category') {
    const codes = new Int32Array(rows.length);
    for (let i = 0; i < rows.length; i++) codes[i] = column.codes[rows[i]!]!;
    return { ...column, codes };
  }
  const values = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = column.values[rows[i]!]!;
  return { ...column, values };
}

/** The table less the named columns, those that it has; their data is shared. */
export function withoutColumns(table: Table, names: readonly string[]): Table {
  if (names.length === 0) return table;
  return { nRows: table.nRows, columns: table.columns.filter(({ name }) => !names.includes(name)) };
}

/** Whether no row of the column has a value. */
export function isAllMissing(column: Column): boolean {
  return column.type === 'category'
    ? column.codes.every((code) => code < 0)
    : column.values.every((value) => Number.isNaN(value));
}

/** Bytes held by the columns' buffers and category strings (UTF-16). */
export function tableBytes(table: Table): number {
  let bytes = 0;
  for (const column of table.columns) {
    if (column.type === 'category') {
      bytes += column.codes.byteLength;
      for (const category of column.categories) bytes += 2 * category.length;
    } else {
      bytes += column.values.byteLength;
    }
  }
  return bytes;
}
