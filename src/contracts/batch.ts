import { z } from 'zod';
import { maxColumns } from './datasets.ts';
import { DatasetId, ModelName, VersionName } from './names.ts';

/** Columns that scoring adds; no column of the dataset with such a name can be copied beside them. */
export const resultColumns = ['prediction', 'confidence', 'probabilities', 'prediction_error'] as const;

/** Scores a dataset. */
export const BatchPredictRequest = z
  .strictObject({
    model_name: ModelName,
    version: VersionName.optional().describe('Any name of a version; the champion when left out'),
    dataset_id: DatasetId,
    format: z.enum(['parquet', 'csv']).default('parquet'),
    include_columns: z
      .union([z.literal('all'), z.array(z.string().min(1)).max(maxColumns)])
      .default([])
      .describe('Columns of the dataset to copy beside the predictions, such as an id; none when left out'),
    probabilities: z
      .boolean()
      .default(false)
      .describe('Adds one list a row, ordered as the classes of the version; classification only'),
  })
  .meta({ id: 'BatchPredictRequest' });
export type BatchPredictRequest = z.infer<typeof BatchPredictRequest>;
