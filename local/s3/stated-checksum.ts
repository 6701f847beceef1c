import { AwsServiceError } from '../aws/service-error.ts';
import { header, type S3Request } from './s3-request.ts';

/** Checksums that the SDKs of the platform send, with their size in bytes; others are refused rather than ignored. */
const ALGORITHMS = { crc32: 4, sha1: 20, sha256: 32 } as const;
export type Algorithm = keyof typeof ALGORITHMS;

export interface StatedChecksum {
  readonly algorithm: Algorithm;
  /** Every value that the request states before its body; none when a trailer will bring it. */
  readonly values: readonly string[];
}

/**
 * The checksum that a request states about its body: in a header, announced as a trailer, or in the query of a
 * presigned URL, where S3 takes `x-amz-*` as it takes headers.
 */
export function statedChecksum(request: S3Request): StatedChecksum | undefined {
  const values = new Map<string, string[]>();
  for (const name of (header(request, 'x-amz-trailer') ?? '').split(',')) {
    const algorithm = algorithmOf(name.trim());
    if (algorithm !== undefined) values.set(algorithm, []);
  }
  const { headers } = request.incoming;
  for (const [name, value] of [...Object.entries(headers), ...request.query]) {
    const algorithm = algorithmOf(name);
    if (algorithm !== undefined) values.set(algorithm, [...(values.get(algorithm) ?? []), String(value)]);
  }
  if (values.size > 1) {
    throw new AwsServiceError(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  const [stated] = values;
  requireAnnounced(request, stated?.[0]);
  if (stated === undefined) return undefined;
  const algorithm = known(stated[0]);
  for (const value of stated[1]) {
    const bytes = Buffer.from(value, 'base64');
    if (bytes.length !== ALGORITHMS[algorithm] || bytes.toString('base64') !== value) {
      throw new AwsServiceError('InvalidRequest', `Value for x-amz-checksum-${algorithm} header is invalid.`);
    }
  }
  return { algorithm, values: stated[1] };
}

function algorithmOf(name: string): string | undefined {
  return /^x-amz-checksum-(?!type$|algorithm$|mode$)(\w+)$/i.exec(name)?.[1]?.toLowerCase();
}

/** A request that names the algorithm of its checksum has to bring one. */
function requireAnnounced(request: S3Request, stated: string | undefined): void {
  const name = 'x-amz-sdk-checksum-algorithm';
  for (const announced of [header(request, name), request.query.get(name)]) {
    if (announced !== undefined && announced.toLowerCase() !== stated) {
      throw new AwsServiceError(
        'InvalidRequest',
        `${name} specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.`,
      );
    }
  }
}

function known(algorithm: string): Algorithm {
  if (!Object.hasOwn(ALGORITHMS, algorithm)) {
    throw new AwsServiceError('NotImplemented', `checksum algorithm ${algorithm} is not supported here`, 501);
  }
  return algorithm as Algorithm;
}
