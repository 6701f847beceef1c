import { createHash } from 'node:crypto';
import type { Dataset } from '../contracts/datasets.ts';
import type { DatasetId } from '../contracts/names.ts';
import { ValidationError } from '../errors.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { type OnProgress, progressTo } from './progress.ts';
import { type Cell, type Row, rowsOf, type TableInput } from './rows.ts';
import { createDatasetOfRows, datasetFormatOf, uploadDataset } from './upload-dataset.ts';

/** A dataset of the platform, or a file of this machine: .csv, .tsv, .jsonl, .ndjson (each also .gz) or .parquet. */
export type DataSource = { readonly datasetId: string } | { readonly file: string };

export interface SplitOptions {
  /** Share of the test part, above 0 and below 1. @default 0.2 */
  readonly testSize?: number;
  /** Seed: equal ones draw equal rows. @default 42 */
  readonly randomState?: number;
  /** Keeps the classes of `y` in proportion. @default false */
  readonly stratify?: boolean;
}

/**
 * Tables on their way to the platform. What a model makes of them (imputing, scaling, encoding) is fitted by the training,
 * and inside the model that it leaves.
 */
export class DataProcessor {
  readonly #connection: Connection;

  constructor(connection: ConnectionOptions | Connection = {}) {
    this.#connection = Connection.of(connection);
  }

  /**
   * @returns rows by column name, of records, a matrix (whose columns become `x0`, `x1`, …) or columns
   * @throws {ValidationError}
   */
  toRows(table: TableInput): Row[] {
    return rowsOf(table);
  }

  /**
   * Divides a table and its labels at random, in the order of scikit-learn's `train_test_split`.
   * @param y one label a row
   * @throws {ValidationError} when lengths differ or a part would be empty
   */
  trainTestSplit<Label extends Cell>(
    X: TableInput,
    y: ArrayLike<Label>,
    { testSize = 0.2, randomState = 42, stratify = false }: SplitOptions = {},
  ): { XTrain: Row[]; XTest: Row[]; yTrain: Label[]; yTest: Label[] } {
    const rows = rowsOf(X);
    if (rows.length !== y.length)
      throw new ValidationError(`X has ${rows.length} rows and y ${y.length} labels; give one label a row`);
    if (!(testSize > 0 && testSize < 1))
      throw new ValidationError(`testSize=${testSize} must be above 0 and below 1; 0.2 is usual`);
    const strata = stratify
      ? Object.values(Object.groupBy(rows.keys(), (i) => String(y[i])))
      : [[...rows.keys()]];
    const test = new Set(
      strata.flatMap((members = []) =>
        shuffled(members, randomState).slice(0, Math.round(members.length * testSize)),
      ),
    );
    const part = (isTest: boolean) => [...rows.keys()].filter((i) => test.has(i) === isTest);
    const [trainRows, testRows] = [part(false), part(true)];
    if (trainRows.length === 0 || testRows.length === 0)
      throw new ValidationError(
        `testSize=${testSize} of ${rows.length} rows leaves the ${testRows.length === 0 ? 'test' : 'train'} part empty; give more rows`,
      );
    const [rowAt, labelAt] = [(i: number) => rows[i]!, (i: number) => y[i]!];
    return {
      ...{ XTrain: trainRows.map(rowAt), XTest: testRows.map(rowAt) },
      ...{ yTrain: trainRows.map(labelAt), yTest: testRows.map(labelAt) },
    };
  }

  /**
   * Makes a dataset of a table or a file; the same data is the same dataset.
   * @returns its schema, and a profile of each column
   * @throws {ValidationError}
   * @throws {ApiError}
   */
  async createDataset(
    data: TableInput | { readonly file: string },
    { name, onProgress, tenantId }: { name?: string; onProgress?: OnProgress; tenantId?: string } = {},
  ): Promise<Dataset> {
    await this.#connection.requireTenant(tenantId);
    const { client } = this.#connection;
    const progress = progressTo(onProgress);
    const id = isSource(data)
      ? await datasetOf(this.#connection, data, onProgress)
      : await createDatasetOfRows(client, rowsOf(data), {
          ...(name === undefined ? {} : { name }),
          progress,
        });
    return this.getDataset(id);
  }

  /** @returns the schema of a dataset, and a profile of each column @throws {ApiError} */
  async getDataset(datasetId: string): Promise<Dataset> {
    const params = { dataset_id: datasetId as DatasetId };
    return this.#connection.client.call('getDataset', { params });
  }
}

/** Whether it names data, and is none: lists of one column are data. */
export function isSource(data: unknown): data is DataSource {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return false;
  const { datasetId, file } = data as { datasetId?: unknown; file?: unknown };
  return Object.keys(data).length === 1 && (typeof datasetId === 'string' || typeof file === 'string');
}

/** @returns the dataset that is named, or that a file becomes */
export async function datasetOf(
  { client }: Connection,
  source: DataSource,
  onProgress?: OnProgress,
): Promise<DatasetId> {
  if ('datasetId' in source) return source.datasetId as DatasetId;
  return uploadDataset(client, source.file, datasetFormatOf(source.file), progressTo(onProgress));
}

/** In an order that the seed alone decides. */
function shuffled(rows: readonly number[], seed: number): number[] {
  const keyOf = (row: number) => createHash('sha256').update(`${seed}:${row}`).digest('hex');
  return rows
    .map((row) => [keyOf(row), row] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) => row);
}
