import type { IncomingMessage, ServerResponse } from 'node:http';
import { bucketArn } from '../aws/account.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import { parseQuery } from '../aws/signature-v4.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { Principal } from '../iam/principal.ts';
import type { ObjectStore } from './object-store.ts';

/** One authenticated request, with what its handlers need. */
export interface S3Request {
  readonly method: string;
  readonly bucket: string;
  /** Empty for an operation on the bucket. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly principal: Principal;
  /** `x-amz-content-sha256`; undefined for a presigned request. */
  readonly payloadHash: string | undefined;
  readonly store: ObjectStore;
  readonly authorizer: Authorizer;
}

export function header(request: S3Request, name: string): string | undefined {
  const value = request.incoming.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** Asks for an action on the object of the request, or on another key of its bucket. */
export function requireObject(request: S3Request, action: string, key = request.key): Promise<void> {
  return request.authorizer.require({
    principal: request.principal,
    action: `s3:${action}`,
    resource: `${bucketArn(request.bucket)}/${key}`,
  });
}

export function requireBucket(
  request: S3Request,
  action: string,
  context?: Record<string, string>,
): Promise<void> {
  return request.authorizer.require({
    principal: request.principal,
    action: `s3:${action}`,
    resource: bucketArn(request.bucket),
    ...(context === undefined ? {} : { context }),
  });
}

/**
 * What a missing key answers. S3 tells only a caller who may list the bucket that a key does not exist (404);
 * anyone else gets 403. A grant that depends on `s3:prefix` does not help: reading an object states no prefix.
 * Code that was never tried against that rule fails on AWS, so the twin keeps it.
 */
export async function noSuchKey(request: S3Request): Promise<AwsServiceError> {
  const mayList = await request.authorizer.authorize({
    principal: request.principal,
    action: 's3:ListBucket',
    resource: bucketArn(request.bucket),
  });
  return mayList === 'Allowed'
    ? new AwsServiceError('NoSuchKey', 'The specified key does not exist.', 404, { Key: request.key })
    : new AwsServiceError('AccessDenied', 'Access Denied', 403);
}

/** Bucket and key of a path-style target. */
export function parseTarget(target: string): { bucket: string; key: string; query: Map<string, string> } {
  const cut = target.indexOf('?');
  const path = cut < 0 ? target : target.slice(0, cut);
  const query = new Map(parseQuery(cut < 0 ? '' : target.slice(cut + 1)));
  const slash = path.indexOf('/', 1);
  try {
    return {
      bucket: decodeURIComponent(slash < 0 ? path.slice(1) : path.slice(1, slash)),
      key: slash < 0 ? '' : decodeURIComponent(path.slice(slash + 1)),
      query,
    };
  } catch {
    throw new AwsServiceError('InvalidURI', "Couldn't parse the specified URI.");
  }
}

const STORED_HEADERS = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
];

/** Headers that are kept with the object and returned by GET. */
export function storedHeaders(request: S3Request): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.incoming.headers)) {
    if (typeof value === 'string' && (STORED_HEADERS.includes(name) || name.startsWith('x-amz-meta-'))) {
      kept[name] = value;
    }
  }
  if (kept['content-encoding'] !== undefined) {
    // `aws-chunked` is how the body travelled, not what the object is.
    const encodings = kept['content-encoding'].split(',').map((part) => part.trim());
    const rest = encodings.filter((encoding) => encoding !== 'aws-chunked' && encoding !== '').join(',');
    if (rest === '') delete kept['content-encoding'];
    else kept['content-encoding'] = rest;
  }
  kept['content-type'] ??= 'application/octet-stream';
  return kept;
}

/** Reads a small XML body. */
export async function readXml(request: S3Request): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > 2 * 1024 * 1024) {
      throw new AwsServiceError('MaxMessageLengthExceeded', 'Your request was too large.');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function sendXml(request: S3Request, xml: string, headers: Record<string, string> = {}): void {
  request.response.writeHead(200, {
    'content-type': 'application/xml',
    'content-length': Buffer.byteLength(xml),
    ...headers,
  });
  request.response.end(xml);
}

export function sendEmpty(request: S3Request, status: number, headers: Record<string, string> = {}): void {
  request.response.writeHead(status, { ...(status === 204 ? {} : { 'content-length': '0' }), ...headers });
  request.response.end();
}
