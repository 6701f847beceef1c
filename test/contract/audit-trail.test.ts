import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentClients } from '../../src/adapters/aws/document-client.ts';
import { DynamoDbAuditTrail } from '../../src/adapters/aws/dynamodb-audit-trail.ts';
import type { AuditEntry } from '../../src/contracts/registry.ts';
import { auditPage } from '../../src/registry/audit-log.ts';
import type { RegistryHistory } from '../../src/registry/registry-history.ts';
import { auditable, type TrailEntry } from '../../src/tenancy/audit-trail.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { tenantA, tenantAb, tenantB, tenantNamed } from '../support/tenants.ts';

let stores: LocalStores;
let clock: ManualClock;
let trail: DynamoDbAuditTrail;

beforeAll(async () => {
  stores = await startLocalStores();
  clock = new ManualClock();
  trail = new DynamoDbAuditTrail(documentClients(ownSessions), stores.names.AuditTable, clock);
});
afterAll(() => stores?.stop());

const entry = (over: Partial<TrailEntry> = {}): TrailEntry => ({
  ...{ action: 'trainModel', subject: 'income', detail: { after: { target: 'pay' } } },
  ...over,
});

describe('AuditTrail on DynamoDB', () => {
  it('says who did what, when, by which request, newest first, and which came to nothing', async () => {
    const first = await trail.begin(tenantA, entry());
    clock.advance(1_000);
    await trail.begin(tenantA, entry({ action: 'cancelJob', subject: 'J' }));
    await trail.refused(tenantA, first, 'DATASET_NOT_FOUND');
    const found = await trail.read(tenantA, { limit: 10 });
    expect(found.map(({ action, refusedWith }) => [action, refusedWith])).toEqual([
      ['cancelJob', undefined],
      ['trainModel', 'DATASET_NOT_FOUND'],
    ]);
    expect(found[1]).toMatchObject({
      ...{ actor: 'user-of-aa', requestId: 'request-1', subject: 'income', auditId: first },
      detail: { after: { target: 'pay' } },
    });
  });

  it('is read in pages, and by subject, actor, action and time', async () => {
    const tenant = tenantNamed('pager');
    for (let i = 0; i < 7; i++) {
      clock.advance(1_000);
      const id = await trail.begin(tenant, entry({ subject: i % 2 === 0 ? 'income/x' : 'income-too' }));
      if (i === 3) await trail.refused(tenant, id, 'X');
    }
    const all = await trail.read(tenant, { limit: 100 });
    const pages: string[] = [];
    let before: string | undefined;
    do {
      const page = await trail.read(tenant, { limit: 3, before });
      pages.push(...page.map(({ auditId }) => auditId));
      before = page.at(-1)?.auditId;
    } while (before !== undefined);
    expect(pages).toEqual(all.map(({ auditId }) => auditId));
    const n = async (filter: object) => (await trail.read(tenant, { limit: 100, ...filter })).length;
    expect(await n({ subject: 'income' })).toBe(4);
    expect(await n({ subject: 'income-too' })).toBe(3);
    expect(await n({ actor: 'nobody' })).toBe(0);
    expect(await n({ action: 'trainModel' })).toBe(7);
    expect(await n({ from: all[2]!.at })).toBe(3);
    expect(await n({ to: all[2]!.at })).toBe(4);
    expect(await n({ from: all[2]!.at, to: all[4]!.at })).toBe(0);
    expect(await n({ from: '0001-01-01T00:00:00Z', to: '9999-12-31T00:00:00Z' })).toBe(7);
  });

  it('shows nobody the trail of another', async () => {
    await trail.begin(tenantAb, entry());
    expect((await trail.read(tenantB, { limit: 10 })).length).toBe(0);
    expect((await trail.read(tenantAb, { limit: 10 })).length).toBe(1);
  });

  it('unsays nothing: an entry, or a refusal, is written once', async () => {
    const id = await trail.begin(tenantA, entry());
    await trail.refused(tenantA, id, 'FIRST');
    await expect(trail.refused(tenantA, id, 'SECOND')).rejects.toThrow();
    expect((await trail.read(tenantA, { limit: 1 }))[0]!.refusedWith).toBe('FIRST');
  });
});

