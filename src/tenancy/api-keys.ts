import { type Clock, isoAt } from '../clock.ts';
import type { KeyId } from '../contracts/names.ts';
import { type Role, roleScopes, type Scope, scopes } from '../contracts/scopes.ts';
import type { ApiKey, ApiKeyCreated, ApiKeyRequest } from '../contracts/tenant.ts';
import { MLFrameworkError } from '../errors.ts';
import { apiKeyHash, newApiKey, shownPrefix } from './api-key.ts';
import { requireScope } from './scopes.ts';
import { type TenantContext, UnauthenticatedError } from './tenant-context.ts';

export class ApiKeyNotFoundError extends MLFrameworkError {
  constructor(keyId: string) {
    super('API_KEY_NOT_FOUND', `no API key ${keyId}; GET /api/v1/ml/api-keys lists yours`);
  }
}

export class TooManyApiKeysError extends MLFrameworkError {
  constructor(count: number) {
    super(
      'TOO_MANY_API_KEYS',
      `the tenant has ${count} API keys and may have ${maxApiKeys}; revoke those not used`,
    );
  }
}

/** What is kept of a key. */
export interface StoredApiKey extends Omit<ApiKey, 'scopes' | 'role'> {
  readonly sha256: string;
  /** Of the key, or of who made it where the key was made for scopes. */
  readonly role: Role;
  /** Scopes that narrow the role. */
  readonly scopes?: readonly Scope[];
}

export interface ApiKeyStore {
  /** Lists the key first: one that can be used can be seen, and revoked, whenever this ends. */
  add(tenant: TenantContext, key: StoredApiKey): Promise<void>;
  /** Oldest first. */
  list(tenant: TenantContext): Promise<readonly StoredApiKey[]>;
  get(tenant: TenantContext, keyId: KeyId): Promise<StoredApiKey | undefined>;
  /** Ends its use first, then takes it from the list. */
  remove(tenant: TenantContext, key: StoredApiKey): Promise<void>;
}

export interface ApiKeyParts {
  readonly store: ApiKeyStore;
  readonly newId: () => string;
  readonly clock: Clock;
}

export const maxApiKeys = 100;
const dayMs = 24 * 60 * 60 * 1000;

/** Who calls with an API key is called so. */
export const apiKeySubject = (keyId: string): string => `api-key:${keyId}`;
const keyOfSubject = /^api-key:([0-9A-HJKMNP-TV-Z]{26})$/;

/** API keys of a tenant, for its machines. */
export class ApiKeys {
  readonly #parts: ApiKeyParts;

  constructor(parts: ApiKeyParts) {
    this.#parts = parts;
  }

  /**
   * @throws {ScopeMissingError} a key may do no more than who makes it
   * @throws {TooManyApiKeysError}
   */
  async create(tenant: TenantContext, request: ApiKeyRequest): Promise<ApiKeyCreated> {
    const { store, clock, newId } = this.#parts;
    const { name, role, expires_in_days } = request;
    for (const scope of role === undefined ? request.scopes! : roleScopes[role]) requireScope(tenant, scope);
    const count = (await store.list(tenant)).length;
    if (count >= maxApiKeys) throw new TooManyApiKeysError(count);
    const api_key = newApiKey();
    const nowMs = clock.nowMs();
    const key: StoredApiKey = {
      key_id: newId() as KeyId,
      name,
      prefix: shownPrefix(api_key),
      sha256: apiKeyHash(api_key),
      role: role ?? tenant.role,
      ...(role === undefined ? { scopes: scopes.filter((scope) => request.scopes!.includes(scope)) } : {}),
      created_by: tenant.actor,
      created_at: isoAt(nowMs),
      ...(expires_in_days === undefined ? {} : { expires_at: isoAt(nowMs + expires_in_days * dayMs) }),
    };
    await store.add(tenant, key);
    return { ...viewOf(key), api_key };
  }

  async list(tenant: TenantContext): Promise<ApiKey[]> {
    return (await this.#parts.store.list(tenant)).map(viewOf);
  }

  /** @throws {ApiKeyNotFoundError} */
  async revoke(tenant: TenantContext, keyId: KeyId): Promise<void> {
    const key = await this.#parts.store.get(tenant, keyId);
    if (key === undefined) throw new ApiKeyNotFoundError(keyId);
    await this.#parts.store.remove(tenant, key);
  }

  /**
   * The gateway believes in a key for five minutes after it was revoked: whoever holds it must not make a new one, or
   * let others in, meanwhile.
   * @throws {UnauthenticatedError} API_KEY_INVALID
   */
  async checkNotRevoked(tenant: TenantContext): Promise<void> {
    const keyId = keyOfSubject.exec(tenant.actor)?.[1];
    if (keyId === undefined) return;
    if ((await this.#parts.store.get(tenant, keyId as KeyId)) === undefined)
      throw new UnauthenticatedError('API_KEY_INVALID', 'the API key was revoked; make a new one');
  }
}

function viewOf({ sha256: _, role, scopes: narrowed, ...key }: StoredApiKey): ApiKey {
  return narrowed === undefined
    ? { ...key, role, scopes: [...roleScopes[role]] }
    : { ...key, scopes: [...narrowed] };
}
