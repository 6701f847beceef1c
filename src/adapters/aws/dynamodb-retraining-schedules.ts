import { PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ModelName } from '../../contracts/names.ts';
import type { ModelTrainingRequest } from '../../contracts/training.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { DueSchedule, RetrainingSchedules } from '../../training/retraining-schedules.ts';
import { conditionHeld, type DocumentClients, isConditionFailure } from './document-client.ts';

/** All schedules are in one partition of the index `due`: a few bytes a model, read once an hour. */
const shard = 'schedules';

/** Schedules as items of the table of jobs. */
export class DynamoDbRetrainingSchedules implements RetrainingSchedules {
  readonly #clients: DocumentClients;
  readonly #table: string;

  constructor(clients: DocumentClients, table: string) {
    this.#clients = clients;
    this.#table = table;
  }

  async set(tenant: TenantContext, request: ModelTrainingRequest, dueAt: string): Promise<void> {
    const client = await this.#clients.of(tenant);
    await client.send(
      new PutCommand({
        TableName: this.#table,
        Item: {
          ...itemKeys.schedule(tenant, request.model_name),
          due_shard: shard,
          due_at: dueAt,
          tenant: tenant.tenantId,
          subject: tenant.actor,
          request,
        },
      }),
    );
  }

  async clear(tenant: TenantContext, model: ModelName): Promise<void> {
    try {
      const client = await this.#clients.of(tenant);
      await client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: itemKeys.schedule(tenant, model),
          // Without them the row leaves the index, and is due no more.
          UpdateExpression: 'REMOVE due_shard, due_at',
          ConditionExpression: 'attribute_exists(pk)',
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
    }
  }

  async due(now: string): Promise<readonly DueSchedule[]> {
    const due: DueSchedule[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const page = await this.#clients.own.send(
        new QueryCommand({
          TableName: this.#table,
          IndexName: 'due',
          KeyConditionExpression: 'due_shard = :shard AND due_at <= :now',
          ExpressionAttributeValues: { ':shard': shard, ':now': now },
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      for (const { pk, sk, request, due_at, tenant, subject } of page.Items ?? []) {
        due.push({
          ...{ reference: JSON.stringify({ pk, sk }), request, dueAt: due_at as string },
          owner: { tenant: tenant as string, subject: subject as string },
        });
      }
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return due;
  }

  async move(tenant: TenantContext, schedule: DueSchedule, nextDueAt: string): Promise<boolean> {
    const client = await this.#clients.of(tenant);
    return conditionHeld(
      client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: JSON.parse(schedule.reference) as Record<string, string>,
          UpdateExpression: 'SET due_at = :next',
          ConditionExpression: 'due_at = :seen',
          ExpressionAttributeValues: { ':next': nextDueAt, ':seen': schedule.dueAt },
        }),
      ),
    );
  }
}
