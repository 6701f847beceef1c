import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import {
  type Agent,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { SignatureV4 } from '@smithy/signature-v4';
import type { HttpRequest } from '@smithy/types';
import { config } from '../../config.ts';

/** A service of AWS refused a call; `name` is the service's own error code, as with the SDK's errors. */
export class AwsServiceError extends Error {
  readonly status: number;

  constructor(name: string, status: number, message: string) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

/** SHA-256 in the form that the signer takes. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string);
  }

  update(data: Uint8Array | string): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

/** Keys of whoever signs. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface SignedRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** @default - the client's */
  readonly timeoutMs?: number;
}

export interface SignedResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const defaultTimeoutMs = 5_000;
const defaultAttempts = 3;

/**
 * Speaks to one service of AWS with requests signed here. The prediction path uses it in place of the SDK,
 * whose loading alone costs several times the start of the process.
 */
export class SignedClient {
  readonly #service: string;
  readonly #own: Credentials;
  /** Gone with their credentials. */
  readonly #signers = new WeakMap<Credentials, SignatureV4>();
  readonly #origin: URL;
  readonly #agent: Agent;
  readonly #timeoutMs: number;
  readonly #attempts: number;

  /** @param endpoint of the service, such as https://dynamodb.eu-west-1.amazonaws.com */
  constructor(
    service: 's3' | 'dynamodb' | 'sagemaker' | 'states' | 'lambda' | 'kms' | 'sts',
    endpoint: string,
    options: { readonly timeoutMs?: number; readonly attempts?: number } = {},
  ) {
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#attempts = options.attempts ?? defaultAttempts;
    this.#origin = new URL(endpoint);
    this.#agent =
      this.#origin.protocol === 'https:'
        ? new HttpsAgent({ keepAlive: true, maxSockets: 50 })
        : new HttpAgent({ keepAlive: true, maxSockets: 50 });
    this.#service = service;
    this.#own = config.credentials;
  }

  /**
   * Sends again, twice at most, when the connection broke or the service was busy.
   * @param credentials - whose right this is. @default - the function's own role
   */
  async send(request: SignedRequest, credentials = this.#own): Promise<SignedResponse> {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.#once(request, credentials);
        if (response.status < 500 || attempt === this.#attempts) return response;
      } catch (error) {
        if (attempt === this.#attempts) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 25 * 2 ** attempt));
    }
  }

  /** @returns an address at which whoever has it may read, for so long */
  async link(path: string, seconds: number, credentials = this.#own): Promise<string> {
    const { protocol, hostname, host, port } = this.#origin;
    const { query } = await this.#signerOf(credentials).presign(
      {
        ...{ method: 'GET', protocol, hostname, path },
        headers: { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
        ...(port === '' ? {} : { port: Number(port) }),
      },
      { expiresIn: seconds },
    );
    return `${this.#origin.origin}${path}?${encodedQuery(query as Record<string, string>)}`;
  }

  #signerOf(credentials: Credentials): SignatureV4 {
    let signer = this.#signers.get(credentials);
    if (signer === undefined) {
      signer = new SignatureV4({
        ...{ service: this.#service, region: config.region, credentials, sha256: Sha256 },
        // S3 signs paths as they are; every other service encodes them twice.
        uriEscapePath: this.#service !== 's3',
        applyChecksum: true,
      });
      this.#signers.set(credentials, signer);
    }
    return signer;
  }

  async #once(
    { method, path, query, headers = {}, body, timeoutMs }: SignedRequest,
    credentials: Credentials,
  ): Promise<SignedResponse> {
    const { protocol, hostname, host, port } = this.#origin;
    const unsigned: HttpRequest = {
      ...{ method, protocol, hostname, path, headers: { host, ...headers }, body },
      ...(query === undefined ? {} : { query: { ...query } }),
    };
    const signed = await this.#signerOf(credentials).sign(unsigned);
    return new Promise((resolve, reject) => {
      const send = protocol === 'https:' ? httpsRequest : httpRequest;
      const outgoing = send(
        {
          hostname,
          port,
          method,
          path: query === undefined ? path : `${path}?${encodedQuery(query)}`,
          headers: {
            ...signed.headers,
            ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
          },
          agent: this.#agent,
          timeout: timeoutMs ?? this.#timeoutMs,
        },
        (incoming: IncomingMessage) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('end', () =>
            resolve({
              ...{ status: incoming.statusCode ?? 0, headers: incoming.headers },
              body: Buffer.concat(chunks),
            }),
          );
          incoming.on('error', reject);
        },
      );
      outgoing.on('timeout', () =>
        outgoing.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })),
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

/** As the signature has it: RFC 3986, where `encodeURIComponent` leaves some characters alone. */
const encodedQuery = (query: Readonly<Record<string, string>>): string =>
  Object.entries(query)
    .map((pair) => pair.map(encodedPart).join('='))
    .join('&');

const encodedPart = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
