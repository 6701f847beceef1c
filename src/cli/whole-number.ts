import { UsageError } from './exit-code.ts';

/** @throws {UsageError} when the value of an option is none */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value))
    throw new UsageError(`${option} ${text} must be a whole number`);
  return value;
}
