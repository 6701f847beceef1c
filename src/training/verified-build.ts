import type { ModelName } from '../contracts/names.ts';
import { MLFrameworkError } from '../errors.ts';
import type { ManifestSignatures } from '../serving/manifest-signatures.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { ArtifactStore } from './artifact-store.ts';

/** The build that an earlier step wrote is not there as it was written. */
export class BuildMissingError extends MLFrameworkError {
  constructor(buildId: string) {
    super('BUILD_MISSING', `build ${buildId} is gone or changed since it was exported; train again`);
  }
}

/**
 * Reads back what a step of this job has written.
 * @throws {BuildMissingError} when it is gone, or another
 * @throws {ArtifactSignatureInvalidError} when it would be refused where it is served
 */
export async function verifiedBuild(
  { artifacts, signatures }: { artifacts: ArtifactStore; signatures: ManifestSignatures },
  tenant: TenantContext,
  model: ModelName,
  written: { readonly build_id?: string; readonly manifest_sha256?: string },
) {
  const build = await artifacts.manifest(tenant, model, written.build_id!);
  if (build === undefined || build.manifestSha256 !== written.manifest_sha256)
    throw new BuildMissingError(written.build_id!);
  const { manifest, manifestSha256, signature } = build;
  const check = await signatures.checkOf(tenant.tenantId, model, {
    ...{ version: manifest.build_id, manifest_sha256: manifestSha256 },
    artifact_sha256: manifest.artifact.sha256,
    ...(signature === undefined ? {} : { signature }),
  });
  check(manifest);
  return build;
}
