import { DeleteCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { encodeTime } from 'ulid';
import type { JobId } from '../../contracts/names.ts';
import { itemKeys, jobPrefix } from '../../tenancy/keys.ts';
import type { AgingStore } from '../../tenancy/retention.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { DocumentClients } from './document-client.ts';

/** Jobs that ended, by when they were created: their ids begin with it. */
export class AgedJobs implements AgingStore {
  readonly #clients: DocumentClients;
  readonly #table: string;

  constructor(clients: DocumentClients, table: string) {
    this.#clients = clients;
    this.#table = table;
  }

  async removeBefore(tenant: TenantContext, beforeMs: number, hasTime: () => boolean): Promise<number> {
    let removed = 0;
    let from: Record<string, unknown> | undefined;
    do {
      // Asked for each time: a long removal outlives a session.
      const client = await this.#clients.of(tenant);
      const page = await client.send(
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
        const TableName = this.#table;
        const owner = new DeleteCommand({ TableName, Key: itemKeys.jobOwner(job_id as JobId) });
        await this.#clients.own.send(owner);
        await client.send(new DeleteCommand({ TableName, Key: itemKeys.job(tenant, job_id as JobId) }));
        removed++;
      }
      from = page.LastEvaluatedKey;
    } while (from !== undefined && hasTime());
    return removed;
  }
}
