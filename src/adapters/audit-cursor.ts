import type { AuditPosition } from '../registry/audit-log.ts';
import { decodeCursor, encodeCursor } from './page-cursor.ts';

/** Where the page ended in the registry's log, and in the trail; "-" is its beginning. */
export const auditCursor = ({ registry = '-', trail = '-' }: AuditPosition): string =>
  encodeCursor(`${registry}|${trail}`);

/** @throws {ValidationError} when the text is no cursor of ours */
export function auditPosition(cursor: string): AuditPosition {
  const [registry, trail] = decodeCursor(cursor, /^([1-9]\d{0,17}|-)\|([0-9A-HJKMNP-TV-Z]{26}|-)$/).split(
    '|',
  );
  return {
    registry: registry === '-' ? undefined : registry,
    trail: trail === '-' ? undefined : trail,
  };
}
