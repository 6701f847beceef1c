import { createHash, type Hash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { AwsServiceError } from '../aws/service-error.ts';
import { AwsChunkedDecoder } from './aws-chunked.ts';
import type { Checksum } from './object-record.ts';
import type { S3Request } from './s3-request.ts';
import { type Algorithm, type StatedChecksum, statedChecksum } from './stated-checksum.ts';

export interface ReceivedBody {
  /** A file of the staging folder; the receiver's caller moves or removes it. */
  readonly file: string;
  readonly bytes: number;
  readonly md5: string;
  readonly checksum: Checksum | undefined;
}

/** Streams a request body to a file while verifying every digest that the request states about it. */
export async function receiveBody(request: S3Request): Promise<ReceivedBody> {
  const { incoming, payloadHash } = request;
  const { headers } = incoming;
  const chunked = payloadHash?.startsWith('STREAMING-') === true;
  if (chunked && payloadHash !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') {
    throw new AwsServiceError(
      'NotImplemented',
      `${payloadHash}: chunk signatures are not verified here`,
      501,
    );
  }
  const stated = statedChecksum(request);
  const algorithm = stated?.algorithm;
  const meter = new Meter(algorithm, /^[0-9a-f]{64}$/.test(payloadHash ?? ''));
  const file = join(request.store.stagingDirectory, randomUUID());
  const decodedLength = headers['x-amz-decoded-content-length'];
  const decoder = chunked
    ? new AwsChunkedDecoder(decodedLength === undefined ? undefined : Number(decodedLength))
    : undefined;
  try {
    const sink = createWriteStream(file, { flags: 'wx' });
    await (decoder === undefined
      ? pipeline(incoming, meter, sink)
      : pipeline(incoming, decoder, meter, sink));
    const digests = meter.finish();
    verify(headers, decoder?.trailers, stated, payloadHash, digests);
    return {
      file,
      bytes: digests.bytes,
      md5: digests.md5.toString('hex'),
      checksum:
        algorithm === undefined || digests.checksum === undefined
          ? undefined
          : { algorithm, value: digests.checksum },
    };
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

interface Digests {
  readonly bytes: number;
  readonly md5: Buffer;
  readonly sha256: string | undefined;
  readonly checksum: string | undefined;
}

class Meter extends Transform {
  #bytes = 0;
  #crc = 0;
  readonly #md5 = createHash('md5');
  readonly #sha256: Hash | undefined;
  readonly #sha1: Hash | undefined;
  readonly #algorithm: Algorithm | undefined;

  constructor(algorithm: Algorithm | undefined, needsSha256: boolean) {
    super();
    this.#algorithm = algorithm;
    this.#sha256 = needsSha256 || algorithm === 'sha256' ? createHash('sha256') : undefined;
    this.#sha1 = algorithm === 'sha1' ? createHash('sha1') : undefined;
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error: null, data: Buffer) => void,
  ): void {
    this.#bytes += chunk.length;
    this.#md5.update(chunk);
    this.#sha256?.update(chunk);
    this.#sha1?.update(chunk);
    if (this.#algorithm === 'crc32') {
      this.#crc = crc32(chunk, this.#crc);
    }
    callback(null, chunk);
  }

  finish(): Digests {
    const sha256 = this.#sha256?.digest();
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(this.#crc);
    const checksum = { crc32: () => crc, sha1: () => this.#sha1?.digest(), sha256: () => sha256 };
    return {
      bytes: this.#bytes,
      md5: this.#md5.digest(),
      sha256: sha256?.toString('hex'),
      checksum: this.#algorithm === undefined ? undefined : checksum[this.#algorithm]()?.toString('base64'),
    };
  }
}

function verify(
  headers: IncomingHttpHeaders,
  trailers: ReadonlyMap<string, string> | undefined,
  stated: StatedChecksum | undefined,
  payloadHash: string | undefined,
  digests: Digests,
): void {
  if (
    digests.sha256 !== undefined &&
    /^[0-9a-f]{64}$/.test(payloadHash ?? '') &&
    payloadHash !== digests.sha256
  ) {
    throw new AwsServiceError(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  if (stated !== undefined) {
    const name = `x-amz-checksum-${stated.algorithm}`;
    const trailer = trailers?.get(name);
    const values = trailer === undefined ? stated.values : [...stated.values, trailer];
    if (values.length === 0) {
      throw new AwsServiceError(
        'MalformedTrailerError',
        `the trailer ${name} was announced and did not come`,
      );
    }
    if (values.some((value) => value !== digests.checksum)) {
      throw new AwsServiceError(
        'BadDigest',
        `The ${stated.algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
      );
    }
  }
  const md5 = headers['content-md5'];
  if (md5 !== undefined && md5 !== digests.md5.toString('base64')) {
    throw new AwsServiceError('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  }
}
