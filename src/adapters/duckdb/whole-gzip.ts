import { createReadStream } from 'node:fs';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { MalformedDataError } from './malformed-source.ts';

/**
 * DuckDB reads as much of a gzip file as there is: of a file that was cut off it would make a smaller dataset.
 * @throws {MalformedDataError} when the file is no gzip, is cut off or is damaged
 */
export async function requireWholeGzip(file: string): Promise<void> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    await pipeline(createReadStream(file), createGunzip(), nowhere);
  } catch (error) {
    const detail = 'expected one whole gzip file';
    throw new MalformedDataError(
      `${detail}, but it is no gzip, is cut off or is damaged; send it again, or with compression "none"`,
      [{ pointer: '', detail }],
      error,
    );
  }
}
