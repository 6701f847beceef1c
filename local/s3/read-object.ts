import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { AwsServiceError } from '../aws/service-error.ts';
import type { ObjectRecord } from './object-record.ts';
import { header, noSuchKey, requireObject, type S3Request } from './s3-request.ts';

/** GetObject and HeadObject. */
export async function readObject(request: S3Request): Promise<void> {
  const record = await find(request);
  const headers: Record<string, string> = {
    ...record.headers,
    etag: `"${record.etag}"`,
    'last-modified': new Date(record.modifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
  };
  if (record.versionId !== 'null') headers['x-amz-version-id'] = record.versionId;
  if (isNotModified(request, record)) {
    request.response.writeHead(304, headers).end();
    return;
  }
  for (const name of [
    'content-type',
    'content-disposition',
    'cache-control',
    'content-encoding',
    'content-language',
  ]) {
    const override = request.query.get(`response-${name}`);
    if (override !== undefined) headers[name] = override;
  }
  const range = parseRange(header(request, 'range'), record.bytes);
  if (
    range === undefined &&
    record.checksum !== undefined &&
    header(request, 'x-amz-checksum-mode') === 'ENABLED'
  ) {
    headers[`x-amz-checksum-${record.checksum.algorithm}`] = record.checksum.value;
    headers['x-amz-checksum-type'] = 'FULL_OBJECT';
  }
  const start = range?.start ?? 0;
  const bytes = range === undefined ? record.bytes : range.end - range.start + 1;
  headers['content-length'] = String(bytes);
  if (range !== undefined) headers['content-range'] = `bytes ${range.start}-${range.end}/${record.bytes}`;
  const status = range === undefined ? 200 : 206;
  if (request.method === 'HEAD' || bytes === 0) {
    request.response.writeHead(status, headers).end();
    return;
  }
  // Opened before the first await after the lookup could let a delete in: an open file outlives its name.
  const file = await open(record.file, 'r').catch(async () => {
    throw await noSuchKey(request);
  });
  request.response.writeHead(status, headers);
  await pipeline(file.createReadStream({ start, end: start + bytes - 1 }), request.response);
}

async function find(request: S3Request): Promise<ObjectRecord> {
  const versionId = request.query.get('versionId');
  await requireObject(request, versionId === undefined ? 'GetObject' : 'GetObjectVersion');
  const record =
    versionId === undefined
      ? request.store.latest(request.bucket, request.key)
      : request.store.version(request.bucket, request.key, versionId);
  if (record === undefined) {
    throw versionId === undefined
      ? await noSuchKey(request)
      : new AwsServiceError('NoSuchVersion', 'The specified version does not exist.', 404);
  }
  if (record.isDeleteMarker) {
    request.response.setHeader('x-amz-delete-marker', 'true');
    throw versionId === undefined
      ? await noSuchKey(request)
      : new AwsServiceError(
          'MethodNotAllowed',
          'The specified method is not allowed against this resource.',
          405,
        );
  }
  return record;
}

/** Conditions in RFC 9110's order; a failed If-Match or If-Unmodified-Since throws. */
function isNotModified(request: S3Request, record: ObjectRecord): boolean {
  const ifMatch = header(request, 'if-match');
  const modifiedSeconds = Math.floor(record.modifiedMs / 1000);
  const seconds = (name: string) => Date.parse(header(request, name) ?? '') / 1000;
  const failed =
    ifMatch !== undefined ? !etagIn(ifMatch, record.etag) : modifiedSeconds > seconds('if-unmodified-since');
  if (failed) {
    throw new AwsServiceError(
      'PreconditionFailed',
      'At least one of the pre-conditions you specified did not hold',
      412,
    );
  }
  const ifNoneMatch = header(request, 'if-none-match');
  return ifNoneMatch !== undefined
    ? etagIn(ifNoneMatch, record.etag)
    : modifiedSeconds <= seconds('if-modified-since');
}

export function etagIn(list: string, etag: string): boolean {
  return list.split(',').some((item) => {
    const value = item.trim().replace(/^W\//, '').replaceAll('"', '');
    return value === '*' || value === etag;
  });
}

/** One range, as S3 supports it; several ranges or a malformed header are ignored, as RFC 9110 allows. */
function parseRange(value: string | undefined, bytes: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(value ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) {
    return undefined;
  }
  const [first, last] = [match[1] as string, match[2] as string];
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (start >= bytes || end < start) {
    throw new AwsServiceError('InvalidRange', 'The requested range is not satisfiable', 416);
  }
  return { start, end };
}
