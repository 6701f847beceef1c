import { TwinError } from '../errors.ts';

/** An event as EventBridge delivers it. */
export type BusEvent = Readonly<Record<string, unknown>>;

type Pattern = { readonly [field: string]: unknown };

/**
 * Whether an event matches a rule's pattern: every field of the pattern must match; a list in the pattern is an
 * "or"; a list in the event matches when one of its elements does. Of the content filters those are here that the
 * platform's rules use; any other one fails at deployment instead of never matching.
 */
export function matchesPattern(pattern: unknown, event: unknown): boolean {
  return matchObject(pattern as Pattern, event);
}

function matchObject(pattern: Pattern, value: unknown): boolean {
  return Object.entries(pattern).every(([field, expected]) => {
    if (field === '$or') {
      return (expected as Pattern[]).some((alternative) => matchObject(alternative, value));
    }
    const member =
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? (value as Record<string, unknown>)[field]
        : undefined;
    return Array.isArray(expected) ? matchField(expected, member) : matchObject(expected as Pattern, member);
  });
}

function matchField(alternatives: readonly unknown[], member: unknown): boolean {
  const values = Array.isArray(member) ? member : [member];
  return alternatives.some((alternative) => values.some((value) => matchValue(alternative, value)));
}

function matchValue(expected: unknown, value: unknown): boolean {
  if (expected === null || typeof expected !== 'object') {
    return expected === value;
  }
  const [filter, argument] = Object.entries(expected)[0] as [string, unknown];
  switch (filter) {
    case 'prefix':
      return typeof value === 'string' && value.startsWith(String(argument));
    case 'suffix':
      return typeof value === 'string' && value.endsWith(String(argument));
    case 'exists':
      return (value !== undefined) === argument;
    case 'equals-ignore-case':
      return typeof value === 'string' && value.toLowerCase() === String(argument).toLowerCase();
    case 'anything-but':
      return value !== undefined && !anyOf(argument, value);
    default:
      throw new TwinError(
        'EVENT_PATTERN_UNSUPPORTED',
        `event pattern filter ${JSON.stringify(filter)} is not supported here`,
      );
  }
}

function anyOf(argument: unknown, value: unknown): boolean {
  const alternatives = Array.isArray(argument) ? argument : [argument];
  return alternatives.some((alternative) => matchValue(alternative, value));
}

/** Fails when the pattern uses a filter that is not supported. */
export function assertSupported(pattern: unknown): void {
  if (Array.isArray(pattern)) {
    for (const item of pattern) {
      if (item !== null && typeof item === 'object') matchValue(item, '');
    }
  } else if (pattern !== null && typeof pattern === 'object') {
    for (const [field, inner] of Object.entries(pattern)) {
      if (field === '$or') (inner as unknown[]).forEach(assertSupported);
      else assertSupported(inner);
    }
  }
}
