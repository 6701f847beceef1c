import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../clock.ts';
import type { KeyId } from '../../contracts/names.ts';
import { apiKeyHash, isMistyped } from '../../tenancy/api-key.ts';
import { type ApiKeyStore, apiKeySubject, type StoredApiKey } from '../../tenancy/api-keys.ts';
import type { ApiKeyVerifier } from '../../tenancy/authenticate.ts';
import { apiKeyPrefix, itemKeys } from '../../tenancy/keys.ts';
import type { TenantContext, VerifiedClaims } from '../../tenancy/tenant-context.ts';

/** A key that was found is believed a little longer than API Gateway caches the authorizer's answer (300 s). */
const believedSeconds = 360;

/**
 * API keys as two items each: by its sha256, for whoever sends the key, and below its tenant, for whoever manages keys.
 * The key itself is stored nowhere.
 */
export class DynamoDbApiKeys implements ApiKeyVerifier, ApiKeyStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #clock: Clock;

  constructor(client: DynamoDBDocumentClient, table: string, clock: Clock) {
    this.#client = client;
    this.#table = table;
    this.#clock = clock;
  }

  async verify(apiKey: string): Promise<VerifiedClaims> {
    if (isMistyped(apiKey)) return { denied: 'API_KEY_INVALID' };
    const sha256 = apiKeyHash(apiKey);
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: itemKeys.apiKey(sha256), ConsistentRead: true }),
    );
    const nowSeconds = Math.floor(this.#clock.nowMs() / 1000);
    const endsAt =
      Item?.expires_at === undefined ? Number.POSITIVE_INFINITY : Date.parse(Item.expires_at) / 1000;
    // Written so that an end that is no date has passed.
    if (Item === undefined || Item.revoked_at !== undefined || !(nowSeconds < endsAt))
      return { denied: 'API_KEY_INVALID' };
    return {
      tenant: Item.tenant as string,
      role: Item.role as string,
      ...(Item.scope === undefined ? {} : { scope: Item.scope as string }),
      subject: apiKeySubject((Item.key_id as string | undefined) ?? sha256.slice(0, 12)),
      expires_at: Math.floor(Math.min(nowSeconds + believedSeconds, endsAt)),
    };
  }

  async add(tenant: TenantContext, key: StoredApiKey): Promise<void> {
    await this.#client.send(
      new PutCommand({
        TableName: this.#table,
        Item: { ...itemKeys.listedApiKey(tenant, key.key_id), ...key },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
    const { key_id, role, scopes, expires_at } = key;
    await this.#client.send(
      new PutCommand({
        TableName: this.#table,
        Item: {
          ...itemKeys.apiKey(key.sha256),
          ...{ tenant: tenant.tenantId, key_id, role, expires_at },
          ...(scopes === undefined ? {} : { scope: scopes.join(' ') }),
        },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
  }

  async list(tenant: TenantContext): Promise<readonly StoredApiKey[]> {
    const keys: StoredApiKey[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const {
        Items = [],
        LastEvaluatedKey,
      }: { Items?: Record<string, unknown>[]; LastEvaluatedKey?: typeof from } = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :keys)',
          ExpressionAttributeValues: { ':pk': itemKeys.partition(tenant), ':keys': apiKeyPrefix },
          ConsistentRead: true,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      keys.push(...Items.map(keyOf));
      from = LastEvaluatedKey;
    } while (from !== undefined);
    return keys;
  }

  async get(tenant: TenantContext, keyId: KeyId): Promise<StoredApiKey | undefined> {
    const Key = itemKeys.listedApiKey(tenant, keyId);
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : keyOf(Item);
  }

  async remove(tenant: TenantContext, key: StoredApiKey): Promise<void> {
    for (const Key of [itemKeys.apiKey(key.sha256), itemKeys.listedApiKey(tenant, key.key_id)])
      await this.#client.send(new DeleteCommand({ TableName: this.#table, Key }));
  }
}

function keyOf(item: Record<string, unknown>): StoredApiKey {
  const { pk: _pk, sk: _sk, ...key } = item;
  return key as unknown as StoredApiKey;
}
