import { ValidationError } from '../errors.ts';

/** A value of one feature of one row. `undefined`, `null` and NaN are missing; a Date becomes RFC 3339 text. */
export type Cell = string | number | boolean | Date | null | undefined;
export type Row = Readonly<Record<string, string | number | boolean | null>>;

type Values = ArrayLike<Cell>;
/**
 * A table as people have it: records (`[{ a: 1 }, …]`), a matrix of rows (`[[1, 2], …]`), or columns
 * (`{ a: [1, …], b: [2, …] }`; typed arrays too).
 */
export type TableInput =
  | readonly Readonly<Record<string, Cell>>[]
  | readonly Values[]
  | Readonly<Record<string, Values>>;

const isList = (value: unknown): value is Values =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/** Columns of a matrix have no names; these are scikit-learn's. */
const columnName = (i: number): string => `x${i}`;

/**
 * Rows by feature name, of whatever form the table has.
 * @throws {ValidationError} when it is no table, when columns or rows differ in length, or when a value cannot be sent
 */
export function rowsOf(table: TableInput): Row[] {
  if (Array.isArray(table)) return rowsOfList(table as readonly unknown[]);
  if (typeof table !== 'object' || table === null || isList(table))
    throw new ValidationError(`a table must be records, a matrix or columns, not ${typeName(table)}`);
  return rowsOfColumns(table as Readonly<Record<string, Values>>);
}

function rowsOfList(table: readonly unknown[]): Row[] {
  const width = isList(table[0]) ? table[0].length : undefined;
  return table.map((row, i) => {
    if (width === undefined) {
      if (typeof row === 'object' && row !== null && !isList(row) && !(row instanceof Date))
        return cells(Object.entries(row), i);
      throw new ValidationError(
        `row ${i} must be a record as the first one is, not ${typeName(row)}; a table is a list of rows, also when it has one`,
      );
    }
    if (!isList(row) || row.length !== width)
      throw new ValidationError(
        `row ${i} has ${isList(row) ? `${row.length} values` : 'no values'} and the first row ${width}; give all rows the same length`,
      );
    return cells(
      Array.from(row, (value, column) => [columnName(column), value]),
      i,
    );
  });
}

function rowsOfColumns(columns: Readonly<Record<string, Values>>): Row[] {
  const entries = Object.entries(columns);
  const [first, others] = [entries[0], entries.slice(1)];
  if (first === undefined) return [];
  for (const [name, values] of entries)
    if (!isList(values))
      throw new ValidationError(
        `column ${name} must be a list of values, not ${typeName(values)}; a single row is given as [row]`,
      );
  for (const [name, values] of others)
    if (values.length !== first[1].length)
      throw new ValidationError(
        `column ${name} has ${values.length} values and ${first[0]} ${first[1].length}; give all columns the same length`,
      );
  return Array.from({ length: first[1].length }, (_, i) =>
    cells(
      entries.map(([name, values]) => [name, values[i]]),
      i,
    ),
  );
}

const cells = (entries: readonly (readonly [string, unknown])[], row: number): Row =>
  Object.fromEntries(entries.map(([name, value]) => [name, cellOf(value, name, row)]));

/** @throws {ValidationError} when JSON has nothing for the value */
export function cellOf(value: unknown, name: string, row: number): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    if (Number.isNaN(value)) return null;
  }
  throw new ValidationError(
    `${name} of row ${row} must be text, a finite number, a boolean, a Date or missing, not ${typeName(value)}`,
    {
      errors: [
        { pointer: `/${row}/${name}`, detail: 'must be text, a finite number, a boolean, a Date or missing' },
      ],
    },
  );
}

function typeName(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value instanceof Date) return 'an invalid Date';
  return Array.isArray(value) ? 'a list' : value === null ? 'null' : typeof value;
}
