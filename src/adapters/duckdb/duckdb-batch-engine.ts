import {
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBInstance,
  type DuckDBType,
  type DuckDBValue,
  LIST,
  listValue,
  VARCHAR,
} from '@duckdb/node-api';
import type { Table } from '../../ml/table.ts';
import type { BatchEngine, SourceRows } from '../../serving/batch/batch-engine.ts';
import type { ResultShape, ResultType, ScoredRows } from '../../serving/batch/scored-rows.ts';
import { type DuckDbLimits, openConfined } from './confined-duckdb.ts';
import { tooLargeOr } from './refusals.ts';
import { identifier, literal } from './sql-text.ts';
import { tablesFrom } from './table-reader.ts';

const resultTypes: Readonly<Record<ResultType, DuckDBType>> = {
  number: DOUBLE,
  boolean: BOOLEAN,
  text: VARCHAR,
};
/** What a vector of DuckDB holds. */
const vectorRows = 2048;

interface ResultColumn {
  readonly name: string;
  readonly type: DuckDBType;
  readonly cell: (scored: ScoredRows, row: number) => DuckDBValue;
}

function columnsOf(shape: ResultShape): ResultColumn[] {
  return [
    {
      name: 'prediction',
      type: resultTypes[shape.prediction],
      cell: ({ prediction }, row) => prediction[row]!,
    },
    ...(shape.confidence
      ? [
          {
            name: 'confidence',
            type: DOUBLE,
            cell: (scored: ScoredRows, row: number) => scored.confidence![row]!,
          },
        ]
      : []),
    ...(shape.probabilities
      ? [
          {
            name: 'probabilities',
            type: LIST(DOUBLE),
            cell: (scored: ScoredRows, row: number) => {
              const values = scored.probabilities![row]!;
              return values === null ? null : listValue(values);
            },
          },
        ]
      : []),
    { name: 'prediction_error', type: VARCHAR, cell: ({ errors }, row) => errors[row]! },
  ];
}

/** DuckDB over the files of one folder. Two connections: rows are read by one while predictions go in by the other. */
export class DuckDbBatchEngine implements BatchEngine {
  readonly #instance: DuckDBInstance;
  readonly #reading: DuckDBConnection;
  readonly #writing: DuckDBConnection;

  private constructor(instance: DuckDBInstance, reading: DuckDBConnection, writing: DuckDBConnection) {
    this.#instance = instance;
    this.#reading = reading;
    this.#writing = writing;
  }

  static async open(folder: string, limits: DuckDbLimits): Promise<DuckDbBatchEngine> {
    const { instance, connection } = await openConfined(folder, limits);
    return new DuckDbBatchEngine(instance, connection, await instance.connect());
  }

  tables(
    { parquetFile, range }: SourceRows,
    columns: readonly string[],
    rowsAtOnce: number,
  ): AsyncIterable<Table> {
    return tablesFrom(this.#reading, parquetFile, { columns, range, rowsAtOnce });
  }

  async writePart(
    { parquetFile, range }: SourceRows,
    copied: 'all' | readonly string[],
    shape: ResultShape,
    scored: AsyncIterable<ScoredRows>,
    partFile: string,
  ): Promise<void> {
    const columns = columnsOf(shape);
    try {
      await this.#fill('scored', columns, scored);
      const ofDataset = copied === 'all' ? ['source.*'] : copied.map((name) => `source.${identifier(name)}`);
      const list = [...ofDataset, ...columns.map(({ name }) => `scored.${identifier(name)}`)].join(', ');
      const source = `SELECT * FROM read_parquet(${literal(parquetFile)}) LIMIT ${range.count} OFFSET ${range.from}`;
      const rows =
        ofDataset.length === 0
          ? `SELECT ${list} FROM scored`
          : `SELECT ${list} FROM (${source}) AS source POSITIONAL JOIN scored`;
      await this.#writing.run(`COPY (${rows}) TO ${literal(partFile)} (FORMAT parquet, COMPRESSION zstd)`);
    } catch (error) {
      throw tooLargeOr(error);
    }
  }

  async #fill(
    table: string,
    columns: readonly ResultColumn[],
    scored: AsyncIterable<ScoredRows>,
  ): Promise<void> {
    const definition = columns.map(({ name, type }) => `${identifier(name)} ${type.toString()}`).join(', ');
    await this.#writing.run(`CREATE OR REPLACE TABLE ${table} (${definition})`);
    const appender = await this.#writing.createAppender(table);
    try {
      const types = columns.map(({ type }) => type);
      for await (const rows of scored) {
        for (let from = 0; from < rows.nRows; from += vectorRows) {
          const count = Math.min(vectorRows, rows.nRows - from);
          const chunk = DuckDBDataChunk.create(types, count);
          for (const [i, { cell }] of columns.entries()) {
            chunk.setColumnValues(
              i,
              Array.from({ length: count }, (_, k) => cell(rows, from + k)),
            );
          }
          appender.appendDataChunk(chunk);
        }
      }
    } finally {
      appender.closeSync();
    }
  }

  async assemble(
    partFiles: readonly string[],
    format: 'parquet' | 'csv',
    resultFile: string,
  ): Promise<{ nRows: number; nFailedRows: number }> {
    const source = `read_parquet([${partFiles.map(literal).join(', ')}])`;
    try {
      const counted = await this.#reading.runAndReadAll(
        `SELECT count(*) AS n, count(prediction_error) AS failed FROM ${source}`,
      );
      const { n, failed } = counted.getRowObjectsJS()[0]!;
      const described = await this.#reading.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`);
      const hasLists = described
        .getRowObjectsJS()
        .some(
          ({ column_name, column_type }) => column_name === 'probabilities' && column_type === 'DOUBLE[]',
        );
      const rows =
        format === 'csv' && hasLists
          ? `SELECT * REPLACE (CAST(to_json(probabilities) AS VARCHAR) AS probabilities) FROM ${source}`
          : `SELECT * FROM ${source}`;
      const options = format === 'csv' ? 'FORMAT csv, HEADER' : 'FORMAT parquet, COMPRESSION zstd';
      await this.#reading.run(`COPY (${rows}) TO ${literal(resultFile)} (${options})`);
      return { nRows: Number(n), nFailedRows: Number(failed) };
    } catch (error) {
      throw tooLargeOr(error);
    }
  }

  close(): void {
    this.#writing.closeSync();
    this.#reading.closeSync();
    this.#instance.closeSync();
  }
}
