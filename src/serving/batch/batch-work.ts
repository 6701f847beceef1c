import type { DatasetId, ModelName } from '../../contracts/names.ts';

/** What a batch job works from: the request of a caller, or rows that a predict call left for it. */
export interface BatchWork {
  readonly model_name: ModelName;
  /** Any name of a version; the champion when left out. */
  readonly version?: string | undefined;
  /** Left out where the rows came with the request: they are kept under the job's own key. */
  readonly dataset_id?: DatasetId;
  readonly format: 'parquet' | 'csv' | 'json';
  readonly include_columns: 'all' | readonly string[];
  readonly probabilities: boolean;
}
