import { DeleteCommand, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../clock.ts';
import type { KeyId } from '../../contracts/names.ts';
import { apiKeyHash, isMistyped } from '../../tenancy/api-key.ts';
import { type ApiKeyStore, apiKeySubject, type StoredApiKey } from '../../tenancy/api-keys.ts';
import type { ApiKeyVerifier } from '../../tenancy/authenticate.ts';
import { apiKeyPrefix, itemKeys } from '../../tenancy/keys.ts';
import type { TenantContext, VerifiedClaims } from '../../tenancy/tenant-context.ts';
import type { DocumentClients } from './document-client.ts';

/** A key that was found is believed a little longer than API Gateway caches the authorizer's answer (300 s). */
const believedSeconds = 360;

/**
 * API keys as two items each: by its sha256, for whoever sends the key, and below its tenant, for whoever manages keys.
 * The key itself is stored nowhere.
 */
export class DynamoDbApiKeys implements ApiKeyVerifier, ApiKeyStore {
  readonly #clients: DocumentClients;
  readonly #table: string;
  readonly #clock: Clock;

  constructor(clients: DocumentClients, table: string, clock: Clock) {
    this.#clients = clients;
    this.#table = table;
    this.#clock = clock;
  }

  async verify(apiKey: string): Promise<VerifiedClaims> {
    if (isMistyped(apiKey)) return { denied: 'API_KEY_INVALID' };
    const sha256 = apiKeyHash(apiKey);
    const { Item } = await this.#clients.own.send(
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
    const client = await this.#clients.of(tenant);
    await client.send(
      new PutCommand({
        TableName: this.#table,
        Item: { ...itemKeys.listedApiKey(tenant, key.key_id), ...key },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
    const { key_id, role, scopes, expires_at } = key;
    await this.#clients.own.send(
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
    const client = await this.#clients.of(tenant);
    const keys: StoredApiKey[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const {
        Items = [],
        LastEvaluatedKey,
      }: { Items?: Record<string, unknown>[]; LastEvaluatedKey?: typeof from } = await client.send(
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
    const client = await this.#clients.of(tenant);
    const { Item } = await client.send(new GetCommand({ TableName: this.#table, Key, ConsistentRead: true }));
    return Item === undefined ? undefined : keyOf(Item);
  }

  async remove(tenant: TenantContext, key: StoredApiKey): Promise<void> {
    const TableName = this.#table;
    const client = await this.#clients.of(tenant);
    await this.#clients.own.send(new DeleteCommand({ TableName, Key: itemKeys.apiKey(key.sha256) }));
    await client.send(new DeleteCommand({ TableName, Key: itemKeys.listedApiKey(tenant, key.key_id) }));
  }
}

function keyOf(item: Record<string, unknown>): StoredApiKey {
  const { pk: _pk, sk: _sk, ...key } = item;
  return key as unknown as StoredApiKey;
}
