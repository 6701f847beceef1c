import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AwsServiceError } from '../aws/service-error.ts';
import { elements, elementText, toXml } from '../aws/xml.ts';
import { receiveBody } from './receive-body.ts';
import { readXml, requireObject, type S3Request, sendEmpty, sendXml, storedHeaders } from './s3-request.ts';
import { orRemove, writeCondition, writtenHeaders } from './write-object.ts';

interface Part {
  readonly number: number;
  readonly etag: string;
  readonly bytes: number;
  readonly file: string;
}

const MIN_PART_BYTES = 5 * 1024 * 1024;

export async function createMultipartUpload(request: S3Request): Promise<void> {
  await requireObject(request, 'PutObject');
  const uploadId = randomBytes(24).toString('base64url');
  request.store.run('INSERT INTO uploads VALUES (?, ?, ?, ?, ?)', [
    uploadId,
    request.bucket,
    request.key,
    JSON.stringify(storedHeaders(request)),
    Date.now(),
  ]);
  sendXml(
    request,
    toXml('InitiateMultipartUploadResult', { Bucket: request.bucket, Key: request.key, UploadId: uploadId }),
  );
}

export async function uploadPart(request: S3Request): Promise<void> {
  await requireObject(request, 'PutObject');
  const uploadId = request.query.get('uploadId') ?? '';
  const number = Number(request.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw new AwsServiceError(
      'InvalidArgument',
      'Part number must be an integer between 1 and 10000, inclusive',
    );
  }
  findUpload(request, uploadId);
  const body = await receiveBody(request);
  // The upload may have been completed or aborted while the body travelled.
  const file = await orRemove(body.file, () => {
    findUpload(request, uploadId);
    return request.store.adopt(body.file);
  });
  const [replaced] = partsOf(request, uploadId).filter((part) => part.number === number);
  request.store.run('INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?)', [
    uploadId,
    number,
    body.md5,
    body.bytes,
    file,
  ]);
  if (replaced !== undefined) {
    await rm(replaced.file, { force: true });
  }
  sendEmpty(request, 200, {
    etag: `"${body.md5}"`,
    ...(body.checksum === undefined
      ? {}
      : { [`x-amz-checksum-${body.checksum.algorithm}`]: body.checksum.value }),
  });
}

export async function completeMultipartUpload(request: S3Request): Promise<void> {
  await requireObject(request, 'PutObject');
  const uploadId = request.query.get('uploadId') ?? '';
  const headers = findUpload(request, uploadId);
  const parts = chosenParts(request, uploadId, await readXml(request));
  const staged = join(request.store.stagingDirectory, randomUUID());
  try {
    for (const part of parts) {
      await pipeline(createReadStream(part.file), createWriteStream(staged, { flags: 'a' }));
    }
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
  const digest = createHash('md5');
  for (const part of parts) {
    digest.update(Buffer.from(part.etag, 'hex'));
  }
  const record = await orRemove(staged, () => {
    findUpload(request, uploadId);
    return request.store.put(
      {
        bucket: request.bucket,
        key: request.key,
        stagedFile: staged,
        bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
        etag: `${digest.digest('hex')}-${parts.length}`,
        headers,
        checksum: undefined,
      },
      writeCondition(request),
    );
  });
  await forget(request, uploadId);
  const { etag: _, ...versionHeaders } = writtenHeaders(record);
  sendXml(
    request,
    toXml('CompleteMultipartUploadResult', {
      Location: `/${request.bucket}/${request.key}`,
      Bucket: request.bucket,
      Key: request.key,
      ETag: `"${record.etag}"`,
    }),
    versionHeaders,
  );
}

export async function abortMultipartUpload(request: S3Request): Promise<void> {
  await requireObject(request, 'AbortMultipartUpload');
  const uploadId = request.query.get('uploadId') ?? '';
  findUpload(request, uploadId);
  await forget(request, uploadId);
  sendEmpty(request, 204);
}

/** The stored headers of an upload that belongs to this very key. */
function findUpload(request: S3Request, uploadId: string): Record<string, string> {
  const row = request.store.row(
    'SELECT headers FROM uploads WHERE upload_id = ? AND bucket = ? AND key = ?',
    [uploadId, request.bucket, request.key],
  );
  if (row === undefined) {
    throw new AwsServiceError('NoSuchUpload', 'The specified multipart upload does not exist.', 404);
  }
  return JSON.parse(String(row.headers)) as Record<string, string>;
}

function partsOf(request: S3Request, uploadId: string): Part[] {
  return request.store
    .rows('SELECT * FROM parts WHERE upload_id = ? ORDER BY number', [uploadId])
    .map((row) => ({
      number: Number(row.number),
      etag: String(row.etag),
      bytes: Number(row.bytes),
      file: String(row.file),
    }));
}

function chosenParts(request: S3Request, uploadId: string, xml: string): Part[] {
  const uploaded = new Map(partsOf(request, uploadId).map((part) => [part.number, part]));
  let previous = 0;
  const chosen = elements(xml, 'Part').map((element) => {
    const number = Number(elementText(element, 'PartNumber'));
    const part = uploaded.get(number);
    if (part === undefined || part.etag !== elementText(element, 'ETag')?.replaceAll('"', '')) {
      throw new AwsServiceError('InvalidPart', 'One or more of the specified parts could not be found.');
    }
    if (number <= previous) {
      throw new AwsServiceError('InvalidPartOrder', 'The list of parts was not in ascending order.');
    }
    previous = number;
    return part;
  });
  if (chosen.length === 0) {
    throw new AwsServiceError('MalformedXML', 'The XML you provided names no part');
  }
  if (chosen.slice(0, -1).some((part) => part.bytes < MIN_PART_BYTES)) {
    throw new AwsServiceError(
      'EntityTooSmall',
      'Your proposed upload is smaller than the minimum allowed size',
    );
  }
  return chosen;
}

async function forget(request: S3Request, uploadId: string): Promise<void> {
  const parts = partsOf(request, uploadId);
  request.store.run('DELETE FROM parts WHERE upload_id = ?', [uploadId]);
  request.store.run('DELETE FROM uploads WHERE upload_id = ?', [uploadId]);
  await Promise.all(parts.map((part) => rm(part.file, { force: true })));
}
