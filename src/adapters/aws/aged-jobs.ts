import { DeleteCommand, type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { encodeTime } from 'ulid';
import type { JobId } from '../../contracts/names.ts';
import { itemKeys, jobPrefix } from '../../tenancy/keys.ts';
import type { AgingStore } from '../../tenancy/retention.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';

/** Jobs that ended, by when they were created: their ids begin with it. */
export class AgedJobs implements AgingStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async removeBefore(tenant: TenantContext, beforeMs: number, hasTime: () => boolean): Promise<number> {
    let removed = 0;
    let from: Record<string, unknown> | undefined;
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
          FilterExpression: 'NOT #status IN (:queued, :running)',
          ProjectionExpression: 'job_id',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ...{ ':pk': itemKeys.partition(tenant), ':queued': 'queued', ':running': 'running' },
            ...{ ':first': jobPrefix, ':last': `${jobPrefix}${encodeTime(beforeMs, 10)}` },
          },
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      for (const { job_id } of page.Items ?? []) {
        // The job last: one without an owner is found again tomorrow, an owner without a job would not be.
        for (const Key of [itemKeys.jobOwner(job_id as JobId), itemKeys.job(tenant, job_id as JobId)])
          await this.#client.send(new DeleteCommand({ TableName: this.#table, Key }));
        removed++;
      }
      from = page.LastEvaluatedKey;
    } while (from !== undefined && hasTime());
    return removed;
  }
}
