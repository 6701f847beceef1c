import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { MLFrameworkError } from '../../errors.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import { isConditionFailure } from './document-client.ts';

/** One key id with two public keys: whoever verifies by one refuses what is signed with the other. */
export class SigningKeyChangedError extends MLFrameworkError {
  constructor(keyId: string) {
    super(
      'SIGNING_KEY_CHANGED',
      `the public key of ${keyId} is not the one that was published before; bring the key back (in the twin: the folder kms of the data folder), or sign with a key of another id`,
    );
  }
}

/** Public halves of the keys that sign manifests: items that stay when the deployment signs with another key. */
export class SigningKeys {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** @throws {SigningKeyChangedError} */
  async publish({ keyId, publicKey }: { keyId: string; publicKey: Uint8Array }): Promise<void> {
    try {
      await this.#client.send(
        new PutCommand({
          TableName: this.#table,
          Item: { ...itemKeys.signingKey(keyId), public_key: publicKey },
          ConditionExpression: 'attribute_not_exists(pk) OR public_key = :key',
          ExpressionAttributeValues: { ':key': publicKey },
        }),
      );
    } catch (error) {
      throw isConditionFailure(error) ? new SigningKeyChangedError(keyId) : error;
    }
  }

  async publicKey(keyId: string): Promise<Uint8Array | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: itemKeys.signingKey(keyId) }),
    );
    return Item?.public_key as Uint8Array | undefined;
  }
}
