import { AwsServiceError } from '../aws/service-error.ts';
import { awsEncode } from '../aws/signature-v4.ts';
import { toXml, type XmlValue } from '../aws/xml.ts';
import type { ObjectRecord } from './object-record.ts';
import type { ObjectStore } from './object-store.ts';

/** Sorts after every key that starts with the text before it. */
const AFTER_ALL = '\u{10FFFF}';
const BATCH = 1000;

interface Page {
  readonly records: ObjectRecord[];
  readonly commonPrefixes: string[];
  /** Where the next page starts; undefined on the last one. */
  readonly next: string | undefined;
}

/** ListObjectsV2. Keys are ordered by UTF-8 bytes, as SQLite compares text. */
export function listObjectsV2(
  store: ObjectStore,
  bucket: string,
  query: ReadonlyMap<string, string>,
): string {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maxKeys = parseMaxKeys(query.get('max-keys'));
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const after = token === undefined ? (startAfter ?? '') : Buffer.from(token, 'base64url').toString('utf8');
  const page = collect(store, bucket, prefix, delimiter, maxKeys, after);
  const encode = query.get('encoding-type') === 'url' ? awsEncode : (text: string) => text;
  return toXml('ListBucketResult', {
    Name: bucket,
    Prefix: encode(prefix),
    Delimiter: delimiter === '' ? undefined : encode(delimiter),
    MaxKeys: maxKeys,
    EncodingType: query.get('encoding-type'),
    KeyCount: page.records.length + page.commonPrefixes.length,
    IsTruncated: page.next !== undefined,
    ContinuationToken: token,
    NextContinuationToken: page.next === undefined ? undefined : Buffer.from(page.next).toString('base64url'),
    StartAfter: startAfter,
    Contents: page.records.map((record) => ({
      Key: encode(record.key),
      LastModified: new Date(record.modifiedMs).toISOString(),
      ETag: `"${record.etag}"`,
      Size: record.bytes,
      StorageClass: 'STANDARD',
    })),
    CommonPrefixes: page.commonPrefixes.map((common) => ({ Prefix: encode(common) })),
  });
}

function collect(
  store: ObjectStore,
  bucket: string,
  prefix: string,
  delimiter: string,
  maxKeys: number,
  after: string,
): Page {
  const records: ObjectRecord[] = [];
  const commonPrefixes: string[] = [];
  let cursor = after;
  for (;;) {
    const batch = store.records(
      `SELECT * FROM objects WHERE bucket = ? AND is_latest = 1 AND is_delete_marker = 0 AND key > ? AND key >= ?
       ORDER BY key LIMIT ${BATCH}`,
      [bucket, cursor, prefix],
    );
    let skipped = false;
    for (const record of batch) {
      if (!record.key.startsWith(prefix)) {
        return { records, commonPrefixes, next: undefined };
      }
      if (records.length + commonPrefixes.length === maxKeys) {
        return { records, commonPrefixes, next: maxKeys === 0 ? undefined : cursor };
      }
      const cut = delimiter === '' ? -1 : record.key.indexOf(delimiter, prefix.length);
      if (cut >= 0) {
        const common = record.key.slice(0, cut + delimiter.length);
        commonPrefixes.push(common);
        cursor = common + AFTER_ALL;
        skipped = true;
        break;
      }
      records.push(record);
      cursor = record.key;
    }
    if (!skipped && batch.length < BATCH) {
      return { records, commonPrefixes, next: undefined };
    }
  }
}

/** ListObjectVersions, paged by key and version. */
export function listObjectVersions(
  store: ObjectStore,
  bucket: string,
  query: ReadonlyMap<string, string>,
): string {
  const prefix = query.get('prefix') ?? '';
  const maxKeys = parseMaxKeys(query.get('max-keys'));
  const keyMarker = query.get('key-marker') ?? '';
  const versionMarker = query.get('version-id-marker') ?? '';
  const rows = store
    .records(
      `SELECT * FROM objects WHERE bucket = ? AND key >= ? AND (key > ? OR (key = ? AND sequence <
         (SELECT sequence FROM objects WHERE bucket = ? AND key = ? AND version_id = ?)))
       ORDER BY key, sequence DESC LIMIT ${maxKeys + 1}`,
      [bucket, prefix, keyMarker, keyMarker, bucket, keyMarker, versionMarker],
    )
    .filter((record) => record.key.startsWith(prefix));
  const truncated = rows.length > maxKeys;
  const page = rows.slice(0, maxKeys);
  const entry = (record: ObjectRecord): { [element: string]: XmlValue } => ({
    Key: record.key,
    VersionId: record.versionId,
    IsLatest: record.isLatest,
    LastModified: new Date(record.modifiedMs).toISOString(),
  });
  return toXml('ListVersionsResult', {
    Name: bucket,
    Prefix: prefix,
    KeyMarker: keyMarker,
    MaxKeys: maxKeys,
    IsTruncated: truncated,
    NextKeyMarker: truncated ? page.at(-1)?.key : undefined,
    NextVersionIdMarker: truncated ? page.at(-1)?.versionId : undefined,
    Version: page
      .filter((record) => !record.isDeleteMarker)
      .map((record) => ({
        ...entry(record),
        ETag: `"${record.etag}"`,
        Size: record.bytes,
        StorageClass: 'STANDARD',
      })),
    DeleteMarker: page.filter((record) => record.isDeleteMarker).map(entry),
  });
}

function parseMaxKeys(text: string | undefined): number {
  const value = text === undefined ? 1000 : Number(text);
  if (!Number.isInteger(value) || value < 0) {
    throw new AwsServiceError('InvalidArgument', 'max-keys must be a non-negative integer');
  }
  return Math.min(value, 1000);
}
