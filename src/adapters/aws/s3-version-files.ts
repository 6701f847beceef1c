import type { VersionFiles } from '../../serving/batch/pinned-version.ts';
import { isTenantKey } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { S3Objects } from './s3-objects.ts';

/** The artifact bucket, by keys that were written down with a version. */
export class S3VersionFiles implements VersionFiles {
  readonly #objects: () => S3Objects;

  constructor(objects: () => S3Objects) {
    this.#objects = objects;
  }

  async bytes(tenant: TenantContext, key: string): Promise<Uint8Array | undefined> {
    if (!isTenantKey(tenant, key)) throw new Error('a pinned version leads out of its tenant');
    return this.#objects().getBytes(tenant, key);
  }
}
