import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DatabaseContact, DatabaseContacts } from '../../monitoring/database-contact.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import { conditionHeld } from './document-client.ts';

/** Whoever waits for it has a call to answer. */
const putWithinMs = 500;

/** One item, for all functions of a deployment. */
export class DynamoDbDatabaseContacts implements DatabaseContacts {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async put(contact: DatabaseContact): Promise<void> {
    await conditionHeld(
      this.#client.send(
        new PutCommand({
          TableName: this.#table,
          Item: { ...itemKeys.databaseContact, ...contact },
          ConditionExpression: 'attribute_not_exists(pk) OR atMs < :at',
          ExpressionAttributeValues: { ':at': contact.atMs },
        }),
        { abortSignal: AbortSignal.timeout(putWithinMs) },
      ),
    );
  }

  async last(): Promise<DatabaseContact | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: itemKeys.databaseContact }),
    );
    if (Item === undefined) return undefined;
    const { reached, atMs, code } = Item as DatabaseContact;
    return { reached, atMs, ...(code === undefined ? {} : { code }) };
  }
}
