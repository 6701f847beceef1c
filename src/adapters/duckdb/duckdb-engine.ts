import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { missingTexts } from '../../contracts/datasets.ts';
import type { ParseOptions, Profile, TabularEngine } from '../../data/tabular-engine.ts';
import { ValidationError } from '../../errors.ts';
import type { ColumnType, Table } from '../../ml/table.ts';
import { columnTypeOf } from './column-type.ts';
import { malformedJsonLine } from './malformed-json-line.ts';
import { malformedFrom, malformedLine, refuseUnsplitHeader, rejectedRows } from './malformed-source.ts';
import { profileOf } from './profile.ts';
import { identifier, literal } from './sql-text.ts';
import { tableFrom } from './table-reader.ts';
import { requireWholeGzip } from './whole-gzip.ts';

/** A column holds lists, objects, bytes or the like. */
class UnsupportedColumnError extends ValidationError {
  constructor(name: string, duckdbType: string) {
    super(
      `column ${JSON.stringify(name)} holds ${duckdbType}; a column holds numbers, booleans, dates or text. Flatten it or leave it out`,
      { code: 'UNSUPPORTED_COLUMN_TYPE', errors: [{ pointer: `/${name}`, detail: `type ${duckdbType}` }] },
    );
  }
}

/** DuckDB over the files of one folder: no network, no extension, no other file, no setting changed later. */
export class DuckDbEngine implements TabularEngine {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  static async open(folder: string, limits: { memoryMiB: number; threads: number }): Promise<DuckDbEngine> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(limits.threads),
      memory_limit: `${limits.memoryMiB}MiB`,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const connection = await instance.connect();
    await connection.run(`SET temp_directory = ${literal(`${folder}/spill`)}`);
    await connection.run(`SET allowed_directories = [${literal(folder)}]`);
    // Text with an offset becomes an instant, and a date without one is UTC, wherever the machine stands.
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run('SET enable_external_access = false');
    await connection.run('SET lock_configuration = true');
    return new DuckDbEngine(instance, connection);
  }

  async convertToParquet(sourceFile: string, options: ParseOptions, parquetFile: string): Promise<Profile> {
    if (options.compression === 'gzip') await requireWholeGzip(sourceFile);
    await this.#connection.run('DROP TABLE IF EXISTS source');
    await this.#connection.run('DROP TABLE IF EXISTS reject_errors');
    await this.#connection.run('DROP TABLE IF EXISTS reject_scans');
    try {
      await this.#connection.run(`CREATE TEMP TABLE source AS SELECT * FROM ${reader(sourceFile, options)}`);
    } catch (error) {
      const line =
        options.format === 'jsonl' ? await malformedJsonLine(sourceFile, options.compression) : undefined;
      throw line === undefined ? malformedFrom(error, options.format) : malformedLine(line, error);
    }
    if (options.format === 'csv') await rejectedRows(this.#connection);
    const described = await this.#connection.runAndReadAll('DESCRIBE source');
    const columns = described.getRowObjectsJS().map((row) => ({
      name: String(row.column_name),
      duckdbType: String(row.column_type),
    }));
    // No text has such names: bytes of another kind were read as CSV.
    if (columns.some(({ name }) => name.includes('\0')))
      throw malformedFrom(new Error('the header holds NUL'), options.format);
    if (options.format === 'csv' && options.delimiter === undefined)
      refuseUnsplitHeader(columns.map(({ name }) => name));
    const typed: { name: string; type: ColumnType }[] = [];
    for (const { name, duckdbType } of columns) {
      // A column without a single value has no type of its own; DuckDB calls it JSON in JSON lines.
      const type = columnTypeOf(duckdbType) ?? ((await this.#isEmpty(name)) ? 'category' : undefined);
      if (type === undefined) throw new UnsupportedColumnError(name, duckdbType);
      typed.push({ name, type });
    }
    const profile = await profileOf(this.#connection, typed);
    if (profile.nRows === 0) {
      throw new ValidationError('the data has a header but no rows; send at least one row', {
        code: 'EMPTY_DATASET',
      });
    }
    const list = typed
      .map(({ name, type }) =>
        type === 'category'
          ? `CAST(${identifier(name)} AS VARCHAR) AS ${identifier(name)}`
          : identifier(name),
      )
      .join(', ');
    await this.#connection.run(
      `COPY (SELECT ${list} FROM source) TO ${literal(parquetFile)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    await this.#connection.run('DROP TABLE source');
    return profile;
  }

  async readTable(parquetFile: string, columns?: readonly string[]): Promise<Table> {
    return tableFrom(this.#connection, parquetFile, columns);
  }

  async #isEmpty(column: string): Promise<boolean> {
    const found = await this.#connection.runAndReadAll(
      `SELECT 1 FROM source WHERE ${identifier(column)} IS NOT NULL LIMIT 1`,
    );
    return found.currentRowCount === 0;
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}

function reader(file: string, { format, compression, delimiter }: ParseOptions): string {
  const path = literal(file);
  if (format === 'parquet') return `read_parquet(${path})`;
  if (format === 'jsonl') {
    return `read_json(${path}, format = 'newline_delimited', records = true, sample_size = -1, compression = '${compression === 'none' ? 'uncompressed' : compression}', maximum_object_size = 16777216)`;
  }
  const separator = delimiter === undefined ? '' : `, delim = ${literal(delimiter)}`;
  return (
    `read_csv(${path}, header = true, sample_size = -1, compression = '${compression}', quote = '"', escape = '"', ` +
    `store_rejects = true, rejects_limit = 20, nullstr = [${missingTexts.map(literal).join(', ')}]${separator})`
  );
}
