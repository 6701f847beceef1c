import { createHash, randomBytes } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelName } from '../contracts/names.ts';
import { ApiError, type HttpClient, UnreachableError } from './http-client.ts';

export interface PulledModel {
  readonly model: ModelName;
  readonly version: string;
  /** Whether the version was not there before. */
  readonly isNew: boolean;
}

/**
 * Brings the champion of a model into a folder, as the model server reads it: `<model>/<version>/model.onnx`,
 * `manifest.json`, and `<model>/champion`. Each file appears whole or not at all, the version's name last.
 * @throws {ApiError} MODEL_NOT_FOUND, or ARTIFACT_DAMAGED when the bytes are not those that were registered
 */
export async function pullModel(client: HttpClient, name: string, folder: string): Promise<PulledModel> {
  const model = name as ModelName;
  const { version, manifest } = await client.call('getModelMetadata', {
    params: { model_name: model },
    query: {},
  });
  const target = join(folder, model, version);
  const isNew = !(await exists(join(target, 'manifest.json')));
  if (isNew) {
    const { url, sha256 } = await client.call('getModelArtifact', {
      params: { model_name: model, model_version: version },
    });
    const bytes = await download(url);
    if (createHash('sha256').update(bytes).digest('hex') !== sha256)
      throw new ApiError(
        500,
        'ARTIFACT_DAMAGED',
        `the artifact of ${model} ${version} does not match its sha256`,
      );
    const making = join(folder, `.pull-${randomBytes(6).toString('hex')}`);
    try {
      await mkdir(making, { recursive: true });
      await writeFile(join(making, 'model.onnx'), bytes);
      await writeFile(join(making, 'manifest.json'), JSON.stringify(manifest));
      await mkdir(join(folder, model), { recursive: true });
      await renameOver(making, target);
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }
  const champion = join(folder, model, 'champion');
  const written = `${champion}.${randomBytes(6).toString('hex')}`;
  await writeFile(written, `${version}\n`);
  await rename(written, champion);
  return { model, version, isNew };
}

/** Puts a version in its place. Another process may pull it at the same time: then either's files do. */
async function renameOver(made: string, target: string): Promise<void> {
  try {
    await rename(made, target);
  } catch (error) {
    if (await exists(join(target, 'manifest.json'))) return;
    // What is there is not whole.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await rm(target, { recursive: true, force: true });
    await renameOver(made, target);
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function download(url: string): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new UnreachableError(new URL(url).origin, cause);
  }
  if (!response.ok)
    throw new ApiError(response.status, `HTTP_${response.status}`, 'the artifact could not be downloaded');
  return new Uint8Array(await response.arrayBuffer());
}
