import { DeleteObjectsCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { isTenantKey, objectKeys } from '../../tenancy/keys.ts';
import type { Sweep, SweepOptions, TenantStore } from '../../tenancy/offboarding.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { S3Clients } from './s3-objects.ts';

/** S3 kept objects of a tenant that were to be deleted. */
export class ObjectsNotDeletedError extends Error {}

/** All that a bucket holds of a tenant, noncurrent versions and the marks of deleted objects included. */
export class TenantBucketObjects implements TenantStore {
  readonly name: string;
  readonly #clients: S3Clients;
  readonly #bucket: string;

  constructor(clients: S3Clients, bucket: string) {
    this.name = `bucket ${bucket}`;
    this.#clients = clients;
    this.#bucket = bucket;
  }

  /** What is gone is listed no more: each look begins at the beginning. */
  async remove(tenant: TenantContext, { hasTime }: SweepOptions): Promise<Sweep> {
    let found = 0;
    for (;;) {
      const versions = await this.#page(tenant);
      if (versions.length === 0) return { found };
      const client = await this.#clients.of(tenant);
      const { Errors = [] } = await client.send(
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
    const client = await this.#clients.of(tenant);
    const { Versions = [], DeleteMarkers = [] } = await client.send(
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
