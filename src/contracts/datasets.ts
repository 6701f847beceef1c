import { z } from 'zod';
import { DatasetId, JobId, Timestamp } from './names.ts';
import { UploadLink } from './upload-link.ts';

/** Largest inline body of a dataset, in bytes of its CSV text or of its rows as JSON. */
export const maxInlineBytes = 4 * 1024 * 1024;
/** Largest upload by a presigned link, in bytes. */
export const maxUploadBytes = 2 * 1024 * 1024 * 1024;

/** Most columns of a dataset: the features of a training and its target. */
export const maxColumns = 2_001;

/** Texts that stand for a missing value in CSV, when it is ingested as when it is predicted for. */
export const missingTexts: readonly string[] = [
  '',
  '?',
  'NA',
  'N/A',
  'n/a',
  'nan',
  'NaN',
  'NAN',
  'null',
  'NULL',
  'None',
];

export const DataFormat = z.enum(['csv', 'jsonl', 'parquet']).meta({ id: 'DataFormat' });
export type DataFormat = z.infer<typeof DataFormat>;

const CellValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const Label = z.string().min(1).max(200).describe('A name for people; not unique');

const InlineRows = z.strictObject({
  name: Label.optional(),
  rows: z.array(z.record(z.string(), CellValue)).min(1).describe('One object a row'),
});

const InlineCsv = z.strictObject({
  name: Label.optional(),
  csv: z.string().min(1).describe('CSV text with a header line'),
  delimiter: z.enum([',', ';', '\t', '|']).optional().describe('Found by itself when left out'),
});

const UploadRequest = z.strictObject({
  name: Label.optional(),
  upload: z.strictObject({
    format: DataFormat,
    compression: z.enum(['none', 'gzip']).default('none'),
    size_bytes: z
      .int()
      .min(1)
      .max(maxUploadBytes)
      .describe('Exact size of the file; the link accepts no other'),
    delimiter: z.enum([',', ';', '\t', '|']).optional(),
  }),
});

/** Rows, CSV text, or a request for a presigned upload. */
export const DatasetRequest = z.union([InlineRows, InlineCsv, UploadRequest]).meta({ id: 'DatasetRequest' });
export type DatasetRequest = z.infer<typeof DatasetRequest>;

export const DatasetColumn = z
  .object({
    name: z.string(),
    type: z.enum(['number', 'boolean', 'date', 'category']),
    n_missing: z.int(),
    n_distinct: z.int().describe('Estimated above a million rows'),
    min: CellValue.optional(),
    max: CellValue.optional(),
    mean: z.number().optional(),
    std: z.number().optional(),
    top: z
      .array(z.object({ value: z.string(), count: z.int() }))
      .optional()
      .describe('The most frequent categories'),
  })
  .meta({ id: 'DatasetColumn' });
export type DatasetColumn = z.infer<typeof DatasetColumn>;

/** An immutable dataset version. */
export const Dataset = z
  .object({
    dataset_id: DatasetId,
    name: z.string().optional(),
    n_rows: z.int(),
    n_columns: z.int(),
    columns: z.array(DatasetColumn),
    format: DataFormat,
    source_bytes: z.int(),
    parquet_bytes: z.int(),
    parquet_sha256: z.string(),
    created_at: Timestamp,
  })
  .meta({ id: 'Dataset' });
export type Dataset = z.infer<typeof Dataset>;

export const DatasetUpload = UploadLink.meta({ id: 'DatasetUpload' });
export type DatasetUpload = z.infer<typeof DatasetUpload>;

export const DatasetCreated = z.union([Dataset, DatasetUpload]).meta({ id: 'DatasetCreated' });

export const DatasetUploadCompleted = z
  .object({ job_id: JobId, status: z.literal('queued') })
  .meta({ id: 'DatasetUploadCompleted' });

export const DatasetSummary = Dataset.omit({ columns: true }).meta({ id: 'DatasetSummary' });
export type DatasetSummary = z.infer<typeof DatasetSummary>;

export const DatasetList = z
  .object({ items: z.array(DatasetSummary), next_cursor: z.string().optional() })
  .meta({ id: 'DatasetList' });
