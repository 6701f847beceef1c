import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelName } from '../contracts/names.ts';
import { ApiError, type HttpClient, UnreachableError } from './http-client.ts';
import { PulledTrust } from './pulled-trust.ts';

export interface PulledModel {
  readonly model: ModelName;
  readonly version: string;
  /** Whether the version was not there before. */
  readonly isNew: boolean;
}

/**
 * Brings the champion of a model into a folder, as the model server reads it: `<model>/<version>/model.onnx`,
 * `manifest.json`, `signature.json`, and `<model>/champion`. Each file appears whole or not at all, the version's name last.
 * @throws {ApiError} MODEL_NOT_FOUND, ARTIFACT_DAMAGED when the bytes are not those that were registered, or
 * ARTIFACT_SIGNATURE_INVALID when they are not signed with the key of the first pull
 */
export async function pullModel(client: HttpClient, name: string, folder: string): Promise<PulledModel> {
  const model = name as ModelName;
  const { version } = await client.call('getModelMetadata', {
    params: { model_name: model },
    query: {},
  });
  const target = join(folder, model, version);
  const isThere = await exists(join(target, 'manifest.json'));
  // What was pulled before versions were signed is pulled again.
  const isWhole = isThere && (await exists(join(target, 'signature.json')));
  const isNew = !isWhole && (await pullVersion(client, { model, version }, { folder, isThere }));
  const champion = join(folder, model, 'champion');
  const written = `${champion}.${randomBytes(6).toString('hex')}`;
  await writeFile(written, `${version}\n`);
  await rename(written, champion);
  return { model, version, isNew };
}

/** @returns whether its files are new: one without a signature stays as it is */
async function pullVersion(
  client: HttpClient,
  { model, version }: { model: ModelName; version: string },
  { folder, isThere }: { folder: string; isThere: boolean },
): Promise<boolean> {
  const link = await client.call('getModelArtifact', {
    params: { model_name: model, model_version: version },
  });
  const { signature } = link;
  if (isThere && signature === undefined) return false;
  const [graph, manifest] = await Promise.all([download(link.url), download(link.manifest_url)]);
  requireDigest(graph, link.sha256, `the artifact of ${model} ${version}`);
  requireDigest(manifest, link.manifest_sha256, `the manifest of ${model} ${version}`);
  const trust = await PulledTrust.of(folder);
  trust.check({ model, version }, link, manifest, graph);
  const making = join(folder, `.pull-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(making, { recursive: true });
    await writeFile(join(making, 'model.onnx'), graph);
    await writeFile(join(making, 'manifest.json'), manifest);
    if (signature !== undefined) {
      const { key_id, algorithm } = signature;
      const kept = { key_id, algorithm, signature: signature.signature };
      await writeFile(join(making, 'signature.json'), JSON.stringify(kept));
    }
    await trust.keep(link);
    await mkdir(join(folder, model), { recursive: true });
    await renameOver(making, join(folder, model, version));
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return true;
}

function requireDigest(bytes: Uint8Array, sha256: string, what: string): void {
  if (createHash('sha256').update(bytes).digest('hex') === sha256) return;
  throw new ApiError(500, 'ARTIFACT_DAMAGED', `${what} does not match its sha256`);
}

/** Puts a version in its place. Another process may pull it at the same time: then either's files do. */
async function renameOver(made: string, target: string): Promise<void> {
  try {
    await rename(made, target);
  } catch (error) {
    if (await isWhole(target, made)) return;
    // What is there is not whole.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await rm(target, { recursive: true, force: true });
    await renameOver(made, target);
  }
}

/** Whether all that was made is there already. */
async function isWhole(target: string, made: string): Promise<boolean> {
  const files = await readdir(made);
  const there = await Promise.all(files.map((name) => exists(join(target, name))));
  return there.every(Boolean);
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
