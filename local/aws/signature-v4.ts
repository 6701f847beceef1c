import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AwsServiceError } from './service-error.ts';

/** The parts of an HTTP request that a signature covers. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query exactly as on the request line. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

export interface SecretKey {
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface VerifiedSignature {
  readonly accessKeyId: string;
  /** True for a presigned URL: the body is not signed. */
  readonly presigned: boolean;
  /** `x-amz-content-sha256` of a header-signed request. */
  readonly payloadHash: string | undefined;
}

export interface VerifyOptions {
  readonly service: string;
  /** Secret of an access key; undefined when the key is unknown. @param sessionToken - what came with the request */
  secretKey(accessKeyId: string, sessionToken: string): SecretKey | undefined;
  /** Hex sha256 of the body, asked for only when no header states it. */
  bodyHash?(): string;
  readonly nowMs: number;
}

const MAX_SKEW_MS = 15 * 60 * 1000;
const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Checks a SigV4 signature, in the Authorization header or in the query string; throws the AWS error otherwise. */
export function verifySignature(request: SignedRequest, options: VerifyOptions): VerifiedSignature {
  const cut = request.target.indexOf('?');
  const path = cut < 0 ? request.target : request.target.slice(0, cut);
  const query = parseQuery(cut < 0 ? '' : request.target.slice(cut + 1));
  const authorization = request.headers.authorization;
  if (authorization?.startsWith(ALGORITHM)) {
    return verifyHeader(request, authorization, path, query, options);
  }
  if (query.some(([name]) => name === 'X-Amz-Signature')) {
    return verifyPresigned(request, path, query, options);
  }
  throw new AwsServiceError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
}

