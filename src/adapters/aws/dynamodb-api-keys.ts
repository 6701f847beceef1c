import { createHash } from 'node:crypto';
import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../clock.ts';
import type { ApiKeyVerifier } from '../../tenancy/authenticate.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import type { VerifiedClaims } from '../../tenancy/tenant-context.ts';

/** A key that was found is believed a little longer than API Gateway caches the authorizer's answer (300 s). */
const believedSeconds = 360;

/** API keys by their sha256; the key itself is stored nowhere. */
export class DynamoDbApiKeys implements ApiKeyVerifier {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #clock: Clock;

  constructor(client: DynamoDBDocumentClient, table: string, clock: Clock) {
    this.#client = client;
    this.#table = table;
    this.#clock = clock;
  }

  async verify(apiKey: string): Promise<VerifiedClaims> {
    const sha256 = createHash('sha256').update(apiKey).digest('hex');
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: itemKeys.apiKey(sha256) }),
    );
    if (Item === undefined || Item.revoked_at !== undefined) return { denied: 'API_KEY_INVALID' };
    return {
      tenant: Item.tenant as string,
      role: Item.role as string,
      subject: `api-key:${sha256.slice(0, 12)}`,
      expires_at: Math.floor(this.#clock.nowMs() / 1000) + believedSeconds,
    };
  }
}
