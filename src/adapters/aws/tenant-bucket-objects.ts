import { DeleteObjectsCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import { isTenantKey, objectKeys } from '../../tenancy/keys.ts';
import type { Sweep, SweepOptions, TenantStore } from '../../tenancy/offboarding.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';

/** S3 kept objects of a tenant that were to be deleted. */
export class ObjectsNotDeletedError extends Error {}

/** All that a bucket holds of a tenant, noncurrent versions and the marks of deleted objects included. */
export class TenantBucketObjects implements TenantStore {
  readonly name: string;
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.name = `bucket ${bucket}`;
    this.#client = client;
    this.#bucket = bucket;
  }

  /** What is gone is listed no more: each look begins at the beginning. */
  async remove(tenant: TenantContext, { hasTime }: SweepOptions): Promise<Sweep> {
    let found = 0;
    for (;;) {
      const versions = await this.#page(tenant);
      if (versions.length === 0) return { found };
      const { Errors = [] } = await this.#client.send(
        new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects: versions, Quiet: true } }),
      );
      if (Errors.length > 0)
        throw new ObjectsNotDeletedError(
          `${Errors.length} objects of ${this.#bucket} could not be deleted; the first: ${Errors[0]!.Code}`,
        );
      found += versions.length;
      if (!hasTime()) return { found, next: {} };
    }
  }

  async count(tenant: TenantContext): Promise<Sweep> {
    return { found: (await this.#page(tenant)).length };
  }

  /** A thousand at most. */
  async #page(tenant: TenantContext): Promise<{ Key: string; VersionId?: string }[]> {
    const { Versions = [], DeleteMarkers = [] } = await this.#client.send(
      new ListObjectVersionsCommand({ Bucket: this.#bucket, Prefix: objectKeys.all(tenant) }),
    );
    return [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => {
      // What is deleted here does not come back: the listing is not believed blindly.
      if (Key === undefined || !isTenantKey(tenant, Key))
        throw new ObjectsNotDeletedError(`${this.#bucket} lists a key outside of what was asked for`);
      return { Key, ...(VersionId === undefined ? {} : { VersionId }) };
    });
  }
}