function verifyHeader(
  request: SignedRequest,
  authorization: string,
  path: string,
  query: [string, string][],
  options: VerifyOptions,
): VerifiedSignature {
  const fields = new Map<string, string>();
  for (const part of authorization.slice(ALGORITHM.length).split(',')) {
    const at = part.indexOf('=');
    fields.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  const date = header(request.headers['x-amz-date']);
  const skewMs = Math.abs(options.nowMs - amzDateMs(date));
  if (!(skewMs <= MAX_SKEW_MS)) {
    throw new AwsServiceError(
      'RequestTimeTooSkewed',
      'The difference between the request time and the server time is too large',
      403,
    );
  }
  const stated = header(request.headers['x-amz-content-sha256']);
  const sessionToken = header(request.headers['x-amz-security-token']);
  const { accessKeyId, secret } = check({
    ...{ request, sessionToken },
    path,
    query,
    date,
    credential: fields.get('Credential') ?? '',
    signedHeaders: fields.get('SignedHeaders') ?? '',
    signature: fields.get('Signature') ?? '',
    payloadHash: stated !== '' ? stated : (options.bodyHash?.() ?? sha256('')),
    options,
  });
  requireToken(secret, sessionToken);
  return { accessKeyId, presigned: false, payloadHash: stated === '' ? undefined : stated };
}

function verifyPresigned(
  request: SignedRequest,
  path: string,
  query: [string, string][],
  options: VerifyOptions,
): VerifiedSignature {
  const value = (name: string) => query.find(([key]) => key === name)?.[1] ?? '';
  const date = value('X-Amz-Date');
  const startMs = amzDateMs(date);
  const expiresSeconds = Number(value('X-Amz-Expires'));
  if (
    value('X-Amz-Algorithm') !== ALGORITHM ||
    Number.isNaN(startMs) ||
    !(expiresSeconds >= 1 && expiresSeconds <= 604_800)
  ) {
    throw new AwsServiceError(
      'AuthorizationQueryParametersError',
      'Query-string authentication parameters are not valid',
    );
  }
  if (options.nowMs > startMs + expiresSeconds * 1000 || options.nowMs < startMs - MAX_SKEW_MS) {
    throw new AwsServiceError('AccessDenied', 'Request has expired', 403);
  }
  const sessionToken = value('X-Amz-Security-Token');
  const { accessKeyId, secret } = check({
    ...{ request, sessionToken },
    path,
    query: query.filter(([name]) => name !== 'X-Amz-Signature'),
    date,
    credential: value('X-Amz-Credential'),
    signedHeaders: value('X-Amz-SignedHeaders'),
    signature: value('X-Amz-Signature'),
    payloadHash: value('X-Amz-Content-Sha256') || 'UNSIGNED-PAYLOAD',
    options,
  });
  requireToken(secret, sessionToken);
  return { accessKeyId, presigned: true, payloadHash: undefined };
}

interface CheckInput {
  readonly request: SignedRequest;
  readonly path: string;
  readonly query: [string, string][];
  readonly date: string;
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly payloadHash: string;
  readonly sessionToken: string;
  readonly options: VerifyOptions;
}

function check(input: CheckInput): { accessKeyId: string; secret: SecretKey } {
  const { request, options } = input;
  const [accessKeyId = '', day = '', region = '', service = '', terminator] = input.credential.split('/');
  const secret = options.secretKey(accessKeyId, input.sessionToken);
  if (secret === undefined) {
    throw new AwsServiceError(
      'InvalidAccessKeyId',
      'The AWS access key Id you provided does not exist in our records.',
      403,
    );
  }
  const names = input.signedHeaders.split(';');
  if (
    terminator !== 'aws4_request' ||
    service !== options.service ||
    !names.includes('host') ||
    !input.date.startsWith(day)
  ) {
    throw mismatch();
  }
  const canonicalHeaders = names
    .map((name) => `${name}:${header(request.headers[name]).trim().replaceAll(/ +/g, ' ')}\n`)
    .join('');
  const canonicalQuery = input.query
    .map(([name, value]) => [awsEncode(name), awsEncode(value)] as const)
    .sort(([a, av], [b, bv]) => (a < b ? -1 : a > b ? 1 : av < bv ? -1 : av > bv ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  // S3 signs the path as sent; every other service signs it encoded once more.
  const canonicalPath =
    options.service === 's3' ? input.path : input.path.split('/').map(awsEncode).join('/');
  const canonicalRequest = [
    request.method,
    canonicalPath,
    canonicalQuery,
    canonicalHeaders,
    input.signedHeaders,
    input.payloadHash,
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const stringToSign = `${ALGORITHM}\n${input.date}\n${scope}\n${sha256(canonicalRequest)}`;
  const expected = createHmac('sha256', signingKey(secret.secretAccessKey, day, region, service))
    .update(stringToSign)
    .digest();
  const given = Buffer.from(input.signature, 'hex');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw mismatch();
  }
  return { accessKeyId, secret };
}

function mismatch(): AwsServiceError {
  return new AwsServiceError(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided.',
    403,
  );
}

function requireToken(secret: SecretKey, token: string): void {
  if (token !== secret.sessionToken) {
    throw new AwsServiceError('InvalidToken', 'The provided token is malformed or otherwise invalid.', 403);
  }
}

/** Signing keys change daily; few exist at a time. */
const signingKeys = new Map<string, Buffer>();

function signingKey(secret: string, day: string, region: string, service: string): Buffer {
  const id = `${secret}/${day}/${region}/${service}`;
  let key = signingKeys.get(id);
  if (key === undefined) {
    if (signingKeys.size > 1000) signingKeys.clear();
    const mac = (k: string | Buffer, data: string) => createHmac('sha256', k).update(data).digest();
    key = mac(mac(mac(mac(`AWS4${secret}`, day), region), service), 'aws4_request');
    signingKeys.set(id, key);
  }
  return key;
}

/** RFC 3986, as SigV4 wants it. */
export function awsEncode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Query string as decoded pairs, in order; malformed escapes are the caller's fault. */
export function parseQuery(query: string): [string, string][] {
  if (query === '') return [];
  return query.split('&').map((pair) => {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    return [decode(name), at < 0 ? '' : decode(pair.slice(at + 1))];
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new AwsServiceError('InvalidURI', "Couldn't parse the specified URI.", 400);
  }
}

function amzDateMs(date: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  return match === null
    ? Number.NaN
    : Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`);
}

function header(value: string | string[] | undefined): string {
  return value === undefined ? '' : Array.isArray(value) ? value.join(',') : value;
}

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
