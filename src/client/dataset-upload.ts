import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DataFormat, DatasetUpload } from '../contracts/datasets.ts';

export interface FileFormat {
  readonly format: DataFormat;
  readonly compression: 'none' | 'gzip';
  readonly delimiter?: '\t' | undefined;
}

/** @returns what a file is, by its name; `undefined` when the name does not say */
export function formatOf(file: string): FileFormat | undefined {
  const name = file.toLowerCase();
  const compression = name.endsWith('.gz') ? 'gzip' : 'none';
  const extension = /\.([a-z]+)(\.gz)?$/.exec(name)?.[1];
  if (extension === 'csv') return { format: 'csv', compression };
  if (extension === 'tsv') return { format: 'csv', compression, delimiter: '\t' };
  if (extension === 'jsonl' || extension === 'ndjson') return { format: 'jsonl', compression };
  if (extension === 'parquet' && compression === 'none') return { format: 'parquet', compression };
  return undefined;
}

type Link = Pick<DatasetUpload, 'url' | 'method' | 'headers'>;

/** Sends a file to a presigned link. @param onSent hears of the bytes sent so far */
export async function sendFile(file: string, upload: Link, onSent: (bytes: number) => void): Promise<void> {
  const { size } = await stat(file);
  await sendBytes(createReadStream(file), size, upload, onSent);
}

/** Sends so many bytes to a presigned link. @param onSent hears of the bytes sent so far */
export async function sendBytes(
  source: Readable,
  size: number,
  upload: Link,
  onSent: (bytes: number) => void,
): Promise<void> {
  const url = new URL(upload.url);
  let sent = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      onSent(sent);
      done(null, chunk);
    },
  });
  const answered = Promise.withResolvers<number>();
  const outgoing = (url.protocol === 'https:' ? httpsRequest : httpRequest)(
    url,
    { method: upload.method, headers: { ...upload.headers, 'content-length': String(size) } },
    (response) => {
      response.resume();
      response.on('end', () => answered.resolve(response.statusCode ?? 0));
      response.on('error', answered.reject);
    },
  );
  outgoing.on('error', answered.reject);
  await Promise.all([pipeline(source, counter, outgoing), answered.promise]);
  const status = await answered.promise;
  if (status >= 300) throw new Error(`the upload was refused with status ${status}; start again`);
}
