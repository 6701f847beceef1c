import { ValidationError } from '../../../errors.ts';

/** Lambda hands on 6 MB at most, the body as a JSON string inside; the rest is room for status and headers. */
const maxEscapedBytes = 6 * 1024 * 1024 - 16 * 1024;

/**
 * @returns the body, when the gateway can carry it
 * @throws {ValidationError} PAYLOAD_TOO_LARGE
 */
export function fittingAnswer(body: string): string {
  // A character takes three bytes at most, quotes and backslashes two: short bodies need no second look.
  if (body.length * 3 <= maxEscapedBytes || Buffer.byteLength(JSON.stringify(body)) <= maxEscapedBytes)
    return body;
  throw new ValidationError(
    `the answer would be ${body.length} characters of JSON, more than fits into one; ask for fewer rows or items at a time`,
    { code: 'PAYLOAD_TOO_LARGE' },
  );
}

/** @throws {ValidationError} PAYLOAD_TOO_LARGE when the gateway cannot carry the body; bytes travel as base64 */
export function checkFitting({ body }: { readonly body: string | Uint8Array }): void {
  if (typeof body === 'string') fittingAnswer(body);
  else if ((body.length * 4) / 3 > maxEscapedBytes) {
    throw new ValidationError(
      `the answer would be ${body.length} bytes, more than fits into one; ask for fewer rows at a time`,
      { code: 'PAYLOAD_TOO_LARGE' },
    );
  }
}
