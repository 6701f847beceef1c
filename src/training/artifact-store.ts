import type { ManifestSignature, ModelManifest } from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';

export interface StoredArtifact {
  readonly artifactKey: string;
  readonly manifestKey: string;
  readonly manifestSha256: string;
  /** @default - the build was made before builds were signed */
  readonly signature?: ManifestSignature;
}

/** The bytes of model versions, under the tenant's prefix. A build is written once and never changed. */
export interface ArtifactStore {
  /**
   * Writes the graph and what explains it, the signature, then the manifest: a build exists when its manifest does. It
   * is signed here and nowhere else.
   */
  put(
    tenant: TenantContext,
    manifest: ModelManifest,
    graph: Uint8Array,
    explainer?: Uint8Array,
  ): Promise<StoredArtifact>;
  /** @returns the manifest with the hash of its bytes, not verified; `undefined` when there is no such build */
  manifest(
    tenant: TenantContext,
    model: ModelName,
    buildId: string,
  ): Promise<(StoredArtifact & { manifest: ModelManifest }) | undefined>;
  /** @returns presigned links to the graph and to the manifest */
  link(
    tenant: TenantContext,
    model: ModelName,
    buildId: string,
  ): Promise<{ url: string; manifestUrl: string; expiresAtMs: number }>;
  /** Removes the bytes of a build; removing it again does nothing. */
  remove(tenant: TenantContext, model: ModelName, buildId: string): Promise<void>;
}
