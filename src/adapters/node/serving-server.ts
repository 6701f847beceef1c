import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { maxBodyBytes } from '../../serving/http/message-body.ts';
import type { ServingApp } from '../../serving/http/serving-app.ts';
import type { ServingRequest } from '../../serving/http/serving-message.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';

export interface ServingServerOptions {
  readonly app: ServingApp;
  /** Who sent the request. @throws {UnauthenticatedError} */
  readonly tenantOf: (authorization: string | undefined, requestId: string) => TenantContext;
  /** How long `close` waits for requests whose answer takes, or whose body does not come. @default 10,000 */
  readonly closeMs?: number;
  /** Told of answers that could not be written. */
  readonly onError: (error: unknown) => void;
}

/** Room for a body that the app then refuses with its size; what is larger is not read at all. */
const maxReadBytes = maxBodyBytes + 64 * 1024;
const noQuery: Readonly<Record<string, string>> = {};
/** Ids of requests: a random start, then counted. */
const idPrefix = randomBytes(6).toString('base64url');
let nRequests = 0;

/** Carries the serving plane over a socket. */
export class ServingServer {
  readonly #options: ServingServerOptions;
  readonly #server: Server;
  #inFlight = 0;
  #isDraining = false;
  #idle: (() => void) | undefined;

  constructor(options: ServingServerOptions) {
    this.#options = options;
    this.#server = createServer({ keepAliveTimeout: 65_000, noDelay: true }, (incoming, outgoing) =>
      this.#receive(incoming, outgoing),
    );
    // A caller that asks before it sends learns of a body that is too large without sending it.
    this.#server.on('checkContinue', (incoming: IncomingMessage, outgoing: ServerResponse) => {
      if (!isTooLarge(incoming)) outgoing.writeContinue();
      this.#receive(incoming, outgoing);
    });
  }

  /** @returns the port, which is another one than asked for where that was 0 */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Ends each connection with its next answer, so that callers go elsewhere. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Takes no more connections, answers what is being worked on, and ends. */
  async close(): Promise<void> {
    this.drain();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    if (this.#inFlight > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        timer = setTimeout(resolve, this.#options.closeMs ?? 10_000);
      });
      clearTimeout(timer);
    }
    this.#server.closeAllConnections();
    await closed;
  }

  #receive(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.#inFlight++;
    outgoing.once('close', () => {
      this.#inFlight--;
      if (this.#inFlight === 0) this.#idle?.();
    });
    if (isTooLarge(incoming)) {
      this.#send(incoming, outgoing, Buffer.alloc(maxBodyBytes + 1), true);
      return;
    }
    const chunks: Buffer[] = [];
    let nBytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      nBytes += chunk.length;
      if (nBytes <= maxReadBytes) chunks.push(chunk);
    });
    incoming.on('end', () => {
      const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      this.#send(incoming, outgoing, nBytes > maxReadBytes ? Buffer.alloc(maxBodyBytes + 1) : body);
    });
    incoming.on('error', () => outgoing.destroy());
  }

  /** A failure ends its connection, never the process. */
  #send(incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer, isUnread = false): void {
    this.#answer(incoming, outgoing, body, isUnread).catch((error: unknown) => {
      outgoing.destroy();
      this.#options.onError(error);
    });
  }

  /** @param isUnread whether the rest of the request is still to come: then the connection cannot be used again */
  async #answer(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    body: Buffer,
    isUnread: boolean,
  ): Promise<void> {
    const url = targetOf(incoming.url ?? '/');
    const cut = url.indexOf('?');
    const requestId = `${idPrefix}${(nRequests++).toString(36)}`;
    const headers = incoming.headers as Readonly<Record<string, string | undefined>>;
    let tenant: TenantContext | undefined;
    const request: ServingRequest = {
      method: incoming.method ?? 'GET',
      path: cut < 0 ? url : url.slice(0, cut),
      query: cut < 0 ? noQuery : Object.fromEntries(new URLSearchParams(url.slice(cut + 1))),
      headers,
      body: body.length === 0 ? undefined : body,
      requestId,
      tenant: () => {
        tenant ??= this.#options.tenantOf(headers.authorization, requestId);
        return tenant;
      },
    };
    const answer = await this.#options.app.handle(request);
    if (outgoing.destroyed) return;
    const answerHeaders: Record<string, string | number> = answer.headers;
    answerHeaders['content-length'] =
      typeof answer.body === 'string' ? Buffer.byteLength(answer.body) : answer.body.byteLength;
    if (isUnread || this.#isDraining) answerHeaders.connection = 'close';
    outgoing.writeHead(answer.status, answerHeaders);
    outgoing.end(answer.body);
  }
}

const isTooLarge = ({ headers }: IncomingMessage): boolean =>
  Number(headers['content-length'] ?? 0) > maxReadBytes;

/** Proxies may send the whole address (https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2). */
const targetOf = (sent: string): string =>
  sent.charCodeAt(0) === 0x2f ? sent : sent.replace(/^https?:\/\/[^/?]*/i, '') || '/';
