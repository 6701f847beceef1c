import { z } from 'zod';
import { Timestamp } from './names.ts';

/** How far a batch prediction is. */
export const BatchRows = z
  .object({ done: z.int(), total: z.int() })
  .describe('Of a batch prediction: rows scored so far')
  .meta({ id: 'BatchRows' });

/** What a batch prediction left; the link is made when the job is read. */
export const BatchResult = z
  .object({
    url: z.string().optional().describe('Presigned; in the answer for one job, while the file is kept'),
    expires_at: Timestamp.optional().describe('When the link ends; read the job again for another'),
    kept_until: Timestamp.describe('When the file goes'),
    format: z.enum(['parquet', 'csv', 'json']),
    bytes: z.int(),
    sha256: z.string(),
    n_rows: z.int(),
    n_failed_rows: z.int().describe('Rows with a value that is not of the type of its feature'),
  })
  .meta({ id: 'BatchResult' });
export type BatchResult = z.infer<typeof BatchResult>;
