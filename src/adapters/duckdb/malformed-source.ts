import type { DuckDBConnection } from '@duckdb/node-api';
import type { DataFormat } from '../../contracts/datasets.ts';
import { type FieldError, ValidationError } from '../../errors.ts';
import { inspectJsonLines, type MalformedLine } from './malformed-json-line.ts';
import { EmptyDatasetError } from './refusals.ts';

/** The data cannot be read as what it was said to be. */
export class MalformedDataError extends ValidationError {
  constructor(message: string, errors: readonly FieldError[], cause?: unknown) {
    super(message, { code: 'MALFORMED_DATA', errors, cause });
  }
}

const expectations: Readonly<Record<string, string>> = {
  'INVALID ENCODING': 'UTF-8 text',
  'UNQUOTED VALUE': 'a closing quote',
  'LINE SIZE OVER MAXIMUM': 'a line of at most 2 MB',
};

/** @throws {MalformedDataError} when the CSV reader put lines aside, naming line, column and what was expected */
export async function rejectedRows(connection: DuckDBConnection): Promise<void> {
  const rejected = await connection.runAndReadAll(
    'SELECT line, column_idx, column_name, error_type, error_message FROM reject_errors ORDER BY line, column_idx LIMIT 20',
  );
  const errors = rejected.getRowObjectsJS().map((row) => {
    const counts = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(String(row.error_message));
    const type = String(row.error_type);
    const expected =
      counts === null
        ? (expectations[type] ?? String(row.error_message).split('\n')[0]!)
        : `${counts[1]} columns, found ${counts[2]}`;
    const column = row.column_name ?? row.column_idx;
    return {
      pointer: `/line/${row.line}/column/${column}`,
      detail: `line ${row.line}, column ${column}: expected ${expected}`,
    };
  });
  if (errors.length > 0)
    throw new MalformedDataError(`${errors[0]!.detail}; mend the file and send it again`, errors);
}

/** @returns what is wrong with a line of JSON lines, by its number in the file */
function malformedLine({ line, expected }: MalformedLine, cause: unknown): MalformedDataError {
  const detail = `line ${line}: expected ${expected}`;
  return new MalformedDataError(
    `${detail}; mend the file and send it again`,
    [{ pointer: `/line/${line}`, detail }],
    cause,
  );
}

/** @returns why JSON lines could not be read: by their line when one is no object, else by what DuckDB said */
export async function malformedJsonFrom(
  error: unknown,
  file: string,
  compression: 'none' | 'gzip',
): Promise<ValidationError> {
  const found = await inspectJsonLines(file, compression);
  if ('line' in found) return malformedLine(found, error);
  if (found.objects === 0) return new EmptyDatasetError('the file holds no text');
  if (!found.hasFields) return new EmptyDatasetError('the objects have no fields, so there are no columns');
  return malformedFrom(error, 'jsonl');
}

/** @returns what is wrong with a source that could not be read at all; never a path of ours */
export function malformedFrom(error: unknown, format: DataFormat): MalformedDataError {
  const message = (error as Error).message ?? '';
  const record =
    /JSON transform error in file .*, in line (\d+)/.exec(message) ?? /in line (\d+)/.exec(message);
  if (format === 'jsonl' && record !== null) {
    const twice = /has duplicate key/.test(message)
      ? 'each name once in an object'
      : 'an object like the others';
    const detail = `line ${record[1]}: expected ${twice}`;
    return new MalformedDataError(
      `${detail}; mend the file and send it again`,
      [{ pointer: `/line/${record[1]}`, detail }],
      error,
    );
  }
  const csvLine = /CSV Error on Line: (\d+)/.exec(message);
  if (csvLine !== null) {
    const what = /not utf-8/i.test(message) ? 'UTF-8 text' : 'the columns of the header';
    const detail = `line ${csvLine[1]}: expected ${what}`;
    return new MalformedDataError(
      `${detail}; mend the file and send it again`,
      [{ pointer: `/line/${csvLine[1]}`, detail }],
      error,
    );
  }
  const expected = {
    csv: 'CSV text in UTF-8 with a header line',
    jsonl: 'objects whose fields make up one table, in lines of at most 16 MiB',
    parquet: 'a Parquet file',
  }[format];
  return new MalformedDataError(
    `${format === 'jsonl' ? '' : 'line 1: '}expected ${expected}; check the format and the compression`,
    [{ pointer: '', detail: `expected ${expected}` }],
    error,
  );
}

/** A file whose lines disagree too much is read as one wide column; its header gives that away. */
export function refuseUnsplitHeader(names: readonly string[]): void {
  const separator = names.length === 1 ? /[,;\t|]/.exec(names[0]!)?.[0] : undefined;
  if (separator === undefined) return;
  const detail = `the header has ${names[0]!.split(separator).length} columns when split at ${JSON.stringify(separator)}, but the lines below do not`;
  throw new MalformedDataError(`line 1: ${detail}; check quotes and separators, or name the delimiter`, [
    { pointer: '/line/1', detail },
  ]);
}
