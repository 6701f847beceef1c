import { Transform, type TransformCallback } from 'node:stream';
import { AwsServiceError } from '../aws/service-error.ts';

const MAX_LINE_BYTES = 16 * 1024;

type State = 'size' | 'data' | 'data-end' | 'trailer' | 'done';

/**
 * Decodes a body in `aws-chunked` encoding (`STREAMING-UNSIGNED-PAYLOAD-TRAILER`):
 * `<hex size>[;extensions]\r\n<data>\r\n … 0\r\n<name>:<value>\r\n\r\n`. Trailers are in `trailers` after `end`.
 */
export class AwsChunkedDecoder extends Transform {
  readonly trailers = new Map<string, string>();
  #state: State = 'size';
  #line = '';
  #remaining = 0;
  #decodedBytes = 0;
  readonly #expectedBytes: number | undefined;

  constructor(expectedBytes?: number) {
    super();
    this.#expectedBytes = expectedBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      this.#consume(chunk);
      callback();
    } catch (error) {
      callback(error as Error);
    }
  }

  override _flush(callback: TransformCallback): void {
    if (this.#state !== 'done') {
      callback(incomplete('the body ends inside a chunk'));
    } else if (this.#expectedBytes !== undefined && this.#expectedBytes !== this.#decodedBytes) {
      callback(
        incomplete(
          `x-amz-decoded-content-length is ${this.#expectedBytes}, the body has ${this.#decodedBytes} bytes`,
        ),
      );
    } else {
      callback();
    }
  }

  #consume(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#state === 'done') {
        throw incomplete('bytes after the last chunk');
      }
      if (this.#state === 'data') {
        const take = Math.min(this.#remaining, chunk.length - offset);
        this.push(chunk.subarray(offset, offset + take));
        offset += take;
        this.#remaining -= take;
        this.#decodedBytes += take;
        if (this.#remaining === 0) {
          this.#state = 'data-end';
        }
        continue;
      }
      const end = chunk.indexOf(0x0a, offset);
      const stop = end < 0 ? chunk.length : end;
      this.#line += chunk.toString('latin1', offset, stop);
      if (this.#line.length > MAX_LINE_BYTES) {
        throw incomplete('a chunk header is too long');
      }
      if (end < 0) {
        return;
      }
      offset = end + 1;
      const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
      this.#line = '';
      this.#onLine(line);
    }
  }

  #onLine(line: string): void {
    if (this.#state === 'data-end') {
      if (line !== '') {
        throw incomplete('a chunk is longer than its size says');
      }
      this.#state = 'size';
      return;
    }
    if (this.#state === 'size') {
      const size = line.split(';', 1)[0] as string;
      if (!/^[0-9a-fA-F]{1,10}$/.test(size)) {
        throw incomplete('a chunk size is not hexadecimal');
      }
      this.#remaining = Number.parseInt(size, 16);
      this.#state = this.#remaining === 0 ? 'trailer' : 'data';
      return;
    }
    if (line === '') {
      this.#state = 'done';
      return;
    }
    const colon = line.indexOf(':');
    if (colon < 0) {
      throw incomplete('a trailer has no colon');
    }
    this.trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
}

function incomplete(why: string): AwsServiceError {
  return new AwsServiceError('IncompleteBody', `The request body is not valid aws-chunked: ${why}`);
}
