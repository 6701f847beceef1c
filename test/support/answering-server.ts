import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a server was asked. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

type Answer = { readonly status?: number; readonly body: unknown };

export interface AnsweringServer {
  readonly url: string;
  readonly asked: Asked[];
  close(): Promise<void>;
}

/** A server on this machine that gives the answers of a function, and remembers what it was asked. */
export async function answeringServer(answer: (asked: Asked) => Answer): Promise<AnsweringServer> {
  const asked: Asked[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const body = await text(request);
    const one: Asked = {
      ...{ method: request.method!, path: request.url!, authorization: request.headers.authorization },
      body: body === '' ? undefined : JSON.parse(body),
    };
    asked.push(one);
    const { status = 200, body: answered } = answer(one);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answered));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The answer of a platform that refuses. */
export const problem = (status: number, code: string, detail: string = code): Answer => ({
  status,
  body: {
    ...{ type: 'https://tenantml.dev/problems/x', title: 'x', status, detail, instance: '/' },
    ...{ code, request_id: 'r', errors: [] },
  },
});
