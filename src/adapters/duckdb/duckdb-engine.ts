import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { missingTexts } from '../../contracts/datasets.ts';
import type { ParseOptions, Profile, TabularEngine } from '../../data/tabular-engine.ts';
import { MLFrameworkError } from '../../errors.ts';
import type { ColumnType, Table } from '../../ml/table.ts';
import { columnTypeOf } from './column-type.ts';
import { openConfined } from './confined-duckdb.ts';
import { type CsvHeader, csvHeader } from './csv-header.ts';
import { malformedFrom, malformedJsonFrom, refuseUnsplitHeader, rejectedRows } from './malformed-source.ts';
import { settleMixedColumns } from './mixed-columns.ts';
import { profileOf } from './profile.ts';
import {
  EmptyDatasetError,
  refuseDuplicateNames,
  requireColumnCount,
  tooLargeOr,
  UnsupportedColumnError,
} from './refusals.ts';
import { identifier, literal } from './sql-text.ts';
import { tableFrom } from './table-reader.ts';
import { requireWholeGzip } from './whole-gzip.ts';

/** DuckDB over the files of one folder: no network, no extension, no other file, no setting changed later. */
export class DuckDbEngine implements TabularEngine {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  static async open(folder: string, limits: { memoryMiB: number; threads: number }): Promise<DuckDbEngine> {
    const { instance, connection } = await openConfined(folder, limits);
    return new DuckDbEngine(instance, connection);
  }

  async convertToParquet(sourceFile: string, options: ParseOptions, parquetFile: string): Promise<Profile> {
    try {
      return await this.#convert(sourceFile, options, parquetFile);
    } catch (error) {
      throw tooLargeOr(error);
    }
  }

  async #convert(sourceFile: string, options: ParseOptions, parquetFile: string): Promise<Profile> {
    if (options.compression === 'gzip') await requireWholeGzip(sourceFile);
    for (const table of ['source', 'reject_errors', 'reject_scans'])
      await this.#connection.run(`DROP TABLE IF EXISTS ${table}`);
    const header = await this.#load(sourceFile, options);
    const described = await this.#connection.runAndReadAll('DESCRIBE source');
    let columns = described.getRowObjectsJS().map((row) => ({
      name: String(row.column_name),
      duckdbType: String(row.column_type),
    }));
    requireColumnCount(columns.length);
    // No text has such names: bytes of another kind were read as CSV.
    if (columns.some(({ name }) => name.includes('\0')))
      throw malformedFrom(new Error('the header holds NUL'), options.format);
    if (options.format === 'csv' && options.delimiter === undefined)
      refuseUnsplitHeader(columns.map(({ name }) => name));
    if (header !== undefined) {
      refuseDuplicateNames(
        header,
        columns.map(({ name }) => name),
      );
    }
    if (options.format !== 'parquet') columns = await settleMixedColumns(this.#connection, columns);
    const typed: { name: string; type: ColumnType }[] = [];
    for (const { name, duckdbType } of columns) {
      // A column without a single value has no type of its own; DuckDB calls it JSON in JSON lines.
      const type = columnTypeOf(duckdbType) ?? ((await this.#isEmpty(name)) ? 'category' : undefined);
      if (type === undefined) throw new UnsupportedColumnError(name, duckdbType);
      typed.push({ name, type });
    }
    const profile = await profileOf(this.#connection, typed);
    if (profile.nRows === 0) throw new EmptyDatasetError('the data has a header but no rows');
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

  /**
   * Fills the table `source`, after what can be refused before that has been.
   * @returns the header of a CSV
   */
  async #load(sourceFile: string, options: ParseOptions): Promise<CsvHeader | undefined> {
    const { format, compression, delimiter } = options;
    const source = reader(sourceFile, options);
    let header: CsvHeader | undefined;
    if (format === 'csv') {
      header = await csvHeader(sourceFile, compression, delimiter);
      if (header === undefined) throw new EmptyDatasetError('the file holds no text');
      requireColumnCount(Math.max(...header.splits.map((fields) => fields.length)));
    }
    try {
      if (format !== 'csv') {
        const counted = await this.#connection.runAndReadAll(
          `SELECT count(*) AS n FROM (DESCRIBE SELECT * FROM ${source})`,
        );
        requireColumnCount(Number(counted.getRowObjectsJS()[0]!.n));
      }
      await this.#connection.run(`CREATE TEMP TABLE source AS SELECT * FROM ${source}`);
    } catch (error) {
      if (tooLargeOr(error) instanceof MLFrameworkError) throw error;
      if (format !== 'jsonl') throw malformedFrom(error, format);
      throw await malformedJsonFrom(error, sourceFile, compression);
    }
    if (format === 'csv') await rejectedRows(this.#connection);
    return header;
  }

  async readTable(parquetFile: string, columns?: readonly string[]): Promise<Table> {
    try {
      return await tableFrom(this.#connection, parquetFile, columns);
    } catch (error) {
      throw tooLargeOr(error);
    }
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
    return `read_json(${path}, format = 'newline_delimited', records = true, sample_size = -1, map_inference_threshold = -1, compression = '${compression === 'none' ? 'uncompressed' : compression}', maximum_object_size = 16777216)`;
  }
  const separator = delimiter === undefined ? '' : `, delim = ${literal(delimiter)}`;
  return (
    `read_csv(${path}, header = true, sample_size = -1, compression = '${compression}', quote = '"', escape = '"', ` +
    `store_rejects = true, rejects_limit = 20, nullstr = [${missingTexts.map(literal).join(', ')}]${separator})`
  );
}
