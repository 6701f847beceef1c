import { ValidationError } from '../../../errors.ts';

/** The ETag of a row: its version, as a strong tag (RFC 9110, section 8.8.3). */
export const entityTag = (rowVersion: number): string => `"${rowVersion}"`;

/**
 * @param header - `If-Match`: one tag of ours, or `*` for whatever is there
 * @throws {ValidationError} IF_MATCH_INVALID
 */
export function expectedVersion(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  const [, version] = /^\s*"([1-9]\d{0,14})"\s*$/.exec(header) ?? [];
  if (version !== undefined) return Number(version);
  throw new ValidationError('If-Match must be one ETag as it was answered, such as "7", or *', {
    code: 'IF_MATCH_INVALID',
  });
}
