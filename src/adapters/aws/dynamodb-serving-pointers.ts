import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { TrialEnvironment } from '../../contracts/environment-names.ts';
import type { ModelName } from '../../contracts/names.ts';
import type { Champions } from '../../serving/batch/batch-starter.ts';
import type { ServingPointer, ServingPointers, WithdrawnPointer } from '../../serving/serving-pointer.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { conditionHeld, type DocumentClients } from './document-client.ts';

export class DynamoDbServingPointers implements ServingPointers, Champions {
  readonly #clients: DocumentClients;
  readonly #table: string;

  constructor(clients: DocumentClients, table: string) {
    this.#clients = clients;
    this.#table = table;
  }

  /** For functions that have the SDK anyway; predict reads its pointers by itself. */
  async read(
    tenant: TenantContext,
    model: ModelName,
    environment?: TrialEnvironment,
  ): Promise<ServingPointer | undefined> {
    const client = await this.#clients.of(tenant);
    const { Item } = await client.send(
      new GetCommand({
        TableName: this.#table,
        Key: itemKeys.servingPointer(tenant, model, environment),
        ConsistentRead: true,
      }),
    );
    if (Item === undefined || Item.withdrawn === true) return undefined;
    const { pk: _pk, sk: _sk, ...pointer } = Item;
    return unflattened(pointer) as unknown as ServingPointer;
  }

  async write(tenant: TenantContext, pointer: ServingPointer | WithdrawnPointer): Promise<boolean> {
    const client = await this.#clients.of(tenant);
    return conditionHeld(
      client.send(
        new PutCommand({
          TableName: this.#table,
          Item: {
            ...itemKeys.servingPointer(tenant, pointer.model_name, pointer.environment),
            ...flat(pointer),
          },
          ConditionExpression: 'attribute_not_exists(pk) OR revision < :new',
          ExpressionAttributeValues: { ':new': pointer.revision },
        }),
      ),
    );
  }
}

const nested = ['signature', 'canary', 'shadow', 'settings'] as const;

const unflattened = (item: Record<string, unknown>): Record<string, unknown> => ({
  ...item,
  ...Object.fromEntries(
    nested
      .filter((name) => item[name] !== undefined)
      .map((name) => [name, JSON.parse(item[name] as string) as unknown]),
  ),
});

/** What is nested as JSON text, which the prediction path reads without the SDK. */
const flat = (pointer: ServingPointer | WithdrawnPointer): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(pointer)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : value]),
  );
