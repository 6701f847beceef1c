import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

/** A header is one line, and the CSV reader takes no line of more than 2 MB. */
const headBytes = 2 * 1024 * 1024;
const delimiters = [',', ';', '\t', '|'];

/** The beginning of a CSV file: its first line with text, by each way to split it. */
export interface CsvHeader {
  /** Number of the line in the file. */
  readonly line: number;
  readonly splits: readonly (readonly string[])[];
}

/**
 * @param delimiter the one that is known, or every one that may be found
 * @returns the header as it is written; `undefined` when the file holds no text
 */
export async function csvHeader(
  file: string,
  compression: 'none' | 'gzip',
  delimiter: string | undefined,
): Promise<CsvHeader | undefined> {
  const text = (await headOf(file, compression)).replace(/^\uFEFF/, '');
  const start = text.search(/\S/);
  if (start < 0) return undefined;
  const blank = /^(?:[^\S\n]*\n)*/.exec(text)![0];
  const source = text.slice(blank.length);
  return {
    line: blank.split('\n').length,
    splits: (delimiter === undefined ? delimiters : [delimiter]).map((one) => firstRecord(source, one)),
  };
}

async function headOf(file: string, compression: 'none' | 'gzip'): Promise<string> {
  const bytes = createReadStream(file);
  const input = compression === 'gzip' ? bytes.pipe(createGunzip()) : bytes;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= headBytes) break;
    }
  } finally {
    input.destroy();
    bytes.destroy();
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @returns the fields of the first line, quotes taken off */
function firstRecord(text: string, delimiter: string): string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quoted) {
      if (char !== '"') field += char;
      else if (text[i + 1] === '"') {
        field += '"';
        i++;
      } else quoted = false;
    } else if (char === '"' && field === '') quoted = true;
    else if (char === '\n' || char === '\r') break;
    else if (char === delimiter) {
      fields.push(field);
      field = '';
    } else field += char;
  }
  return [...fields, field];
}
