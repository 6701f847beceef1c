import type { Signer, TenantSessions } from '../../tenancy/credentials.ts';
import { AwsServiceError, SignedClient } from './signed-client.ts';

/** DynamoDB's wire form of the few types that are used without the SDK. */
export type AttributeValue = {
  S?: string;
  N?: string;
  BOOL?: boolean;
  B?: string;
  L?: AttributeValue[];
  M?: Item;
};
export type Item = Record<string, AttributeValue>;
type Key = { readonly pk: string; readonly sk: string };

export interface ItemUpdate {
  readonly update: string;
  readonly condition: string;
  readonly values: Readonly<Record<string, AttributeValue>>;
  /** Words of the expressions that DynamoDB keeps for itself. */
  readonly names?: Readonly<Record<string, string>>;
}

export interface SignedStoreSettings {
  readonly region: string;
  readonly endpoint?: string | undefined;
  readonly sessions: TenantSessions;
}

/** One table of DynamoDB without the SDK, for the prediction path. Each call says whose right it is made by. */
export class SignedTable {
  readonly #client: SignedClient;
  readonly #table: string;
  readonly #sessions: TenantSessions;

  /** @param options - how long the table has for an answer, and how often it is asked */
  constructor(
    settings: SignedStoreSettings & { readonly table: string },
    options: { readonly timeoutMs?: number; readonly attempts?: number } = {},
  ) {
    this.#table = settings.table;
    this.#sessions = settings.sessions;
    this.#client = new SignedClient(
      'dynamodb',
      settings.endpoint ?? `https://dynamodb.${settings.region}.amazonaws.com`,
      options,
    );
  }

  async get(signer: Signer, { pk, sk }: Key): Promise<Item | undefined> {
    const { Item: item } = (await this.#call(signer, 'GetItem', { Key: keyOf(pk, sk) })) as { Item?: Item };
    return item;
  }

  async put(signer: Signer, { pk, sk }: Key, item: Item): Promise<void> {
    await this.#call(signer, 'PutItem', { Item: { ...item, ...keyOf(pk, sk) } });
  }

  /** @returns false when the condition did not hold, and nothing was changed */
  async update(
    signer: Signer,
    { pk, sk }: Key,
    { update, condition, values, names }: ItemUpdate,
  ): Promise<boolean> {
    try {
      await this.#call(signer, 'UpdateItem', {
        Key: keyOf(pk, sk),
        UpdateExpression: update,
        ConditionExpression: condition,
        ExpressionAttributeValues: values,
        ...(names === undefined ? {} : { ExpressionAttributeNames: names }),
      });
      return true;
    } catch (error) {
      if ((error as Error).name === 'ConditionalCheckFailedException') return false;
      throw error;
    }
  }

  async #call(
    signer: Signer,
    operation: 'GetItem' | 'PutItem' | 'UpdateItem',
    request: object,
  ): Promise<unknown> {
    const { status, body } = await this.#client.send(
      {
        method: 'POST',
        path: '/',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': `DynamoDB_20120810.${operation}`,
        },
        body: JSON.stringify({ TableName: this.#table, ...request }),
      },
      signer === 'platform' ? undefined : await this.#sessions.of(signer),
    );
    const answer = JSON.parse(body.toString('utf8') || '{}') as { __type?: string };
    if (status === 200) return answer;
    throw new AwsServiceError(
      answer.__type?.split('#').at(-1) ?? 'DynamoDBError',
      status,
      `DynamoDB answered ${status} for ${this.#table}`,
    );
  }
}

const keyOf = (pk: string, sk: string): Item => ({ pk: { S: pk }, sk: { S: sk } });
