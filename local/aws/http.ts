import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsServiceError } from './service-error.ts';

/** Everything in the twin listens here and nowhere else. */
export const LOOPBACK = '127.0.0.1';

export interface ListeningServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on loopback. A preferred port that is taken is not an error: addresses are handed out at each start,
 * a stable one only keeps URLs of the previous run alive.
 */
export async function listen(handler: RequestListener, preferredPort = 0): Promise<ListeningServer> {
  try {
    return await listenExactly(handler, preferredPort);
  } catch (error) {
    if (preferredPort !== 0 && (error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      return listenExactly(handler, 0);
    }
    throw error;
  }
}

/** Listens on this very port, or fails. */
export async function listenExactly(handler: RequestListener, port: number): Promise<ListeningServer> {
  // Clients of the twin keep connections open between bursts; closing them under the SDK would surface as ECONNRESET.
  const server: Server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, handler);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, 1024, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const actual = (server.address() as AddressInfo).port;
  return {
    port: actual,
    url: `http://${LOOPBACK}:${actual}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Reads a whole body into memory; only for requests whose size is bounded. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        chunks.length = 0;
        request.removeAllListeners('data');
        request.resume();
        reject(new AwsServiceError('RequestEntityTooLarge', `body exceeds ${maxBytes} bytes`, 413));
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => reject(new AwsServiceError('RequestAborted', 'the client went away', 400)));
  });
}
