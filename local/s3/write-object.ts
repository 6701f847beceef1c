import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AwsServiceError } from '../aws/service-error.ts';
import { elements, elementText, toXml, type XmlValue } from '../aws/xml.ts';
import type { ObjectRecord, WriteCondition } from './object-record.ts';
import { receiveBody } from './receive-body.ts';
import {
  header,
  parseTarget,
  readXml,
  requireObject,
  type S3Request,
  sendEmpty,
  sendXml,
  storedHeaders,
} from './s3-request.ts';

export function writeCondition(request: S3Request): WriteCondition {
  const ifNoneMatch = header(request, 'if-none-match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw new AwsServiceError('NotImplemented', 'If-None-Match on a write accepts only *', 501);
  }
  const ifMatch = header(request, 'if-match');
  return {
    ...(ifNoneMatch === undefined ? {} : { mustNotExist: true }),
    ...(ifMatch === undefined ? {} : { mustMatchEtag: ifMatch.replaceAll('"', '') }),
  };
}

export async function putObject(request: S3Request): Promise<void> {
  await requireObject(request, 'PutObject');
  const condition = writeCondition(request);
  const body = await receiveBody(request);
  const record = await orRemove(body.file, () =>
    request.store.put(
      {
        bucket: request.bucket,
        key: request.key,
        stagedFile: body.file,
        bytes: body.bytes,
        etag: body.md5,
        headers: storedHeaders(request),
        checksum: body.checksum,
      },
      condition,
    ),
  );
  sendEmpty(request, 200, writtenHeaders(record));
}

/** CopyObject: the source is read, the target written, and the caller needs the right to both. */
export async function copyObject(request: S3Request): Promise<void> {
  await requireObject(request, 'PutObject');
  const condition = writeCondition(request);
  const source = await findCopySource(request);
  const staged = join(request.store.stagingDirectory, randomUUID());
  await copyFile(source.file, staged, constants.COPYFILE_FICLONE);
  const replace = header(request, 'x-amz-metadata-directive') === 'REPLACE';
  const record = await orRemove(staged, () =>
    request.store.put(
      {
        bucket: request.bucket,
        key: request.key,
        stagedFile: staged,
        bytes: source.bytes,
        etag: source.etag,
        headers: replace ? storedHeaders(request) : source.headers,
        checksum: source.checksum,
      },
      condition,
    ),
  );
  sendXml(
    request,
    toXml('CopyObjectResult', {
      ETag: `"${record.etag}"`,
      LastModified: new Date(record.modifiedMs).toISOString(),
    }),
    record.versionId === 'null' ? {} : { 'x-amz-version-id': record.versionId },
  );
}

async function findCopySource(request: S3Request): Promise<ObjectRecord> {
  const text = header(request, 'x-amz-copy-source') ?? '';
  const { bucket, key, query } = parseTarget(text.startsWith('/') ? text : `/${text}`);
  const versionId = query.get('versionId');
  await requireObject(
    { ...request, bucket },
    versionId === undefined ? 'GetObject' : 'GetObjectVersion',
    key,
  );
  const record =
    versionId === undefined
      ? request.store.latest(bucket, key)
      : request.store.version(bucket, key, versionId);
  if (record === undefined || record.isDeleteMarker) {
    throw new AwsServiceError('NoSuchKey', 'The specified key does not exist.', 404);
  }
  return record;
}

export async function deleteObject(request: S3Request): Promise<void> {
  const versionId = request.query.get('versionId');
  await requireObject(request, versionId === undefined ? 'DeleteObject' : 'DeleteObjectVersion');
  sendEmpty(request, 204, deletedHeaders(remove(request, request.key, versionId), versionId));
}

function remove(request: S3Request, key: string, versionId: string | undefined): ObjectRecord | undefined {
  return versionId === undefined
    ? request.store.delete(request.bucket, key)
    : request.store.deleteVersion(request.bucket, key, versionId);
}

function deletedHeaders(
  record: ObjectRecord | undefined,
  versionId: string | undefined,
): Record<string, string> {
  const marker = record?.isDeleteMarker === true;
  const id = versionId ?? record?.versionId;
  return {
    ...(marker ? { 'x-amz-delete-marker': 'true' } : {}),
    ...(id === undefined ? {} : { 'x-amz-version-id': id }),
  };
}

/** DeleteObjects: each key is authorized by itself, and fails by itself. */
export async function deleteObjects(request: S3Request): Promise<void> {
  const xml = await readXml(request);
  verifyBody(request, xml);
  const quiet = elementText(xml, 'Quiet') === 'true';
  const objects = elements(xml, 'Object').map((object) => ({
    key: elementText(object, 'Key') ?? '',
    versionId: elementText(object, 'VersionId'),
  }));
  if (objects.length === 0 || objects.length > 1000) {
    throw new AwsServiceError('MalformedXML', 'The XML you provided must name 1 to 1,000 objects');
  }
  const deleted: XmlValue[] = [];
  const errors: XmlValue[] = [];
  for (const { key, versionId } of objects) {
    try {
      await requireObject(request, versionId === undefined ? 'DeleteObject' : 'DeleteObjectVersion', key);
      const record = remove(request, key, versionId);
      deleted.push({
        Key: key,
        VersionId: versionId,
        DeleteMarker: record?.isDeleteMarker === true ? true : undefined,
      });
    } catch (error) {
      const failure =
        error instanceof AwsServiceError ? error : new AwsServiceError('InternalError', String(error), 500);
      errors.push({ Key: key, VersionId: versionId, Code: failure.code, Message: failure.message });
    }
  }
  sendXml(request, toXml('DeleteResult', { Deleted: quiet ? [] : deleted, Error: errors }));
}

function verifyBody(request: S3Request, xml: string): void {
  const { payloadHash } = request;
  if (payloadHash !== undefined && /^[0-9a-f]{64}$/.test(payloadHash)) {
    if (createHash('sha256').update(xml).digest('hex') !== payloadHash) {
      throw new AwsServiceError('XAmzContentSHA256Mismatch', 'The body does not match x-amz-content-sha256.');
    }
  }
}

export function writtenHeaders(record: ObjectRecord): Record<string, string> {
  return {
    etag: `"${record.etag}"`,
    ...(record.versionId === 'null' ? {} : { 'x-amz-version-id': record.versionId }),
    ...(record.checksum === undefined
      ? {}
      : { [`x-amz-checksum-${record.checksum.algorithm}`]: record.checksum.value }),
  };
}

/** A staged file that did not become an object must not stay behind. */
export async function orRemove<T>(file: string, work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}
