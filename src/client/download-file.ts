import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MLFrameworkError } from '../errors.ts';

/** What a link leads to did not arrive as it should. */
export class DownloadError extends MLFrameworkError {
  constructor(message: string, cause?: unknown) {
    super('DOWNLOAD_FAILED', message, { cause });
  }
}

/**
 * Writes what a presigned link leads to into a file. One that did not arrive whole is removed.
 * @param sha256 of the file, in lower-case hex
 * @throws {DownloadError}
 */
export async function downloadFile(url: string, file: string, sha256: string): Promise<void> {
  const response = await fetch(url).catch((cause: unknown) => {
    throw new DownloadError(`nothing answers at ${new URL(url).origin}; is it reachable from here?`, cause);
  });
  if (!response.ok || response.body === null)
    throw new DownloadError(`the result could not be fetched: its link answered ${response.status}`);
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(Readable.fromWeb(response.body as never), hashing, createWriteStream(file));
    if (hash.digest('hex') !== sha256) throw new Error('it is not what was stored; fetch it again');
  } catch (cause) {
    await rm(file, { force: true });
    throw new DownloadError(`${file} could not be written: ${(cause as Error).message}`, cause);
  }
}
