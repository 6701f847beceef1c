import { isoAt } from '../clock.ts';
import type { ArtifactLink, MLModelMetadata } from '../contracts/models.ts';
import type { VersionArtifact } from '../registry/model-registry.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { ArtifactStore } from './artifact-store.ts';

/** @returns links to a version's files, and what whoever takes them away can verify them by */
export async function artifactLink(
  tenant: TenantContext,
  version: MLModelMetadata & VersionArtifact,
  parts: {
    readonly artifacts: Pick<ArtifactStore, 'link'>;
    readonly keys: { publicKey(keyId: string): Promise<Uint8Array | undefined> };
  },
): Promise<ArtifactLink> {
  const { build_id, signature } = version;
  const [{ url, manifestUrl, expiresAtMs }, publicKey] = await Promise.all([
    parts.artifacts.link(tenant, version.model_name, build_id),
    signature === undefined ? undefined : parts.keys.publicKey(signature.key_id),
  ]);
  return {
    ...{ url, sha256: version.sha256, bytes: version.artifact_bytes, expires_at: isoAt(expiresAtMs) },
    ...{ manifest_url: manifestUrl, manifest_sha256: version.manifestSha256 },
    ...(signature === undefined || publicKey === undefined
      ? {}
      : {
          signature: {
            ...{ ...signature, tenant: tenant.tenantId, build_id },
            public_key: Buffer.from(publicKey).toString('base64'),
          },
        }),
  };
}
