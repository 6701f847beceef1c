import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { JobId, ModelName } from '../../contracts/names.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { RetrainingRun, RetrainingRuns } from '../../training/retraining.ts';
import { conditionHeld, type DocumentClients } from './document-client.ts';

/** One item a model in the table of jobs: whoever replaces it first may retrain. */
export class DynamoDbRetrainingRuns implements RetrainingRuns {
  readonly #clients: DocumentClients;
  readonly #table: string;

  constructor(clients: DocumentClients, table: string) {
    this.#clients = clients;
    this.#table = table;
  }

  async current(tenant: TenantContext, model: ModelName): Promise<RetrainingRun | undefined> {
    const client = await this.#clients.of(tenant);
    const { Item } = await client.send(
      new GetCommand({
        TableName: this.#table,
        Key: itemKeys.retraining(tenant, model),
        ConsistentRead: true,
      }),
    );
    return Item && { jobId: Item.job_id as JobId, takenAtMs: Number(Item.taken_at_ms) };
  }

  async replace(
    tenant: TenantContext,
    model: ModelName,
    { before, after }: { readonly before: JobId | undefined; readonly after: RetrainingRun },
  ): Promise<boolean> {
    const client = await this.#clients.of(tenant);
    return conditionHeld(
      client.send(
        new PutCommand({
          TableName: this.#table,
          Item: { ...itemKeys.retraining(tenant, model), job_id: after.jobId, taken_at_ms: after.takenAtMs },
          ...(before === undefined
            ? { ConditionExpression: 'attribute_not_exists(pk)' }
            : {
                ConditionExpression: 'job_id = :before',
                ExpressionAttributeValues: { ':before': before },
              }),
        }),
      ),
    );
  }
}
