import type { z } from 'zod';
import type { BatchPredictRequest } from '../contracts/batch.ts';
import type { DatasetId } from '../contracts/names.ts';
import type { Job } from '../contracts/training.ts';
import { Connection, type ConnectionOptions, modelNameOf } from './connection.ts';
import { type DataSource, datasetOf, isSource } from './data-processor.ts';
import { downloadFile } from './download-file.ts';
import { asPrediction } from './failing-as.ts';
import { followJob } from './follow-job.ts';
import { given } from './given.ts';
import { type OnProgress, progressTo } from './progress.ts';
import { rowsOf, type TableInput } from './rows.ts';
import { createDatasetOfRows } from './upload-dataset.ts';

export interface BatchPredictOptions {
  readonly modelId: string;
  /** Rows by feature name, a dataset, or a file of any size. */
  readonly inputData: TableInput | DataSource;
  /** Where the result is written. @default - nowhere: its link is in the answer */
  readonly outputPath?: string;
  /** @default - csv when the path ends in .csv, else parquet */
  readonly format?: 'csv' | 'parquet';
  /** Any name of a version. @default - the one that serves */
  readonly version?: string;
  /** Columns that are copied beside the predictions. @default - none */
  readonly includeColumns?: readonly string[] | 'all';
  /** Adds a list a row, in the order of the classes. @default false */
  readonly probabilities?: boolean;
  readonly tenantId?: string;
  readonly onProgress?: OnProgress;
}

/** What a batch left: as many rows as the input had, in its order. */
export interface BatchPrediction {
  readonly job_id: string;
  readonly model_id: string;
  /** The version that scored all rows. */
  readonly model_version: string;
  readonly dataset_id: string;
  readonly n_rows: number;
  /** Rows with a value that is not of the type of its feature: `prediction_error` says so. */
  readonly n_failed_rows: number;
  readonly format: 'csv' | 'parquet';
  readonly bytes: number;
  readonly sha256: string;
  /** A link that needs no token, until `expires_at`. */
  readonly url: string;
  readonly expires_at: string | undefined;
  /** The file that was written, where one was asked for. */
  readonly output_path?: string;
}

/** Scores datasets of any size: a job of the platform reads them, and leaves one file. */
export class BatchPredictor {
  readonly #connection: Connection;

  constructor(connection: ConnectionOptions | Connection = {}) {
    this.#connection = Connection.of(connection);
  }

  /**
   * @throws {ModelNotFoundError} when there is no such model, or no version of it is deployed
   * @throws {ValidationError} when the rows are none, or the file is
   * @throws {PredictionError} when the dataset lacks features, or the job does not complete; its code says why
   * @throws {DownloadError} when the result cannot be fetched or written
   * @throws {ApiError} when the caller may not, or the platform is busy or fails
   */
  async predict(options: BatchPredictOptions): Promise<BatchPrediction> {
    await this.#connection.requireTenant(options.tenantId);
    const job = await asPrediction(() => this.#scored(options));
    const result = job.result!;
    const { outputPath } = options;
    if (outputPath !== undefined) await downloadFile(result.url!, outputPath, result.sha256);
    return {
      ...{ job_id: job.job_id, model_id: job.model_name!, model_version: job.model_version! },
      ...{ dataset_id: job.dataset_id!, n_rows: result.n_rows, n_failed_rows: result.n_failed_rows },
      ...{ format: result.format as BatchPrediction['format'], bytes: result.bytes, sha256: result.sha256 },
      ...{ url: result.url!, expires_at: result.expires_at },
      ...(outputPath === undefined ? {} : { output_path: outputPath }),
    };
  }

  async #scored(options: BatchPredictOptions): Promise<Job> {
    const { client } = this.#connection;
    const { modelId, version, includeColumns, probabilities, outputPath, onProgress } = options;
    const model_name = modelNameOf(modelId);
    const dataset_id = await this.#dataset(options);
    const format = options.format ?? (outputPath?.toLowerCase().endsWith('.csv') ? 'csv' : 'parquet');
    const include_columns = typeof includeColumns === 'object' ? [...includeColumns] : includeColumns;
    const body: z.input<typeof BatchPredictRequest> = {
      ...{ model_name, dataset_id, format },
      ...given({ version, include_columns, probabilities }),
    };
    const { job_id } = (await client.call('batchPredict', { body })) as Job;
    return followJob(client, job_id, progressTo(onProgress));
  }

  #dataset({ modelId, inputData, onProgress }: BatchPredictOptions): Promise<DatasetId> {
    if (isSource(inputData)) return datasetOf(this.#connection, inputData, onProgress);
    const progress = progressTo(onProgress);
    return createDatasetOfRows(this.#connection.client, rowsOf(inputData), { name: modelId, progress });
  }
}
