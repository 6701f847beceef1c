import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { answerAndExit } from '../../../../src/adapters/aws/lambda/answer-and-exit.ts';

let server: Server;
afterEach(() => server.close());

async function runtimeApi(status: number) {
  const received: string[] = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push(`${request.method} ${request.url} ${Buffer.concat(chunks)}`);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { received, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

it('ends the process only after the Runtime API has taken the answer', async () => {
  const { received, address } = await runtimeApi(202);
  const exits: [number, number][] = [];
  await answerAndExit({ runtimeApi: address, awsRequestId: 'r-1', answer: { text: 'é' } }, (code) =>
    exits.push([code, received.length]),
  );
  expect(received).toEqual(['POST /2018-06-01/runtime/invocation/r-1/response {"text":"é"}']);
  expect(exits).toEqual([[0, 1]]);
});

it('does not end a process whose answer was not taken', async () => {
  const { address } = await runtimeApi(413);
  const exits: number[] = [];
  const call = { runtimeApi: address, awsRequestId: 'r-1', answer: {} };
  await expect(answerAndExit(call, (code) => exits.push(code))).rejects.toThrow('answered 413');
  server.close();
  await expect(answerAndExit(call, (code) => exits.push(code))).rejects.toThrow();
  expect(exits).toEqual([]);
});
