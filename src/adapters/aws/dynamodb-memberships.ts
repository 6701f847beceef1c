import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { itemKeys } from '../../tenancy/keys.ts';

export interface Membership {
  readonly tenant: string;
  readonly role: string;
}

/** Which tenant a user of the deployment's user pool belongs to. */
export class DynamoDbMemberships {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async of(subject: string): Promise<Membership | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: itemKeys.membership(subject) }),
    );
    return Item === undefined ? undefined : { tenant: Item.tenant as string, role: Item.role as string };
  }
}
