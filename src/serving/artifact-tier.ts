import { MLFrameworkError } from '../errors.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';

/** An artifact as the registry knows it. */
export interface ArtifactRef {
  /** Where the store keeps it; named in errors. */
  readonly key: string;
  readonly sha256: string;
}

export interface TieredArtifact {
  readonly bytes: Uint8Array;
  readonly source: 'disk' | 'store';
}

export interface TierFigures {
  readonly limitBytes: number;
  readonly usedBytes: number;
  readonly files: number;
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  /** Files that were not what they were named for. */
  readonly damaged: number;
  readonly writeFailures: number;
}

/** The second tier of the model cache: artifact bytes, nearer than the store. */
export interface ArtifactTier {
  /**
   * @param fetch - reads the artifact from the store, where this tier does not have it
   * @returns bytes whose sha256 was verified just now; undefined when the store has no such object
   * @throws {DigestMismatchError} when the store's bytes are others
   */
  get(
    tenant: TenantContext,
    artifact: ArtifactRef,
    fetch: () => Promise<Uint8Array | undefined>,
  ): Promise<TieredArtifact | undefined>;
  figures(): TierFigures;
}

/** Bytes are not those that were registered under this sha256. */
export class DigestMismatchError extends MLFrameworkError {
  constructor(key: string, sha256: string) {
    super('ARTIFACT_DAMAGED', `${key} does not match its sha256 ${sha256}; deploy another version`);
  }
}
