import type { ModelManifest } from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import { type Champions, NoChampionError } from './batch/batch-starter.ts';
import { manifestOf, type VersionFiles } from './batch/pinned-version.ts';

/** @returns what the deployed version is made of, without Postgres @throws {NoChampionError} */
export async function deployedManifest(
  tenant: TenantContext,
  model: ModelName,
  { champions, versions }: { readonly champions: Champions; readonly versions: VersionFiles },
): Promise<{ version: string; manifest: ModelManifest }> {
  const pointer = await champions.read(tenant, model);
  if (pointer === undefined) throw new NoChampionError(model);
  const manifest = await manifestOf({ tenant, model, files: versions }, pointer);
  return { version: pointer.version, manifest };
}
