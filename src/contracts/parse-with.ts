import type { z } from 'zod';
import { type FieldError, ValidationError } from '../errors.ts';

const pointerOf = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? ''
    : `/${path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`;

/** An issue inside a union is reported by its closest branch: the one that got furthest into the value. */
function flatten(issue: z.core.$ZodIssue, base: readonly PropertyKey[]): FieldError[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const unrecognized = (branch: readonly z.core.$ZodIssue[]) =>
      branch.filter((inner) => inner.code === 'unrecognized_keys').length;
    const closest = [...issue.errors].sort(
      (a, b) => unrecognized(a) - unrecognized(b) || a.length - b.length || deepest(b) - deepest(a),
    )[0]!;
    return closest.flatMap((inner) => flatten(inner, path));
  }
  return [{ pointer: pointerOf(path), detail: ruleOf(issue) }];
}

/** @returns rule and value: `must be at most 0.5, got 20` */
function ruleOf(issue: z.core.$ZodIssue): string {
  const got = issue.input === undefined ? '' : `, got ${shown(issue.input)}`;
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `is required: a ${issue.expected}`
        : `must be a ${issue.expected}${got}`;
    case 'invalid_value':
      // A schema that says it in its own words says more than the list: zod's begin so.
      if (!issue.message.startsWith('Invalid ')) return `${issue.message}${got}`;
      return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}${got}`;
    case 'too_big':
      return `must be ${bound(issue.origin, 'at most', issue.maximum)}${got}`;
    case 'too_small':
      return `must be ${bound(issue.origin, 'at least', issue.minimum)}${got}`;
    case 'unrecognized_keys':
      return `unknown field ${issue.keys.map((key) => JSON.stringify(key.slice(0, 100))).join(', ')}`;
    default:
      return `${issue.message}${got}`;
  }
}

const unitOf: Readonly<Record<string, string>> = { string: ' characters long', array: ' items long' };

const bound = (origin: string, side: string, limit: number | bigint): string =>
  `${side} ${limit}${unitOf[origin] ?? ''}`;

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

const deepest = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(0, ...issues.map((i) => i.path.length));

/**
 * @param value what came from outside
 * @param place where it stood: `body`, `path` or `query`, or what it is
 * @returns the parsed value
 * @throws {ValidationError} naming every field that breaks a rule, at most 20
 */
export function parseWith<T extends z.ZodType>(schema: T, value: unknown, place: string): z.infer<T> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const errors = result.error.issues.flatMap((issue) => flatten(issue, [])).slice(0, 20);
  // A misspelt field is missing as well; what was sent says more than what was not.
  const first = errors.find(({ detail }) => detail.startsWith('unknown field')) ?? errors[0]!;
  throw new ValidationError(`${place}${first.pointer === '' ? '' : ` ${first.pointer}`}: ${first.detail}`, {
    errors,
  });
}
