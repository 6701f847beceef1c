import type { DataFormat, DatasetColumn } from '../contracts/datasets.ts';
import type { Table } from '../ml/table.ts';

/** How the bytes of a source are to be read; part of a dataset's identity. */
export interface ParseOptions {
  readonly format: DataFormat;
  readonly compression: 'none' | 'gzip';
  /** CSV only; found from the text when left out. */
  readonly delimiter?: string | undefined;
}

export interface Profile {
  readonly nRows: number;
  readonly columns: readonly DatasetColumn[];
}

/** Reads tables from local files. Implementations may touch nothing outside the folder they were given. */
export interface TabularEngine {
  /**
   * Reads a source file, infers the types of its columns and writes it as Parquet, in row order.
   * @throws {ValidationError} MALFORMED_DATA with row, column and what was expected; EMPTY_DATASET;
   *   UNSUPPORTED_COLUMN_TYPE; TOO_MANY_COLUMNS; DUPLICATE_COLUMN; DATASET_TOO_LARGE
   */
  convertToParquet(sourceFile: string, options: ParseOptions, parquetFile: string): Promise<Profile>;
  /**
   * @returns the columns named, or all of them, in file order
   * @throws {ValidationError} DATASET_TOO_LARGE
   */
  readTable(parquetFile: string, columns?: readonly string[]): Promise<Table>;
  close(): void;
}
