import { stat } from 'node:fs/promises';
import { type FileFormat, sendFile } from '../client/dataset-upload.ts';
import type { HttpClient } from '../client/http-client.ts';
import type { DatasetUpload } from '../contracts/datasets.ts';
import type { DatasetId, JobId } from '../contracts/names.ts';
import { UsageError } from './exit-code.ts';
import { followJob } from './follow-job.ts';
import type { ProgressBar } from './output.ts';

/** Uploads a file as it is and waits for its ingest. @returns the id of the dataset */
export async function uploadDataset(
  client: HttpClient,
  file: string,
  format: FileFormat,
  bar: ProgressBar,
): Promise<DatasetId> {
  const info = await stat(file).catch(() => undefined);
  if (info?.isFile() !== true) throw new UsageError(`${file}: no such file`);
  if (info.size === 0) throw new UsageError(`${file}: the file is empty`);
  const upload = (await client.call('createDataset', {
    body: { name: file.split(/[\\/]/).at(-1)!.slice(0, 200), upload: { ...format, size_bytes: info.size } },
  })) as DatasetUpload;
  await sendFile(file, upload, (bytes) => bar.update('upload', bytes / info.size));
  const { job_id } = await client.call('completeUpload', { params: { upload_id: upload.upload_id } });
  const job = await followJob(client, job_id as JobId, bar);
  return job.dataset_id as DatasetId;
}
