import { randomBytes } from 'node:crypto';
import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { itemKeys } from '../../tenancy/keys.ts';
import { isConditionFailure } from './document-client.ts';

/** Makes the secret of the MAC in prediction ids, once for the life of a deployment. */
export async function ensurePredictionIdKey(client: DynamoDBDocumentClient, table: string): Promise<void> {
  try {
    await client.send(
      new PutCommand({
        TableName: table,
        Item: { ...itemKeys.predictionIdKey, secret: randomBytes(32) },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
  } catch (error) {
    if (!isConditionFailure(error)) throw error;
  }
}
