import type { z } from 'zod';
import type { WholeModelDeleted } from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { ArtifactStore } from '../training/artifact-store.ts';
import { type ModelCatalog, ModelDeployedError } from './model-catalog.ts';
import type { ModelRegistry } from './model-registry.ts';
import type { Promotion } from './promotion.ts';

export interface DeletionParts {
  readonly registry: ModelRegistry;
  readonly catalog: ModelCatalog;
  readonly promotion: Promotion;
  readonly artifacts: Pick<ArtifactStore, 'remove'>;
}

/**
 * Deletes a version: it serves no more, its bytes go, then its row; one that was interrupted can be sent again until
 * nothing is left. Bytes that another version shares stay.
 * @returns its number
 * @throws {VersionDeployedError} when it serves and that is not forced
 */
export async function deleteVersion(
  tenant: TenantContext,
  model: ModelName,
  name: string,
  options: { readonly force: boolean },
  { registry, promotion, artifacts }: DeletionParts,
): Promise<string> {
  const { version } = await promotion.retire(tenant, model, name, options);
  if ((await registry.removeSharing(tenant, model, version.version)) === undefined) {
    await artifacts.remove(tenant, model, version.build_id);
    await registry.remove(tenant, model, version.version);
  }
  return version.version;
}

/** Deletes every version, then the model. @throws {ModelDeployedError} when it serves and that is not forced */
export async function deleteModel(
  tenant: TenantContext,
  model: ModelName,
  options: { readonly force: boolean },
  parts: DeletionParts,
): Promise<z.infer<typeof WholeModelDeleted>> {
  const { environments } = await parts.registry.model(tenant, model);
  if (environments.length > 0 && !options.force) throw new ModelDeployedError(model, 'deleted');
  // What serves goes first: a deletion that is interrupted leaves nothing that predicts.
  for (const serving of new Set(environments.map(({ model_version }) => model_version)))
    await parts.promotion.retire(tenant, model, serving, options);
  const versions: string[] = [];
  for (;;) {
    const { items } = await parts.catalog.versions(tenant, model, { limit: 100 });
    if (items.length === 0) break;
    for (const { version } of items)
      versions.push(await deleteVersion(tenant, model, version, options, parts));
  }
  await parts.catalog.removeModel(tenant, model);
  return { model_name: model, versions, status: 'deleted' };
}
