import { maxColumns } from '../../contracts/datasets.ts';
import { ValidationError } from '../../errors.ts';
import type { CsvHeader } from './csv-header.ts';

/** A column holds lists, objects, bytes or the like. */
export class UnsupportedColumnError extends ValidationError {
  constructor(name: string, duckdbType: string) {
    super(
      `column ${JSON.stringify(name)} holds ${duckdbType}; a column holds numbers, booleans, dates or text. Flatten it or leave it out`,
      { code: 'UNSUPPORTED_COLUMN_TYPE', errors: [{ pointer: `/${name}`, detail: `type ${duckdbType}` }] },
    );
  }
}

/** There is nothing to read. */
export class EmptyDatasetError extends ValidationError {
  constructor(what: string) {
    super(`${what}; send at least one row`, { code: 'EMPTY_DATASET' });
  }
}

/** @throws {ValidationError} TOO_MANY_COLUMNS */
export function requireColumnCount(count: number): void {
  if (count <= maxColumns) return;
  throw new ValidationError(
    `the data has ${count} columns; a dataset has at most ${maxColumns}. Leave out columns that no model needs`,
    { code: 'TOO_MANY_COLUMNS', evidence: { columns: count, limit: maxColumns } },
  );
}

/**
 * DuckDB would name the second one anew by itself, and does not tell apart names that differ in case only.
 * @param names the columns as they were read, which tell how the header was split
 * @throws {ValidationError} DUPLICATE_COLUMN
 */
export function refuseDuplicateNames({ line, splits }: CsvHeader, names: readonly string[]): void {
  const header = splits.find(
    (fields) => fields.length === names.length && fields[0]?.trim() === names[0]?.trim(),
  );
  const seen = new Map<string, string>();
  for (const name of header ?? []) {
    const folded = name.toLowerCase();
    const first = seen.get(folded);
    if (name !== '' && first !== undefined) {
      const detail =
        first === name
          ? `the header has the column ${JSON.stringify(name)} twice`
          : `the header has the columns ${JSON.stringify(first)} and ${JSON.stringify(name)}, which differ in case only`;
      throw new ValidationError(`line ${line}: ${detail}; give each column a name of its own`, {
        code: 'DUPLICATE_COLUMN',
        errors: [{ pointer: `/line/${line}`, detail }],
      });
    }
    seen.set(folded, name);
  }
}

/** @returns the failure as its caller is to see it: memory that does not suffice is the data's size, not its form */
export function tooLargeOr(error: unknown): unknown {
  const { name, message = '' } = (error ?? {}) as { name?: string; message?: string };
  const isMemory =
    /^(Out of Memory Error|TransactionContext Error: .*Out of Memory)/i.test(message) ||
    (name === 'RangeError' && /allocation failed|Invalid typed array length/.test(message));
  if (!isMemory) return error;
  return new ValidationError(
    'the data does not fit into the memory there is for it; send fewer rows or columns, shorter texts, or a part of the data',
    { code: 'DATASET_TOO_LARGE', cause: error },
  );
}
