import { afterEach, beforeEach, expect, it } from 'vitest';
import { ServingServer } from '../../../src/adapters/node/serving-server.ts';
import type { ServingApp } from '../../../src/serving/http/serving-app.ts';
import type { ServingResponse } from '../../../src/serving/http/serving-message.ts';
import { tenantA } from '../../support/tenants.ts';

let answer: () => Promise<ServingResponse>;
let url: string;
let server: ServingServer;
const failures: unknown[] = [];

beforeEach(async () => {
  failures.length = 0;
  answer = async () => ({ status: 200, headers: {}, body: 'answered' });
  server = new ServingServer({
    app: { handle: () => answer() } as unknown as ServingApp,
    tenantOf: () => tenantA,
    closeMs: 1,
    onError: (error) => void failures.push(error),
  });
  url = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}`;
});
afterEach(() => server.close());

it('keeps connections until it drains, and then ends each with its next answer', async () => {
  expect((await fetch(url)).headers.get('connection')).toBe('keep-alive');
  server.drain();
  const last = await fetch(url);
  expect([last.status, last.headers.get('connection')]).toEqual([200, 'close']);
});

it('lives on when an answer cannot be written', async () => {
  answer = async () => ({ status: 200, headers: { 'x-broken': 'two\nlines' }, body: '' });
  await expect(fetch(url)).rejects.toThrow();
  expect(failures).toEqual([expect.objectContaining({ code: 'ERR_INVALID_CHAR' })]);
  answer = async () => ({ status: 200, headers: {}, body: 'still here' });
  expect(await (await fetch(url)).text()).toBe('still here');
});

it('ends without an answer that does not come', async () => {
  let begun = () => {};
  const begins = new Promise<void>((resolve) => {
    begun = resolve;
  });
  answer = () => {
    begun();
    return new Promise(() => {});
  };
  const cut = expect(fetch(url)).rejects.toThrow();
  await begins;
  await server.close();
  await cut;
});
