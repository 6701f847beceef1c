import { z } from 'zod';
import { Timestamp, UploadId } from './names.ts';

/** Where a file is put, and what to call then. */
export const UploadLink = z.object({
  upload_id: UploadId,
  url: z.string(),
  method: z.literal('PUT'),
  headers: z.record(z.string(), z.string()),
  expires_at: Timestamp,
  complete_path: z.string().describe('POST here when the file is up'),
});
