import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** @returns the sha256 of a file in lower-case hex, after what the hash was given before */
export async function sha256OfFile(file: string, hash: Hash = createHash('sha256')): Promise<string> {
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
