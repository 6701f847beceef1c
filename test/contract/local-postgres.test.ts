import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalDatabase, startLocalDatabase } from '../support/local-stores.ts';

let databases: LocalDatabase[];

beforeAll(async () => {
  databases = await Promise.all([startLocalDatabase(), startLocalDatabase()]);
});
afterAll(async () => {
  for (const one of databases) await one.stop();
});

it('listens on a port that no system hands out by chance, each on its own', () => {
  const ports = databases.map(({ server }) => server.port);
  expect(new Set(ports).size).toBe(2);
  // Linux and macOS give those from 32,768 and 49,152 on to whoever asks for any.
  for (const port of ports) expect(port).toBeLessThan(32_000);
});
