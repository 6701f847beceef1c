import { PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { ulid } from 'ulid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { documentClient, documentClients } from '../../src/adapters/aws/document-client.ts';
import { DynamoDbApiKeys } from '../../src/adapters/aws/dynamodb-api-keys.ts';
import { DynamoDbMemberships } from '../../src/adapters/aws/dynamodb-memberships.ts';
import { DynamoDbTenantSettings } from '../../src/adapters/aws/dynamodb-tenant-settings.ts';
import { SignedServingStore } from '../../src/adapters/aws/signed-serving-store.ts';
import { SignedTable } from '../../src/adapters/aws/signed-table.ts';
import { TenantClients } from '../../src/adapters/aws/tenant-clients.ts';
import type { Subject } from '../../src/contracts/names.ts';
import { apiKeyHash, newApiKey } from '../../src/tenancy/api-key.ts';
import { ApiKeys } from '../../src/tenancy/api-keys.ts';
import { itemKeys } from '../../src/tenancy/keys.ts';
import { Members } from '../../src/tenancy/members.ts';
import { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { tenantA, tenantAb, tenantB } from '../support/tenants.ts';

let stores: LocalStores;
let clock: ManualClock;
let store: DynamoDbApiKeys;
let keys: ApiKeys;
let memberships: DynamoDbMemberships;
let members: Members;

beforeAll(async () => {
  stores = await startLocalStores();
});
afterAll(() => stores?.stop());
beforeEach(() => {
  clock = new ManualClock();
  store = new DynamoDbApiKeys(documentClients(ownSessions), stores.names.AccessTable, clock);
  keys = new ApiKeys({ store, clock, newId: () => ulid() });
  memberships = new DynamoDbMemberships(documentClients(ownSessions), stores.names.AccessTable);
  members = new Members(memberships, clock);
});

const items = async () =>
  (await documentClient().send(new ScanCommand({ TableName: stores.names.AccessTable }))).Items!;
const acting = (claims: object) =>
  TenantContext.fromClaims({ tenant: 'aa', expires_at: 4_102_444_800, ...claims }, 'r', 0);

describe('an API key', () => {
  it('of a role acts for its tenant with that role, and is stored nowhere', async () => {
    const { api_key, ...made } = await keys.create(tenantA, { name: 'shop', role: 'service' });
    const claims = await store.verify(api_key);
    expect(claims).toMatchObject({ tenant: 'aa', role: 'service', subject: `api-key:${made.key_id}` });
    expect(JSON.stringify(await items())).not.toContain(api_key.slice(10));
    expect(await keys.list(tenantA)).toContainEqual(made);
    expect(made.prefix).toBe(api_key.slice(0, 10));
  });

  it('of single scopes has those and no other', async () => {
    const { api_key, scopes } = await keys.create(tenantA, { name: 's', scopes: ['predict', 'models:read'] });
    expect(scopes).toEqual(['models:read', 'predict']);
    const caller = TenantContext.fromClaims(await store.verify(api_key), 'r', clock.nowMs());
    expect(
      ['predict', 'models:read', 'data:read', 'tenant:admin'].map((one) => caller.may(one as never)),
    ).toEqual([...[true, true, false, false]]);
  });

  it('may do no more than who makes it', async () => {
    const narrowed = acting({ role: 'admin', scope: 'tenant:admin predict' });
    for (const wanted of [
      { role: 'admin' },
      { role: 'viewer' },
      { scopes: ['predict', 'data:read'] },
    ] as const)
      await expect(keys.create(narrowed, { name: 'n', ...wanted } as never)).rejects.toMatchObject({
        code: 'SCOPE_MISSING',
      });
    const { api_key } = await keys.create(narrowed, { name: 'n', scopes: ['predict'] });
    const caller = TenantContext.fromClaims(await store.verify(api_key), 'r', clock.nowMs());
    expect([caller.may('predict'), caller.may('tenant:admin')]).toEqual([true, false]);
  });

  it('that was revoked leads nowhere, and is listed no more', async () => {
    const { api_key, key_id } = await keys.create(tenantA, { name: 'old', role: 'admin' });
    await keys.revoke(tenantA, key_id);
    expect(await store.verify(api_key)).toEqual({ denied: 'API_KEY_INVALID' });
    expect((await keys.list(tenantA)).map((key) => key.key_id)).not.toContain(key_id);
    await expect(keys.revoke(tenantA, key_id)).rejects.toMatchObject({ code: 'API_KEY_NOT_FOUND' });
  });

  it('that was revoked manages nothing, although the gateway still believes in it', async () => {
    const { api_key, key_id } = await keys.create(tenantA, { name: 'stolen', role: 'admin' });
    const believed = TenantContext.fromClaims(await store.verify(api_key), 'r', clock.nowMs());
    await keys.checkNotRevoked(believed);
    await keys.revoke(tenantA, key_id);
    await expect(keys.checkNotRevoked(believed)).rejects.toMatchObject({ code: 'API_KEY_INVALID' });
    // Of users there is nothing to ask.
    await keys.checkNotRevoked(tenantA);
  });

  it('works until the second in which it expires, and is not believed longer', async () => {
    const { api_key } = await keys.create(tenantA, { name: 'short', role: 'viewer', expires_in_days: 1 });
    const dayMs = 86_400_000;
    clock.advance(dayMs - 60_000);
    const claims = await store.verify(api_key);
    const endsAt = Math.floor((clock.nowMs() + 60_000) / 1000);
    expect(claims.expires_at).toBe(endsAt);
    clock.advance(60_000);
    expect(await store.verify(api_key)).toEqual({ denied: 'API_KEY_INVALID' });
  });

  it('of another tenant cannot be revoked: it does not exist, just as one that nobody made', async () => {
    const { api_key, key_id } = await keys.create(tenantA, { name: 'a', role: 'viewer' });
    for (const foreign of [tenantAb, tenantB]) {
      const said = [key_id, ulid()].map((id) =>
        keys.revoke(foreign, id as never).catch((error: Error) => error.message.replace(id, 'ID')),
      );
      const [theirs, nobodys] = await Promise.all(said);
      expect(theirs).toBe(nobodys);
      expect(await keys.list(foreign)).toEqual([]);
    }
    expect(await store.verify(api_key)).toMatchObject({ tenant: 'aa' });
  });

  it('that an operator wrote by hand works as it did', async () => {
    const byHand = `tml_${'0a'.repeat(24)}`;
    expect(await store.verify(byHand)).toEqual({ denied: 'API_KEY_INVALID' });
    const Item = { ...itemKeys.apiKey(apiKeyHash(byHand)), tenant: 'aa', role: 'admin' };
    await documentClient().send(new PutCommand({ TableName: stores.names.AccessTable, Item }));
    expect(await store.verify(byHand)).toMatchObject({ tenant: 'aa', role: 'admin' });
    await documentClient().send(
      new PutCommand({ TableName: stores.names.AccessTable, Item: { ...Item, revoked_at: 'now' } }),
    );
    expect(await store.verify(byHand)).toEqual({ denied: 'API_KEY_INVALID' });
  });

  it('is one of at most 100', async () => {
    const full = acting({ tenant: 'cc', role: 'admin' });
    for (let i = 0; i < 100; i++) await keys.create(full, { name: `${i}`, role: 'viewer' });
    await expect(keys.create(full, { name: 'more', role: 'viewer' })).rejects.toMatchObject({
      code: 'TOO_MANY_API_KEYS',
    });
  });
});

describe('adding a key', () => {
  it('that ends between its two writes leaves a listed key that does not work, and can be revoked', async () => {
    const api_key = newApiKey();
    let writes = 0;
    const half = {
      send: (command: never) =>
        ++writes === 2 ? Promise.reject(new Error('gone')) : documentClient().send(command),
    };
    const ending = new ApiKeys({
      store: new DynamoDbApiKeys(
        new TenantClients<object>(half, ownSessions, () => half) as never,
        stores.names.AccessTable,
        clock,
      ),
      ...{ clock, newId: () => ulid() },
    });
    // The first call is the count.
    writes = -1;
    await expect(ending.create(tenantB, { name: 'half', role: 'viewer' })).rejects.toThrow('gone');
    const [listed] = await keys.list(tenantB);
    expect(listed).toMatchObject({ name: 'half' });
    expect(await store.verify(api_key)).toEqual({ denied: 'API_KEY_INVALID' });
    await keys.revoke(tenantB, listed!.key_id);
    expect(await keys.list(tenantB)).toEqual([]);
  });
});

describe('a member', () => {
  const subject = (text: string) => text as Subject;

  it('belongs to the tenant that took the user in, with the role that was given last', async () => {
    await members.put(tenantA, subject('u-1'), 'viewer');
    await members.put(tenantA, subject('u-1'), 'deployer');
    expect(await memberships.of('u-1')).toEqual({ tenant: 'aa', role: 'deployer' });
    expect(await members.get(tenantA, subject('u-1'))).toMatchObject({
      ...{ subject: 'u-1', role: 'deployer', changed_by: 'user-of-aa' },
    });
  });

  it('cannot be taken over, seen or removed by another tenant, whose answers are those for a user of nobody', async () => {
    await members.put(tenantA, subject('u-2'), 'viewer');
    const answers = async (user: string) => [
      await members.get(tenantAb, subject(user)).catch((error: Error) => error.message),
      await members.put(tenantAb, subject(user), 'admin'),
      await members.get(tenantAb, subject(user)),
      await members.remove(tenantAb, subject(user)),
    ];
    const [ofTheirs, ofNobody] = [await answers('u-2'), await answers('u-0')];
    expect(JSON.stringify(ofTheirs).replaceAll('u-2', 'u')).toBe(
      JSON.stringify(ofNobody).replaceAll('u-0', 'u'),
    );
    expect(await memberships.of('u-2')).toEqual({ tenant: 'aa', role: 'viewer' });
    expect((await members.list(tenantAb, { limit: 10 })).items).toEqual([]);
  });

  it('who was removed has no tenant', async () => {
    await members.put(tenantA, subject('u-3'), 'viewer');
    await members.remove(tenantA, subject('u-3'));
    expect(await memberships.of('u-3')).toBeUndefined();
    await expect(members.get(tenantA, subject('u-3'))).rejects.toMatchObject({ code: 'MEMBER_NOT_FOUND' });
  });

  it('gets no more than who takes it in has, and nobody changes the own membership', async () => {
    const narrowed = acting({ role: 'admin', scope: 'tenant:admin', subject: 'me' });
    await expect(members.put(narrowed, subject('u-4'), 'admin')).rejects.toMatchObject({
      code: 'SCOPE_MISSING',
    });
    const me = acting({ role: 'admin', subject: 'me' });
    for (const act of [members.put(me, subject('me'), 'viewer'), members.remove(me, subject('me'))])
      await expect(act).rejects.toMatchObject({ code: 'OWN_MEMBERSHIP' });
  });

  it('is listed page by page', async () => {
    for (const name of ['a', 'b', 'c']) await members.put(tenantB, subject(name), 'viewer');
    const first = await members.list(tenantB, { limit: 2 });
    const rest = await members.list(tenantB, { limit: 2, cursor: first.nextCursor });
    expect([...first.items, ...rest.items].map((member) => member.subject)).toEqual(['a', 'b', 'c']);
    expect(rest.nextCursor).toBeUndefined();
  });
});

describe('settings', () => {
  it('are read by the predict path as they were written, agreed limits and own ones apart', async () => {
    const settings = new DynamoDbTenantSettings(documentClients(ownSessions), stores.names.ServingTable);
    const table = new SignedTable({
      sessions: ownSessions,
      ...{ region: 'us-east-1', endpoint: stores.endpoints.dynamodb, table: stores.names.ServingTable },
    });
    const serving = new SignedServingStore(table, undefined as never);
    const change = { changed_by: 'u', changed_at: '2026-01-01T00:00:00Z' };
    const own = {
      limits: { requests_per_second: 5, burst: 6, concurrency: 1, max_memory_mb: 64, max_models: 3 },
      log_features: 'hash',
    } as const;
    expect(await serving.settings(tenantA)).toBeUndefined();
    expect(await settings.write(tenantA, own, { ...change, from: 0 })).toBe(true);
    expect(await serving.settings(tenantA)).toEqual({
      lowered: { requestsPerSecond: 5, burst: 6, concurrency: 1, maxMemoryMiB: 64, maxModels: 3 },
      logFeatures: 'hash',
    });
    expect(await settings.read(tenantA)).toEqual({ agreed: {}, own, revision: 1, ...change });
    for (const foreign of [tenantAb, tenantB])
      expect(await settings.read(foreign)).toEqual({ agreed: {}, own: {}, revision: 0 });
  });

  it('are written by one of those who saw the same revision', async () => {
    const settings = new DynamoDbTenantSettings(documentClients(ownSessions), stores.names.ServingTable);
    const change = { changed_by: 'u', changed_at: '2026-01-01T00:00:00Z' };
    const write = (from: number) => settings.write(tenantB, {}, { ...change, from });
    expect((await Promise.all([write(0), write(0), write(0)])).filter(Boolean)).toHaveLength(1);
    expect([await write(0), await write(2), await write(1)]).toEqual([false, false, true]);
  });
});
