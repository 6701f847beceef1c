import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { ModelName } from '../../contracts/names.ts';
import type { Feedback, FeedbackStore } from '../../monitoring/feedback.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { DocumentClients } from './document-client.ts';

/** Feedback as items, ordered by the time of the prediction within a version. */
export class DynamoDbFeedbackStore implements FeedbackStore {
  readonly #clients: DocumentClients;
  readonly #table: string;
  readonly #keptDays: number;

  constructor(clients: DocumentClients, table: string, keptDays: number) {
    this.#clients = clients;
    this.#table = table;
    this.#keptDays = keptDays;
  }

  async put(tenant: TenantContext, feedback: Feedback): Promise<void> {
    const { modelName, modelVersion, predictedAt, predictionId } = feedback;
    const of = { model: modelName, version: modelVersion };
    const client = await this.#clients.of(tenant);
    await client.send(
      new PutCommand({
        TableName: this.#table,
        Item: {
          ...itemKeys.feedback(tenant, of, { predictedAt, predictionId }),
          ...feedback,
          expires_at: Math.floor(Date.parse(predictedAt) / 1000) + this.#keptDays * 24 * 60 * 60,
        },
      }),
    );
  }

  async since(
    tenant: TenantContext,
    of: { readonly model: ModelName; readonly version: string },
    { from, limit }: { readonly from: string; readonly limit: number },
  ): Promise<readonly Feedback[]> {
    const { pk, prefix } = itemKeys.feedbackOf(tenant, of);
    const client = await this.#clients.of(tenant);
    const found: Feedback[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
          // Times are digits and letters; the last of them is followed by none that is above "~".
          ExpressionAttributeValues: { ':pk': pk, ':from': `${prefix}${from}`, ':to': `${prefix}~` },
          ScanIndexForward: false,
          Limit: Math.min(limit - found.length, 1_000),
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
      );
      for (const { pk: _pk, sk: _sk, expires_at: _e, ...item } of page.Items ?? [])
        found.push({ ...item, comment: item.comment as string | undefined } as Feedback);
      start = page.LastEvaluatedKey;
    } while (start !== undefined && found.length < limit);
    return found;
  }
}
