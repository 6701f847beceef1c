import { DeleteObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { objectKeys } from '../../tenancy/keys.ts';
import type { AgingStore } from '../../tenancy/retention.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { S3Clients } from './s3-objects.ts';
import { ObjectsNotDeletedError } from './tenant-bucket-objects.ts';

/** Whole days of the prediction log, whose objects lie below their day. */
export class AgedPredictions implements AgingStore {
  readonly #clients: S3Clients;
  readonly #bucket: string;

  constructor(clients: S3Clients, bucket: string) {
    this.#clients = clients;
    this.#bucket = bucket;
  }

  async removeBefore(tenant: TenantContext, beforeMs: number, hasTime: () => boolean): Promise<number> {
    let removed = 0;
    // Days sort as their names do: what lies before this key is of a day before.
    const first = objectKeys.predictionDay(tenant, beforeMs);
    while (hasTime()) {
      // Asked for each time: a long removal outlives a session.
      const client = await this.#clients.of(tenant);
      const { Contents = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: objectKeys.predictions(tenant) }),
      );
      const Objects = Contents.filter(({ Key }) => Key! < first).map(({ Key }) => ({ Key: Key! }));
      if (Objects.length === 0) break;
      const { Errors = [] } = await client.send(
        new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }),
      );
      if (Errors.length > 0)
        throw new ObjectsNotDeletedError(
          `${Errors.length} objects of ${this.#bucket} could not be deleted; the first: ${Errors[0]!.Code}`,
        );
      removed += Objects.length;
    }
    return removed;
  }
}
