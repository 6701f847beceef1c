import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';

const require = createRequire(import.meta.url);
const dynalite = require('dynalite') as (options: {
  path: string;
  createTableMs: number;
  deleteTableMs: number;
}) => Server;

export interface DynaliteAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * dynalite without a socket of its own: its HTTP handler is called with a request made here. The front has read,
 * verified and authorized the call already; a second hop over the network would double its latency.
 */
export class Dynalite {
  readonly #server: Server;

  constructor(directory: string) {
    this.#server = dynalite({ path: directory, createTableMs: 0, deleteTableMs: 0 });
  }

  call(operation: string, body: Buffer | string): Promise<DynaliteAnswer> {
    return new Promise((resolve) => {
      const request = Object.assign(Readable.from([Buffer.from(body)]), {
        method: 'POST',
        url: '/',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': `DynamoDB_20120810.${operation}`,
          'x-amz-date': 'verified-by-the-front',
          // dynalite wants to see a signature and never checks one.
          authorization: 'AWS4-HMAC-SHA256 Credential=front, SignedHeaders=host, Signature=0',
        },
      });
      const response = {
        statusCode: 200,
        setHeader: () => undefined,
        end: (text: string | Buffer) => resolve({ status: response.statusCode, body: Buffer.from(text) }),
      };
      this.#server.emit('request', request, response);
    });
  }

  /** A call of the twin itself, parsed; throws on an error answer. */
  async json(operation: string, input: object): Promise<Record<string, unknown>> {
    const answer = await this.call(operation, JSON.stringify(input));
    const value = JSON.parse(answer.body.toString('utf8')) as Record<string, unknown>;
    if (answer.status !== 200) {
      throw new Error(`${operation}: ${value.__type} ${value.message ?? ''}`);
    }
    return value;
  }

  async close(): Promise<void> {
    // close() of the server also closes the store behind it, but only a listening server can be closed.
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
