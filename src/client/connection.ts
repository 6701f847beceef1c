import { ModelName } from '../contracts/names.ts';
import { parseWith } from '../contracts/parse-with.ts';
import { ValidationError } from '../errors.ts';
import { ApiError, HttpClient, type TokenSource } from './http-client.ts';
import { isLoopback, twinToken } from './twin-token.ts';

/** Where the platform is, and who asks. */
export interface ConnectionOptions {
  /** @default 'http://127.0.0.1:5000' - the twin on this machine */
  readonly url?: string;
  /** An access token or an API key, or what gives one whenever it is asked. @default - on this machine the twin's own issuer is asked for one */
  readonly token?: string | TokenSource;
  /** The tenant that is meant. It never chooses one: a token of another tenant is refused. @default - that of the token */
  readonly tenantId?: string;
}

const twinUrl = 'http://127.0.0.1:5000';

/** A tenant was named that is not the tenant of the token. */
export class TenantMismatchError extends ValidationError {
  constructor(named: string, actual: string) {
    super(
      `tenantId ${JSON.stringify(named)} is not the tenant of the token, which is ${JSON.stringify(actual)}; leave tenantId out, or use a token of ${named}`,
      { code: 'TENANT_MISMATCH', evidence: { tenant_id: named } },
    );
  }
}

/** What all parts of the facade speak through. */
export class Connection {
  /** Sends nothing under a token of another tenant than the one that was named. */
  readonly client: HttpClient;
  readonly #unchecked: HttpClient;
  readonly #token: TokenSource;
  readonly #named: string | undefined;
  #known: { readonly token: string | undefined; readonly tenant: Promise<string> } | undefined;

  /** @throws {ValidationError} when the address is none, or its token is missing */
  constructor({ url = twinUrl, token, tenantId }: ConnectionOptions = {}) {
    if (!URL.canParse(url))
      throw new ValidationError(
        `url ${JSON.stringify(url)} must be an address such as https://ml.example.com`,
      );
    this.#named = tenantId;
    this.#token = tokenSource(url, token, tenantId);
    this.#unchecked = new HttpClient(url, this.#token);
    this.client = new HttpClient(url, async () => {
      await this.requireTenant();
      return this.#token();
    });
  }

  /** @returns the connection that was given, or a new one */
  static of(given: ConnectionOptions | Connection = {}): Connection {
    return given instanceof Connection ? given : new Connection(given);
  }

  /**
   * @returns the tenant of the token, as the server says; it is asked once for a token
   * @throws {ApiError} also when the token may not read it: it takes `models:read`
   */
  async tenant(): Promise<string> {
    const token = await this.#token();
    if (this.#known?.token !== token) {
      const tenant = this.#unchecked.call('modelCache', {}).then(({ tenant_id }) => tenant_id);
      this.#known = { token, tenant };
      // A failure is not remembered.
      tenant.catch(() => {
        this.#known = undefined;
      });
    }
    return this.#known!.tenant;
  }

  /**
   * Sees that what was said of the tenant, here and when the connection was made, is the tenant of the token.
   * @throws {TenantMismatchError}
   * @throws {ValidationError} TENANT_UNKNOWN, when the token may not read which tenant it is of
   */
  async requireTenant(tenantId?: string): Promise<void> {
    const named = [this.#named, tenantId].filter((one) => one !== undefined);
    if (named.length === 0) return;
    const tenant = await this.tenant().catch((error: unknown) => {
      if (!(error instanceof ApiError) || error.code !== 'SCOPE_MISSING') throw error;
      throw new ValidationError(
        `tenantId ${JSON.stringify(named[0])} cannot be compared with the token, which lacks models:read; leave tenantId out, or use a token with that scope`,
        { code: 'TENANT_UNKNOWN', cause: error },
      );
    });
    for (const one of named) if (one !== tenant) throw new TenantMismatchError(one, tenant);
  }
}

function tokenSource(
  url: string,
  token: string | TokenSource | undefined,
  tenantId: string | undefined,
): TokenSource {
  if (typeof token === 'function') return token;
  if (token !== undefined && token !== '') return async () => token;
  if (!isLoopback(url))
    throw new ValidationError(
      `token is missing: give an access token or an API key for ${url}; only the twin on this machine gives tokens to everybody`,
      { code: 'TOKEN_REQUIRED' },
    );
  let issued: Promise<string> | undefined;
  return () => {
    issued ??= twinToken(url, { tenant: tenantId ?? 'demo' }).then(({ access_token }) => access_token);
    issued.catch(() => {
      issued = undefined;
    });
    return issued;
  };
}

/** @throws {ValidationError} when no model can have the name */
export const modelNameOf = (modelId: string): ModelName =>
  parseWith(ModelName, modelId, 'the name of a model');
