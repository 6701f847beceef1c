import type { Table } from '../../ml/table.ts';
import type { RowRange } from './parts.ts';
import type { ResultShape, ScoredRows } from './scored-rows.ts';

/** Rows of a stored dataset. */
export interface SourceRows {
  readonly parquetFile: string;
  readonly range: RowRange;
}

/** Reads datasets and writes results, in local files of one folder. */
export interface BatchEngine {
  /** @returns the rows in file order, in tables of at most so many rows, with these columns */
  tables(source: SourceRows, columns: readonly string[], rowsAtOnce: number): AsyncIterable<Table>;
  /**
   * Writes one part: columns of the dataset, then what was predicted for the same rows.
   * @param copied columns of the dataset, or all
   * @param scored as many rows as the range has, in its order
   */
  writePart(
    source: SourceRows,
    copied: 'all' | readonly string[],
    shape: ResultShape,
    scored: AsyncIterable<ScoredRows>,
    partFile: string,
  ): Promise<void>;
  /** Joins parts to one file, in the order given. @returns what it counted in them */
  assemble(
    partFiles: readonly string[],
    format: 'parquet' | 'csv',
    resultFile: string,
  ): Promise<{ nRows: number; nFailedRows: number }>;
  close(): void;
}
