import type { TenantSessions } from '../../tenancy/credentials.ts';
import { isTenantKey } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { AwsServiceError, SignedClient, type SignedRequest, type SignedResponse } from './signed-client.ts';
import type { SignedStoreSettings } from './signed-table.ts';

/** Keys under a prefix. */
export interface KeyListing {
  readonly keys: readonly string[];
  /** What lies one level below, where a delimiter was given. */
  readonly prefixes: readonly string[];
}

/** A bucket of the tenants' objects without the SDK: what the prediction path reads and writes. */
export class SignedObjects {
  readonly #s3: SignedClient;
  readonly #bucket: string;
  readonly #sessions: TenantSessions;
  /** Before the key in a request's path: empty where the bucket is in the host's name. */
  readonly #pathPrefix: string;

  constructor(settings: SignedStoreSettings & { readonly bucket: string }) {
    const { region, bucket, endpoint, sessions } = settings;
    this.#bucket = bucket;
    this.#sessions = sessions;
    this.#s3 = new SignedClient('s3', endpoint ?? `https://${bucket}.s3.${region}.amazonaws.com`);
    this.#pathPrefix = endpoint === undefined ? '' : `/${bucket}`;
  }

  /** @returns `undefined` when there is no such object */
  async get(tenant: TenantContext, key: string): Promise<Uint8Array | undefined> {
    const answer = await this.#send(tenant, {
      method: 'GET',
      path: this.#pathOf(tenant, key),
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    });
    if (answer.status === 200) return answer.body;
    const failure = this.#failure(answer);
    if (failure.name === 'NoSuchKey') return undefined;
    // S3 says that a key is missing only to who may list the whole bucket. A tenant may list what is its own.
    if (failure.name === 'AccessDenied' && (await this.#isMissing(tenant, key))) return undefined;
    throw failure;
  }

  /** @returns a link by which the object can be read for so long, by whoever has it */
  async link(tenant: TenantContext, key: string, seconds: number): Promise<string> {
    const path = this.#pathOf(tenant, key);
    return this.#s3.link(path, seconds, await this.#sessions.of(tenant, seconds * 1000));
  }

  async put(tenant: TenantContext, key: string, body: Uint8Array, contentType: string): Promise<void> {
    const answer = await this.#send(tenant, {
      method: 'PUT',
      path: this.#pathOf(tenant, key),
      headers: { 'content-type': contentType },
      body,
    });
    if (answer.status !== 200) throw this.#failure(answer);
  }

  /** The first keys under a prefix, in order. @param limit - at most 1000 */
  async list(
    tenant: TenantContext,
    prefix: string,
    options: { readonly limit: number; readonly delimiter?: string },
  ): Promise<KeyListing> {
    if (!isTenantKey(tenant, prefix)) throw new Error('a prefix leads out of its tenant');
    const answer = await this.#send(tenant, {
      method: 'GET',
      path: this.#pathPrefix === '' ? '/' : `${this.#pathPrefix}/`,
      query: {
        ...(options.delimiter === undefined ? {} : { delimiter: options.delimiter }),
        'list-type': '2',
        'max-keys': String(options.limit),
        prefix,
      },
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    });
    if (answer.status !== 200) throw this.#failure(answer);
    const text = answer.body.toString('utf8');
    const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => unescaped(found!));
    return {
      keys: all(/<Key>([^<]*)<\/Key>/g),
      prefixes: all(/<CommonPrefixes>\s*<Prefix>([^<]*)<\/Prefix>/g),
    };
  }

  async #isMissing(tenant: TenantContext, key: string): Promise<boolean> {
    const { keys } = await this.list(tenant, key, { limit: 1 });
    return keys[0] !== key;
  }

  async #send(tenant: TenantContext, request: SignedRequest): Promise<SignedResponse> {
    return this.#s3.send(request, await this.#sessions.of(tenant));
  }

  #pathOf(tenant: TenantContext, key: string): string {
    if (!isTenantKey(tenant, key)) throw new Error('a key leads out of its tenant');
    return `${this.#pathPrefix}/${key.split('/').map(encodeURIComponent).join('/')}`;
  }

  #failure({ status, body }: SignedResponse): AwsServiceError {
    const name = /<Code>(\w+)<\/Code>/.exec(body.toString('utf8'))?.[1] ?? 'S3Error';
    return new AwsServiceError(name, status, `S3 answered ${status} for ${this.#bucket}`);
  }
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescaped = (text: string): string =>
  text.replaceAll(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => entities[name]!);
