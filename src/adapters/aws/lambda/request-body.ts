import { ValidationError } from '../../../errors.ts';

/** The part of an API Gateway HTTP API event (payload 2.0) that holds a body. */
export interface BodyCarrier {
  readonly body?: string | undefined;
  readonly isBase64Encoded?: boolean;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/**
 * @returns the parsed JSON body; `undefined` for an empty one
 * @throws {ValidationError} UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, INVALID_ENCODING or INVALID_JSON
 */
export function jsonBody(event: BodyCarrier, maxBytes: number): unknown {
  if (event.body === undefined || event.body === '') return undefined;
  const contentType = event.headers['content-type'];
  if (contentType !== undefined && !/^\s*application\/([\w.+-]+\+)?json\s*(;|$)/i.test(contentType)) {
    throw new ValidationError(`content-type is ${contentType.slice(0, 80)}; send application/json`, {
      code: 'UNSUPPORTED_MEDIA_TYPE',
    });
  }
  const bytes = event.isBase64Encoded
    ? Buffer.byteLength(event.body, 'base64')
    : Buffer.byteLength(event.body);
  if (bytes > maxBytes) {
    throw new ValidationError(`body is ${bytes} bytes; this operation takes at most ${maxBytes}`, {
      code: 'PAYLOAD_TOO_LARGE',
    });
  }
  let text = event.body;
  if (event.isBase64Encoded) {
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(event.body, 'base64'));
    } catch {
      throw new ValidationError('body is not UTF-8; encode JSON as UTF-8', { code: 'INVALID_ENCODING' });
    }
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's own message quotes the input; only its position is repeated.
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    throw new ValidationError(
      `body is not JSON${position === undefined ? '' : ` (at character ${position})`}; check quotes, commas and brackets`,
      { code: 'INVALID_JSON' },
    );
  }
}
