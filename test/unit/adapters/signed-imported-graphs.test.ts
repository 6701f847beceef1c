import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SignedImportedGraphs } from '../../../src/adapters/aws/signed-imported-graphs.ts';
import type { ImportedCall } from '../../../src/serving/imported/imported-message.ts';
import { tenantNamed } from '../../support/tenants.ts';

const acme = tenantNamed('acme');
const call: ImportedCall = {
  kind: 'load',
  artifact: { url: 'https://bucket.example/x', sha256: 'a', bytes: 1 },
  graph: {
    inputs: [],
    outputs: [],
    rows: 'matrix',
    resident_bytes: 1,
    bytes_per_row: 1,
    accepts_missing: true,
  },
};

let server: Server;
let graphs: SignedImportedGraphs;
let answer: { status?: number; functionError?: boolean; type?: string; body: unknown };
const asked: IncomingMessage[] = [];

beforeAll(async () => {
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
  server = createServer((request, response) => {
    asked.push(request);
    request.resume();
    response.writeHead(answer.status ?? 200, {
      ...(answer.functionError ? { 'x-amz-function-error': 'Unhandled' } : {}),
      ...(answer.type === undefined ? {} : { 'x-amzn-errortype': answer.type }),
    });
    response.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  graphs = new SignedImportedGraphs({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    functionName: 'imported',
    objects: { link: async () => 'link' },
  });
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

describe('a call of an imported graph', () => {
  it('names the tenant of the context, in a header that is signed', async () => {
    answer = { body: { ok: true } };
    expect(await graphs.call(acme, call)).toEqual({ ok: true });
    const { headers, url } = asked.at(-1)!;
    expect(url).toBe('/2015-03-31/functions/imported/invocations');
    expect(headers['x-amz-tenant-id']).toBe('acme');
    expect(headers.authorization).toMatch(/\/lambda\/aws4_request.*x-amz-tenant-id/);
  });

  it.each([
    ['Runtime.OutOfMemory', 'killed', 'IMPORTED_MODEL_OUT_OF_MEMORY'],
    ['Runtime.ExitError', 'Runtime exited with error: signal: killed', 'IMPORTED_MODEL_OUT_OF_MEMORY'],
    ['Sandbox.Timedout', 'Task timed out after 15.00 seconds', 'IMPORTED_MODEL_TIMED_OUT'],
    ['Runtime.ExitError', 'Runtime exited with error: signal: SIGSEGV', 'IMPORTED_MODEL_CRASHED'],
  ])('that ends with %s: %s is %s, and is not sent again', async (errorType, errorMessage, code) => {
    answer = { functionError: true, body: { errorType, errorMessage } };
    const before = asked.length;
    await expect(graphs.call(acme, call)).rejects.toMatchObject({ code });
    expect(asked.length).toBe(before + 1);
  });

  it('waits for nobody when all environments are at work', async () => {
    answer = { status: 429, body: {} };
    await expect(graphs.call(acme, call)).rejects.toMatchObject({ code: 'CONCURRENCY_LIMITED' });
    answer = { status: 403, type: 'AccessDeniedException', body: {} };
    await expect(graphs.call(acme, call)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});
