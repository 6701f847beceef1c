import { ValidationError } from '../errors.ts';

/** A cursor holds a sort key or the like, never a tenant: a foreign cursor leads nowhere but into one's own data. */
export const encodeCursor = (position: string): string => Buffer.from(position).toString('base64url');

/** @throws {ValidationError} when the text is no cursor of ours */
export function decodeCursor(cursor: string, pattern: RegExp): string {
  const position = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!pattern.test(position)) {
    throw new ValidationError('cursor is not one of ours; pass next_cursor of the page before, unchanged', {
      errors: [{ pointer: '/cursor', detail: 'not a cursor of this list' }],
    });
  }
  return position;
}
