import type { ModelManifest } from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import { type Champions, NoChampionError } from './batch/batch-starter.ts';
import { manifestOf, type VersionFiles } from './batch/pinned-version.ts';
import type { ManifestSignatures } from './manifest-signatures.ts';

/** @returns what the deployed version is made of, without Postgres @throws {NoChampionError} */
export async function deployedManifest(
  tenant: TenantContext,
  model: ModelName,
  parts: {
    readonly champions: Champions;
    readonly versions: VersionFiles;
    readonly signatures: ManifestSignatures;
  },
): Promise<{ version: string; manifest: ModelManifest }> {
  const pointer = await parts.champions.read(tenant, model);
  if (pointer === undefined) throw new NoChampionError(model);
  const { versions: files, signatures } = parts;
  const manifest = await manifestOf({ tenant, model, files, signatures }, pointer);
  return { version: pointer.version, manifest };
}
