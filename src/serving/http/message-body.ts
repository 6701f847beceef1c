import { isUtf8 } from 'node:buffer';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { ValidationError } from '../../errors.ts';
import type { ServingRequest, ServingResponse } from './serving-message.ts';

/** Largest body of one call, packed or unpacked; more goes through a batch job. */
export const maxBodyBytes = 4 * 1024 * 1024;
/** Shorter answers gain less by packing than it costs. */
const minPackedBytes = 1_400;

/** A body, or an answer, that is too large for one call. */
export class PayloadTooLargeError extends ValidationError {
  constructor(rule: string) {
    super(`${rule}; POST /api/v1/ml/batch-predict scores datasets of any size`, {
      code: 'PAYLOAD_TOO_LARGE',
    });
  }
}

const tooLarge = (bytes: number | string) =>
  new PayloadTooLargeError(`body is ${bytes} bytes; this operation takes at most ${maxBodyBytes}`);

/**
 * @returns the body as it was before `Content-Encoding`
 * @throws {PayloadTooLargeError}
 * @throws {ValidationError} UNSUPPORTED_MEDIA_TYPE or INVALID_ENCODING
 */
export function unpacked(request: ServingRequest): string | Uint8Array {
  const { body = '' } = request;
  const bytes = typeof body === 'string' && body.length * 3 <= maxBodyBytes ? 0 : Buffer.byteLength(body);
  if (bytes > maxBodyBytes) throw tooLarge(bytes);
  const encoding = request.headers['content-encoding']?.trim().toLowerCase();
  if (encoding === undefined || encoding === '' || encoding === 'identity') return body;
  const unpack = encoding === 'gzip' ? gunzipSync : encoding === 'deflate' ? inflateSync : undefined;
  if (unpack === undefined)
    throw new ValidationError(`content-encoding is ${encoding.slice(0, 40)}; use gzip, deflate or none`, {
      code: 'UNSUPPORTED_MEDIA_TYPE',
    });
  try {
    return unpack(body, { maxOutputLength: maxBodyBytes });
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
      throw tooLarge(`more than ${maxBodyBytes}`);
    throw new ValidationError(`body is not ${encoding}, as content-encoding says`, {
      code: 'INVALID_ENCODING',
    });
  }
}

/** @throws {ValidationError} INVALID_ENCODING */
export function textOf(body: string | Uint8Array): string {
  if (typeof body === 'string') return withoutMark(body);
  if (!isUtf8(body))
    throw new ValidationError('body is not UTF-8; encode text as UTF-8', { code: 'INVALID_ENCODING' });
  return withoutMark(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
}

/** Text without the byte order mark that some programs write in front. */
const withoutMark = (text: string): string => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);

/**
 * Texts, and the bare words that Python writes for what JSON has no word for. A text without an end reaches to the end of
 * the body: were it no match, the search would begin anew at each of its quotes.
 */
const textOrWord = /"(?:[^"\\]|\\.)*(?:"|\\?$)|\bNaN\b|-?\bInfinity\b/gs;

/**
 * JSON as Python's `json` module writes it: `NaN` is null, which is missing.
 * @throws {ValidationError} INVALID_JSON
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (/NaN|Infinity/.test(text)) {
      const words = new Set<string>();
      const plain = text.replaceAll(textOrWord, (found) => {
        if (found.startsWith('"')) return found;
        words.add(found);
        return 'null';
      });
      const read = parsed(plain);
      const isInfinite = words.has('Infinity') || words.has('-Infinity');
      if (read !== undefined && isInfinite) {
        throw new ValidationError(
          'body holds Infinity, which JSON has not; send a number, or null for missing',
          {
            code: 'INVALID_JSON',
          },
        );
      }
      if (read !== undefined) return read.value;
    }
    // The parser's own message quotes the input; only its position is repeated.
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    throw new ValidationError(
      `body is not JSON${position === undefined ? '' : ` (at character ${position})`}; check quotes, commas and brackets`,
      { code: 'INVALID_JSON' },
    );
  }
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

const jsonType = /^\s*application\/([\w.+-]+\+)?json\s*(;|$)/i;

/**
 * @returns the parsed JSON body; `undefined` for an empty one
 * @throws {ValidationError} UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, INVALID_ENCODING or INVALID_JSON
 */
export function jsonBody(request: ServingRequest): unknown {
  const contentType = request.headers['content-type'];
  if (contentType !== undefined && contentType !== 'application/json' && !jsonType.test(contentType)) {
    throw new ValidationError(`content-type is ${contentType.slice(0, 80)}; send application/json`, {
      code: 'UNSUPPORTED_MEDIA_TYPE',
    });
  }
  const text = textOf(unpacked(request));
  return text === '' ? undefined : parseJson(text);
}

/** @returns the answer as the caller can read it: packed when it is long and the caller asked for that. */
export function packed(request: ServingRequest, response: ServingResponse): ServingResponse {
  const accepted = request.headers['accept-encoding'];
  if (accepted === undefined || response.body.length < minPackedBytes) return response;
  const encodings = accepted
    .toLowerCase()
    .split(',')
    .filter((one) => !/;\s*q=0(\.0*)?\s*$/.test(one))
    .map((one) => one.split(';', 1)[0]!.trim());
  const encoding = encodings.find((one) => one === 'gzip' || one === 'deflate');
  if (encoding === undefined) return response;
  const body = (encoding === 'gzip' ? gzipSync : deflateSync)(response.body, { level: 1 });
  return {
    ...response,
    headers: { ...response.headers, 'content-encoding': encoding, vary: 'accept-encoding' },
    body,
  };
}
