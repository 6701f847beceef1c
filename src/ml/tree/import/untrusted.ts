/** Reading of model files that anyone may have written: every field is checked, and every failure is one of ours. */
import { ValidationError } from '../../../errors.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** More would be no table that this library can train on or serve. */
export const MAX_FEATURES = 100_000;
export const MAX_CLASSES = 10_000;

/** A string holds little more than twice as much. */
const MAX_BYTES = 2 ** 28;

export function textFrom(bytes: Uint8Array): string {
  requireSize(bytes);
  return new TextDecoder().decode(bytes);
}

export function requireSize(bytes: Uint8Array): void {
  if (bytes.length <= MAX_BYTES) return;
  throw notReadable(`it has ${bytes.length} bytes, and at most ${MAX_BYTES} are read`);
}

export function notReadable(message: string, evidence: Fields = {}): ValidationError {
  return new ValidationError(`the model cannot be read: ${message}`, {
    code: 'MODEL_NOT_READABLE',
    evidence,
  });
}

/** Read without trouble, and not something that our trees can do. */
export function unsupported(
  code: 'UNSUPPORTED_OBJECTIVE' | 'UNSUPPORTED_MODEL',
  message: string,
): ValidationError {
  return new ValidationError(message, { code });
}

export function fieldsOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw notReadable(`${name} is not an object`);
  }
  return value as Fields;
}

/** The object's own field: names of JavaScript's own are not fields. */
export function field(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

export function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string') throw notReadable(`${name} is not a text`);
  return value;
}

/** A list as it is; elements are checked where they are read. @param length - @default any */
export function listOf(value: unknown, name: string, length?: number): ArrayLike<unknown> {
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  if (!isList) throw notReadable(`${name} is not a list`);
  const list = value as unknown as ArrayLike<unknown>;
  if (length !== undefined && list.length !== length) {
    throw notReadable(`${name} has ${list.length} elements, and ${length} are needed`);
  }
  return list;
}

/** Finite; decimal text counts, since parameters are kept as such. */
export function numberOf(value: unknown, name: string): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    throw notReadable(`${name} is ${shown(value)}, not a finite number`);
  }
  return number;
}

/** A whole number in [minimum, maximum]. */
export function integerOf(value: unknown, name: string, minimum: number, maximum: number): number {
  const number = numberOf(value, name);
  if (!Number.isInteger(number) || number < minimum || number > maximum) {
    throw notReadable(`${name}=${number} must be a whole number from ${minimum} to ${maximum}`);
  }
  return number;
}

function shown(value: unknown): string {
  return typeof value === 'string'
    ? JSON.stringify(value.slice(0, 40))
    : value === undefined
      ? 'missing'
      : typeof value;
}
