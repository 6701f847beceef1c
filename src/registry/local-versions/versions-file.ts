import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { parseWith } from '../../contracts/parse-with.ts';
import { ValidationError } from '../../errors.ts';
import { ModelMetadataDocument } from './model-metadata.ts';

/** What `versions.json` holds. */
export const VersionsDocument = z.strictObject({
  format: z.literal('tenantml.versions'),
  format_version: z.literal(1),
  versions: z.array(ModelMetadataDocument.extend({ version: z.string() })),
});
export type VersionsDocument = z.infer<typeof VersionsDocument>;

/** A file of versions is none, or contradicts itself. */
export class VersionsFileError extends ValidationError {
  constructor(where: string, reason: string, cause?: unknown) {
    super(`${where} is no file of versions: ${reason}`, { code: 'VERSIONS_FILE_INVALID', cause });
  }
}

/** The file appears whole or not at all. */
export async function writeVersionsFile(file: string, document: VersionsDocument): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const written = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(written, `${JSON.stringify(document, undefined, 2)}\n`);
    await rename(written, file);
  } catch (error) {
    await rm(written, { force: true });
    throw error;
  }
}

/** @throws {VersionsFileError} */
export async function readVersionsFile(file: string): Promise<VersionsDocument> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new VersionsFileError(file, `it cannot be read (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
  return parseVersions(text, file);
}

/** @param where is named in errors @throws {VersionsFileError} */
export function parseVersions(text: string, where: string): VersionsDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new VersionsFileError(where, 'it is not JSON', cause);
  }
  try {
    return parseWith(VersionsDocument, value, 'versions');
  } catch (error) {
    throw new VersionsFileError(where, (error as Error).message, error);
  }
}
