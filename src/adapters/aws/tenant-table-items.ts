import { DeleteCommand, type DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { itemKeys } from '../../tenancy/keys.ts';
import type { Sweep, SweepOptions, TenantStore } from '../../tenancy/offboarding.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';

/** A table as the template describes it. */
export interface TableOfTenants {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey?: string;
}

const deletedAtATime = 25;

/**
 * All that a table holds of a tenant: items below its partition, and items elsewhere that name it, such as the owner of
 * a job. They are found by reading the whole table: no index leads to all of them, and one is removed once.
 */
export class TenantTableItems implements TenantStore {
  readonly name: string;
  readonly #client: DynamoDBDocumentClient;
  readonly #table: TableOfTenants;

  constructor(client: DynamoDBDocumentClient, table: TableOfTenants) {
    this.name = `table ${table.name}`;
    this.#client = client;
    this.#table = table;
  }

  remove(tenant: TenantContext, options: SweepOptions): Promise<Sweep> {
    return this.#sweep(tenant, options, (keys) => this.#delete(keys));
  }

  count(tenant: TenantContext, options: SweepOptions): Promise<Sweep> {
    return this.#sweep(tenant, options, async () => {});
  }

  async #sweep(
    tenant: TenantContext,
    { from, hasTime }: SweepOptions,
    work: (keys: readonly Record<string, unknown>[]) => Promise<void>,
  ): Promise<Sweep> {
    const { name, partitionKey, sortKey } = this.#table;
    let found = 0;
    let next = from;
    do {
      const page = await this.#client.send(
        new ScanCommand({
          TableName: name,
          ConsistentRead: true,
          FilterExpression: 'begins_with(#pk, :partition) OR #tenant = :tenant',
          ProjectionExpression: sortKey === undefined ? '#pk' : '#pk, #sk',
          ExpressionAttributeNames: {
            ...{ '#pk': partitionKey, '#tenant': 'tenant' },
            ...(sortKey === undefined ? {} : { '#sk': sortKey }),
          },
          ExpressionAttributeValues: {
            ':partition': itemKeys.partition(tenant),
            ':tenant': tenant.tenantId,
          },
          ...(next === undefined ? {} : { ExclusiveStartKey: next as Record<string, unknown> }),
        }),
      );
      const keys = page.Items ?? [];
      await work(keys);
      found += keys.length;
      next = page.LastEvaluatedKey;
    } while (next !== undefined && hasTime());
    return next === undefined ? { found } : { found, next };
  }

  async #delete(keys: readonly Record<string, unknown>[]): Promise<void> {
    for (let i = 0; i < keys.length; i += deletedAtATime) {
      const batch = keys.slice(i, i + deletedAtATime);
      await Promise.all(
        batch.map((Key) => this.#client.send(new DeleteCommand({ TableName: this.#table.name, Key }))),
      );
    }
  }
}
