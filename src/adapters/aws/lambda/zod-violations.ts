import type { z } from 'zod';
import { type FieldError, ValidationError } from '../../../errors.ts';

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
  return [{ pointer: pointerOf(path), detail: issue.message }];
}

const deepest = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(0, ...issues.map((i) => i.path.length));

/**
 * @param value what came from outside
 * @param place where it stood: `body`, `path` or `query`
 * @returns the parsed value
 * @throws {ValidationError} naming every field that breaks a rule, at most 20
 */
export function parseWith<T extends z.ZodType>(schema: T, value: unknown, place: string): z.infer<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.flatMap((issue) => flatten(issue, [])).slice(0, 20);
  const first = errors[0]!;
  throw new ValidationError(`${place}${first.pointer === '' ? '' : ` ${first.pointer}`}: ${first.detail}`, {
    errors,
  });
}
