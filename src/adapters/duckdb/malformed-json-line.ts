import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

export interface MalformedLine {
  readonly line: number;
  readonly expected: string;
}

/**
 * DuckDB counts records, not lines, and names none when a line is no object: the lines are read once more here.
 * @returns the first line that holds no JSON object, or how many lines do and whether any of them has a field
 */
export async function inspectJsonLines(
  file: string,
  compression: 'none' | 'gzip',
): Promise<MalformedLine | { readonly objects: number; readonly hasFields: boolean }> {
  const bytes = createReadStream(file);
  const input = compression === 'gzip' ? bytes.pipe(createGunzip()) : bytes;
  let number = 0;
  let objects = 0;
  let hasFields = false;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      const text = number === 1 ? line.replace(/^\uFEFF/, '') : line;
      if (text.trim() === '') continue;
      const expected = violation(text);
      if (expected !== undefined) return { line: number, expected };
      objects++;
      hasFields ||= !/^\s*\{\s*\}\s*$/.test(text);
    }
  } finally {
    input.destroy();
    bytes.destroy();
  }
  return { objects, hasFields };
}

function violation(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return 'a JSON object, found an array';
    if (typeof value !== 'object' || value === null)
      return `a JSON object, found ${JSON.stringify(value).slice(0, 40)}`;
    return undefined;
  } catch {
    return 'one whole JSON object';
  }
}
