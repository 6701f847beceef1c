import { expect, it } from 'vitest';
import { documentClients } from '../../../../src/adapters/aws/document-client.ts';
import { TenantClients } from '../../../../src/adapters/aws/tenant-clients.ts';
import type { SessionCredentials, TenantSessions } from '../../../../src/tenancy/credentials.ts';
import { environmentKept } from '../../../support/environment.ts';
import { tenantA, tenantB } from '../../../support/tenants.ts';

let made = 0;
const newSession = (): SessionCredentials => ({
  ...{ accessKeyId: `key-${made++}`, secretAccessKey: 's', sessionToken: 't' },
  expiresAtMs: 3_600_000,
});

/** Sessions that can be renewed by the test. */
function renewable() {
  const kept = new Map<string, SessionCredentials>();
  const sessions: TenantSessions = {
    of: async ({ tenantId }) => {
      const session = kept.get(tenantId) ?? newSession();
      kept.set(tenantId, session);
      return session;
    },
  };
  return { sessions, renew: () => kept.clear() };
}

it('a session has one client, which is no other session’s', async () => {
  const { sessions, renew } = renewable();
  const clients = new TenantClients({ key: 'own' }, sessions, ({ accessKeyId }) => ({ key: accessKeyId }));
  const a = await clients.of(tenantA);
  const b = await clients.of(tenantB);
  expect(await clients.of(tenantA)).toBe(a);
  expect((await clients.signing(tenantA, 1)).client).toBe(a);
  expect(new Set([a.key, b.key, clients.own.key]).size).toBe(3);
  renew();
  expect((await clients.of(tenantA)).key).not.toBe(a.key);
});

it('clients of all sessions share the connections of one, so that none has to be closed', async () => {
  const restore = environmentKept();
  try {
    process.env.AWS_REGION = 'us-east-1';
    const clients = documentClients(renewable().sessions);
    const a = await clients.of(tenantA);
    const b = await clients.of(tenantB);
    expect(a).not.toBe(b);
    expect(a.config.requestHandler).toBe(clients.own.config.requestHandler);
    expect(b.config.requestHandler).toBe(clients.own.config.requestHandler);
    const keyOf = async (client: typeof a) => (await client.config.credentials()).accessKeyId;
    expect(await keyOf(a)).not.toBe(await keyOf(b));
  } finally {
    restore();
  }
});
