/** Rows as plain objects, turned into a table with the types that their values have. */
import { ValidationError } from '../errors.ts';
import { type Column, categoryColumn, createTable, type Table } from './table.ts';

export type RecordValue = number | string | boolean | bigint | Date | null | undefined;

/** A calendar date, or date and time with a zone; anything looser would be a guess. */
const ISO_DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/**
 * A column for every key, in the order of first appearance. All numbers: number. All booleans: boolean. All Dates, or
 * all texts in ISO 8601: date. Else category, of the values as text. `null`, `undefined`, a missing key, NaN and the empty
 * text are missing; a column without any value is a number.
 * @throws ValidationError INVALID_VALUE for an object or an array as a value.
 */
export function tableFromRecords(records: readonly Readonly<Record<string, RecordValue>>[]): Table {
  const names = new Set<string>();
  for (const record of records) for (const name of Object.keys(record)) names.add(name);
  return createTable(
    [...names].map((name) =>
      columnOf(
        name,
        records.map((record) => presentValue(record[name], name)),
      ),
    ),
  );
}

type PresentValue = Exclude<RecordValue, null | bigint>;

function presentValue(value: RecordValue, name: string): PresentValue {
  if (value === null || value === undefined || value === '' || Number.isNaN(value)) return undefined;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value;
  if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol') {
    throw new ValidationError(
      `column "${name}" holds a value of type ${Array.isArray(value) ? 'array' : typeof value}; values must be numbers, texts, booleans, Dates or null`,
      { code: 'INVALID_VALUE', evidence: { column: name } },
    );
  }
  return value;
}

function columnOf(name: string, values: readonly PresentValue[]): Column {
  const present = values.filter((value) => value !== undefined);
  const numeric = (
    type: 'number' | 'boolean' | 'date',
    numberOf: (value: PresentValue) => number,
  ): Column => ({
    name,
    type,
    values: Float64Array.from(values, (value) => (value === undefined ? Number.NaN : numberOf(value))),
  });
  if (present.every((value) => typeof value === 'number')) return numeric('number', Number);
  if (present.every((value) => typeof value === 'boolean')) return numeric('boolean', Number);
  if (present.every(isDate)) {
    return numeric('date', (value) =>
      value instanceof Date ? value.getTime() : Date.parse(value as string),
    );
  }
  return categoryColumn(
    name,
    values.map((value) => (value instanceof Date ? value.toISOString() : value?.toString())),
  );
}

function isDate(value: PresentValue): boolean {
  if (value instanceof Date) return true;
  return typeof value === 'string' && ISO_DATE.test(value) && !Number.isNaN(Date.parse(value));
}