describe('the two logs as one', () => {
  it('are in the order of time, whole and without doubles in pages of any size', async () => {
    const tenant = tenantNamed('merged');
    const registry: AuditEntry[] = [];
    for (let i = 0; i < 12; i++) {
      clock.advance(1_000);
      if (i % 3 === 0) await trail.begin(tenant, entry({ subject: String(i) }));
      else
        registry.unshift({
          ...{ audit_id: String(i + 1), at: new Date(clock.nowMs()).toISOString(), actor: 'a' },
          ...{ action: 'deploy', subject: String(i), request_id: 'r', detail: {} },
        });
    }
    const history = {
      audit: async (_: unknown, { limit, before }: { limit: number; before?: string }) =>
        registry
          .filter(({ audit_id }) => before === undefined || Number(audit_id) < Number(before))
          .slice(0, limit),
    } as unknown as RegistryHistory;
    for (const limit of [1, 2, 5, 12, 50]) {
      const subjects: string[] = [];
      let after: Awaited<ReturnType<typeof auditPage>>['next'];
      do {
        const page = await auditPage(tenant, { limit, after }, { history, trail });
        subjects.push(...page.items.map(({ subject }) => subject));
        after = page.next;
      } while (after !== undefined);
      expect(subjects).toEqual(Array.from({ length: 12 }, (_, i) => String(11 - i)));
    }
  });
});

describe('the order of a log whose clocks went back', () => {
  it('is its own: no entry is passed over', async () => {
    const line = (audit_id: string, at: string): AuditEntry => ({
      ...{ audit_id, at, actor: 'a', action: 'deploy', subject: audit_id, request_id: 'r', detail: {} },
    });
    const lines = [
      line('3', '2026-01-01T00:00:01.000Z'),
      line('2', '2026-01-01T00:00:02.000Z'),
      line('1', '2026-01-01T00:00:00.000Z'),
    ];
    const history = {
      audit: async (_: unknown, { limit, before = '9' }: { limit: number; before?: string }) =>
        lines.filter(({ audit_id }) => audit_id < before).slice(0, limit),
    } as unknown as RegistryHistory;
    const seen: string[] = [];
    let after: Awaited<ReturnType<typeof auditPage>>['next'];
    do {
      const page = await auditPage(tenantNamed('backwards'), { limit: 1, after }, { history, trail });
      seen.push(...page.items.map(({ audit_id }) => audit_id));
      after = page.next;
    } while (after !== undefined);
    expect(seen).toEqual(['3', '2', '1']);
  });
});

describe('what is kept of a request', () => {
  it('fits into an item, whatever was sent', async () => {
    const detail = {
      after: auditable({
        hyperparameters: Object.fromEntries(
          Array.from({ length: 5_000 }, (_, i) => [`name-${i}`, 'x'.repeat(100)]),
        ),
      }),
      numbers: auditable({ big: 1e300, small: -1e-200, zero: 0, imprecise: 2 ** 60 }),
    };
    const id = await trail.begin(tenantA, entry({ detail }));
    expect((await trail.read(tenantA, { limit: 1 }))[0]).toMatchObject({
      auditId: id,
      detail: { numbers: { big: '1e+300', small: '-1e-200', zero: 0, imprecise: 2 ** 60 } },
    });
    expect(JSON.stringify(detail).length).toBeLessThan(100_000);
  });

  it('is short, and holds no data', () => {
    expect(
      auditable({
        ...{ model_name: 'm', rows: [{ secret: 1 }], csv: 'a,b', long: 'x'.repeat(501), none: undefined },
        list: Array.from({ length: 21 }, () => 1),
        deep: { a: { b: { c: { d: { e: 1 } } } } },
      }),
    ).toEqual({
      ...{ model_name: 'm', rows: '…', csv: '…', long: `${'x'.repeat(500)}…`, list: '21 items' },
      deep: { a: { b: { c: { d: '…' } } } },
    });
  });
});
