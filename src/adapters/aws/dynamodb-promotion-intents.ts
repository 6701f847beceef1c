import { DeleteCommand, GetCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { ulid } from 'ulid';
import type { Clock } from '../../clock.ts';
import { ModelName } from '../../contracts/names.ts';
import type { PromotionIntents } from '../../registry/promotion.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { DocumentClients } from './document-client.ts';

/** Where an intent stands in its table; what the repair job hands to the relay. */
export interface IntentReference {
  readonly pk: string;
  readonly sk: string;
}

export interface OpenIntent {
  readonly intentId: string;
  readonly modelName: ModelName;
}

export const intentReferenceText = ({ pk, sk }: IntentReference): string => JSON.stringify({ pk, sk });

export class DynamoDbPromotionIntents implements PromotionIntents {
  readonly #clients: DocumentClients;
  readonly #table: string;
  readonly #clock: Clock;

  constructor(clients: DocumentClients, table: string, clock: Clock) {
    this.#clients = clients;
    this.#table = table;
    this.#clock = clock;
  }

  async open(tenant: TenantContext, model: ModelName): Promise<string> {
    const nowMs = this.#clock.nowMs();
    const intentId = ulid(nowMs);
    const client = await this.#clients.of(tenant);
    await client.send(
      new PutCommand({
        TableName: this.#table,
        Item: {
          ...itemKeys.promotionIntent(tenant, model, intentId),
          intent_id: intentId,
          tenant: tenant.tenantId,
          subject: tenant.actor,
          model_name: model,
          opened_at_ms: nowMs,
        },
      }),
    );
    return intentId;
  }

  async close(tenant: TenantContext, model: ModelName, intentId: string): Promise<void> {
    const client = await this.#clients.of(tenant);
    await client.send(
      new DeleteCommand({
        TableName: this.#table,
        Key: itemKeys.promotionIntent(tenant, model, intentId),
      }),
    );
  }

  /** The intent's own row, written by the authenticated call that opened it, says whose it is. */
  async ownerOf(reference: string): Promise<{ tenant: string; subject: string } | undefined> {
    const item = await this.#item(JSON.parse(reference) as IntentReference);
    return item === undefined
      ? undefined
      : { tenant: item.tenant as string, subject: item.subject as string };
  }

  /** @returns what the reference leads to, `undefined` when it was closed meanwhile */
  async read(reference: IntentReference): Promise<OpenIntent | undefined> {
    const item = await this.#item(reference);
    if (item === undefined) return undefined;
    return { intentId: item.intent_id as string, modelName: ModelName.parse(item.model_name) };
  }

  /** @returns references of all that are open, with how long they have been */
  async waiting(): Promise<{ reference: IntentReference; ageMs: number }[]> {
    const nowMs = this.#clock.nowMs();
    const found: { reference: IntentReference; ageMs: number }[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const page = await this.#clients.own.send(
        new ScanCommand({
          TableName: this.#table,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      for (const { pk, sk, opened_at_ms } of page.Items ?? [])
        found.push({ reference: { pk, sk } as IntentReference, ageMs: nowMs - Number(opened_at_ms) });
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return found;
  }

  async #item({ pk, sk }: IntentReference): Promise<Record<string, unknown> | undefined> {
    const { Item } = await this.#clients.own.send(
      new GetCommand({ TableName: this.#table, Key: { pk, sk }, ConsistentRead: true }),
    );
    return Item;
  }
}
