import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Dataset, type DatasetUpload, maxInlineBytes } from '../contracts/datasets.ts';
import type { DatasetId, JobId } from '../contracts/names.ts';
import { ValidationError } from '../errors.ts';
import { type FileFormat, formatOf, sendBytes, sendFile } from './dataset-upload.ts';
import { followJob } from './follow-job.ts';
import type { HttpClient } from './http-client.ts';
import type { Progress } from './progress.ts';
import type { Row } from './rows.ts';

/** @returns the format of a file by its name @throws {ValidationError} when the name does not say it */
export function datasetFormatOf(file: string): FileFormat {
  const format = formatOf(file);
  if (format !== undefined) return format;
  throw new ValidationError(
    `${file}: the name must end in .csv, .tsv, .jsonl or .ndjson (each also with .gz), or in .parquet`,
    { code: 'UNSUPPORTED_DATA_FORMAT' },
  );
}

/**
 * Uploads a file as it is and waits for its ingest.
 * @returns the id of the dataset
 * @throws {ValidationError} when there is no such file, or nothing in it
 * @throws {JobFailedError} when it cannot be read as a table
 */
export async function uploadDataset(
  client: HttpClient,
  file: string,
  format: FileFormat,
  progress?: Progress,
): Promise<DatasetId> {
  const info = await stat(file).catch(() => undefined);
  if (info?.isFile() !== true) throw new ValidationError(`${file}: no such file`, { code: 'FILE_NOT_FOUND' });
  if (info.size === 0) throw new ValidationError(`${file}: the file is empty`, { code: 'EMPTY_DATASET' });
  const name = file.split(/[\\/]/).at(-1)!.slice(0, 200);
  return uploaded(client, { name, format, bytes: info.size }, progress, (upload, onSent) =>
    sendFile(file, upload, onSent),
  );
}

/**
 * Makes a dataset of rows: inline, or by an upload when they are more than a request may hold.
 * @throws {ValidationError} when there are none
 */
export async function createDatasetOfRows(
  client: HttpClient,
  rows: readonly Row[],
  { name, progress }: { name?: string; progress?: Progress | undefined } = {},
): Promise<DatasetId> {
  if (rows.length === 0)
    throw new ValidationError('the data has no rows; give at least one', { code: 'EMPTY_DATASET' });
  const label = name === undefined ? {} : { name: name.slice(0, 200) };
  const lines = jsonLines(rows);
  const bytes = lines.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  if (bytes <= maxInlineBytes) {
    const made = await client.call('createDataset', { body: { ...label, rows: [...rows] } });
    return (made as Dataset).dataset_id;
  }
  const format = { format: 'jsonl', compression: 'none' } as const;
  return uploaded(client, { ...label, format, bytes }, progress, (upload, onSent) =>
    sendBytes(Readable.from(lines), bytes, upload, onSent),
  );
}

const rowsOfChunk = 1_000;

/** In pieces: all of it may be longer than a text can be. */
function jsonLines(rows: readonly Row[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let start = 0; start < rows.length; start += rowsOfChunk) {
    const lines = rows.slice(start, start + rowsOfChunk).map((row) => `${JSON.stringify(row)}\n`);
    chunks.push(Buffer.from(lines.join('')));
  }
  return chunks;
}

type Send = (upload: DatasetUpload, onSent: (bytes: number) => void) => Promise<void>;

async function uploaded(
  client: HttpClient,
  { name, format, bytes }: { name?: string; format: FileFormat; bytes: number },
  progress: Progress | undefined,
  send: Send,
): Promise<DatasetId> {
  const upload = (await client.call('createDataset', {
    body: { ...(name === undefined ? {} : { name }), upload: { ...format, size_bytes: bytes } },
  })) as DatasetUpload;
  await send(upload, (sent) => progress?.update('upload', sent / bytes));
  const { job_id } = await client.call('completeUpload', { params: { upload_id: upload.upload_id } });
  const job = await followJob(client, job_id as JobId, progress);
  return job.dataset_id as DatasetId;
}
