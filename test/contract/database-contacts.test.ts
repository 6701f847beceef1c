import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentClients } from '../../src/adapters/aws/document-client.ts';
import { DynamoDbDatabaseContacts } from '../../src/adapters/aws/dynamodb-database-contacts.ts';
import { TenantDatabase } from '../../src/adapters/postgres/tenant-database.ts';
import { systemClock } from '../../src/clock.ts';
import {
  type LocalDatabase,
  type LocalStores,
  startLocalDatabase,
  startLocalStores,
} from '../support/local-stores.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { tenantA } from '../support/tenants.ts';

let stores: LocalStores;
let database: LocalDatabase;
let client: DynamoDBDocumentClient;

beforeAll(async () => {
  stores = await startLocalStores();
  database = await startLocalDatabase();
  client = documentClients(ownSessions).own;
});
afterAll(async () => {
  await database?.stop();
  await stores?.stop();
});

describe('DatabaseContacts on DynamoDB', () => {
  it('hold the latest contact, in whatever order they come', async () => {
    const contacts = new DynamoDbDatabaseContacts(client, stores.names.ServingTable);
    expect(await contacts.last()).toBeUndefined();
    await contacts.put({ reached: true, atMs: 1_000 });
    await contacts.put({ reached: false, atMs: 3_000, code: 'ECONNREFUSED' });
    await contacts.put({ reached: true, atMs: 2_000 });
    expect(await contacts.last()).toEqual({ reached: false, atMs: 3_000, code: 'ECONNREFUSED' });
    await contacts.put({ reached: true, atMs: 4_000 });
    expect(await contacts.last()).toEqual({ reached: true, atMs: 4_000 });
  });

  it('say that they could not be kept, to whoever minds', async () => {
    const contacts = new DynamoDbDatabaseContacts(client, 'no-such-table');
    await expect(contacts.put({ reached: true, atMs: 1 })).rejects.toThrow();
  });
});

describe('a database that is used', () => {
  const told: [boolean, string | undefined][] = [];
  const teller = { tell: async (reached: boolean, code?: string) => void told.push([reached, code]) };
  const settings = () => database.settings('tenantml_app');

  it('tells that it was reached, before its user is answered', async () => {
    const connection = new TenantDatabase(settings(), { clock: systemClock, resumeWithinMs: 1_000, teller });
    told.length = 0;
    expect(await connection.ping(tenantA)).toBeGreaterThanOrEqual(0);
    expect(told).toEqual([[true, undefined]]);
    // What a statement does wrong is no failure of the database.
    await expect(connection.transaction(tenantA, (sql) => sql`SELECT * FROM nowhere`)).rejects.toThrow();
    expect(told).toEqual(Array(2).fill([true, undefined]));
    await connection.close();
  });

  it('is tried again every half second while it is away, however often it was not there', async () => {
    const triedMs: number[] = [];
    // Looked at twice for a try, and a second passes each time: it is tried eight times.
    const clock = { nowMs: () => 1_000 * triedMs.push(performance.now()) };
    const connection = new TenantDatabase(
      { ...settings(), port: 1 },
      { clock, resumeWithinMs: 16_000, teller },
    );
    await expect(connection.ping(tenantA)).rejects.toMatchObject({ code: 'DATABASE_RESUMING' });
    await connection.close();
    expect(triedMs.length).toBeGreaterThan(15);
    const pausesMs = triedMs.slice(1).map((at, i) => at - triedMs[i]!);
    // Half a second, and what a busy machine adds; a client that backs off by itself reaches ten.
    expect(Math.max(...pausesMs)).toBeLessThan(3_000);
  }, 120_000);

  it('is away when it hangs up on everybody, and its user is told in the end', async () => {
    let n = 0;
    const server = createServer((socket) => {
      n++;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    told.length = 0;
    const { port } = server.address() as AddressInfo;
    const connection = new TenantDatabase(
      { ...settings(), port },
      { clock: systemClock, resumeWithinMs: 0, teller },
    );
    await expect(connection.ping(tenantA)).rejects.toMatchObject({ code: 'DATABASE_RESUMING' });
    expect(n).toBeGreaterThan(0);
    expect(told).toEqual([[false, 'CONNECT_TIMEOUT']]);
    server.close();
    await connection.close();
  });

  it.each([
    ['nobody listens', () => ({ ...settings(), port: 1 }), 'DATABASE_RESUMING', 'ECONNREFUSED'],
    ['it does not know the user', () => ({ ...settings(), user: 'nobody' }), '28000', '28000'],
  ])('tells that it was not where %s, and why', async (_, wrong, code, reason) => {
    told.length = 0;
    const connection = new TenantDatabase(wrong(), { clock: systemClock, resumeWithinMs: 0, teller });
    await expect(connection.ping(tenantA)).rejects.toMatchObject({ code });
    expect(told).toEqual([[false, reason]]);
    await connection.close();
  });
});
