import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SignedLimitLeases } from '../../src/adapters/aws/signed-limit-leases.ts';
import { SignedPredictionCache } from '../../src/adapters/aws/signed-prediction-cache.ts';
import { SignedTable } from '../../src/adapters/aws/signed-table.ts';
import { TenantGate } from '../../src/serving/limits/tenant-gate.ts';
import { KnownLimits, type TenantLimits } from '../../src/serving/limits/tenant-limits.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { tenantNamed } from '../support/tenants.ts';

let stores: LocalStores;
let table: SignedTable;
let clock: ManualClock;
let tenants = 0;
let tenant: TenantContext;

beforeAll(async () => {
  stores = await startLocalStores();
  table = new SignedTable({
    sessions: ownSessions,
    ...{ region: 'us-east-1', table: stores.names.TransientTable, endpoint: stores.endpoints.dynamodb },
  });
});
afterAll(() => stores?.stop());
beforeEach(() => {
  // Far ahead: the local DynamoDB drops what has expired by the machine's clock.
  clock = new ManualClock('2100-01-01T00:00:00Z');
  tenant = tenantNamed(`tenant-${tenants++}`);
});

/** Environments of one deployment, each with what it holds of its own. */
const environments = (n: number, limits: TenantLimits) =>
  Array.from(
    { length: n },
    (_, i) =>
      new TenantGate({
        limits: new KnownLimits({ settings: async () => limits }, {}),
        leases: new SignedLimitLeases(table, `environment-${i}`),
        clock,
      }),
  );

/** @returns how many of the calls were admitted */
async function admitted(gates: readonly TenantGate[], calls: number, of = tenant): Promise<number> {
  let n = 0;
  for (let i = 0; i < calls; i++) {
    try {
      await gates[i % gates.length]!.admit(of);
      n++;
    } catch (error) {
      expect((error as { code: string }).code).toMatch(/^(RATE|CONCURRENCY)_LIMITED$/);
    }
  }
  return n;
}

describe('tokens of a tenant', () => {
  it('are its burst at once and its rate in the long run, whatever the number of environments', async () => {
    for (const n of [1, 4, 16]) {
      tenant = tenantNamed(`tenant-${tenants++}`);
      const gates = environments(n, { requestsPerSecond: 20, burst: 40 });
      expect(await admitted(gates, 200), `${n} environments at once`).toBeLessThanOrEqual(40);
      let total = 0;
      const seconds = 10;
      for (let tick = 0; tick < seconds * 10; tick++) {
        clock.advance(100);
        total += await admitted(gates, 8);
      }
      // Never more than the rate gives; leases that end with a second unused may cost a part.
      expect(total, `${n} environments`).toBeLessThanOrEqual(20 * seconds + 1);
      expect(total, `${n} environments`).toBeGreaterThan(0.6 * 20 * seconds);
    }
  });

  it('of one tenant are not those of another', async () => {
    const [gate] = environments(1, { requestsPerSecond: 5, burst: 5 });
    await admitted([gate!], 50);
    expect(await admitted([gate!], 5, tenantNamed(`tenant-${tenants++}`))).toBe(5);
  });

  it('are told with every answer, and when to come again with every refusal', async () => {
    const [gate] = environments(1, { requestsPerSecond: 2, burst: 2 });
    expect(await gate!.admit(tenant)).toEqual({
      'ratelimit-policy': '"tenant";q=2;w=1',
      ratelimit: '"tenant";r=0;t=1',
    });
    await admitted([gate!], 10);
    await expect((async () => gate!.admit(tenant))()).rejects.toMatchObject({
      ...{ code: 'RATE_LIMITED', evidence: { retry_after_seconds: 1 } },
    });
    clock.advance(1_000);
    expect(await admitted([gate!], 1)).toBe(1);
  });

  it('cost nothing where a tenant has no limits', () => {
    const gate = new TenantGate({
      limits: new KnownLimits({ settings: async () => undefined }, {}),
      leases: {
        takeTokens: () => Promise.reject(new Error('asked')),
        takeSlot: () => Promise.reject(new Error('asked')),
      },
      clock,
    });
    return expect((async () => [await gate.admit(tenant), gate.admit(tenant)])()).resolves.toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe('slots of a tenant', () => {
  it('are held by so many environments at a time, and free again when they are not renewed', async () => {
    const gates = environments(5, { concurrency: 2 });
    const outcomes = await Promise.all(gates.map((gate) => admitted([gate], 1)));
    expect(outcomes.reduce((sum, n) => sum + n, 0)).toBe(2);
    const holders = gates.filter((_, i) => outcomes[i] === 1);
    for (let i = 0; i < 10; i++) {
      clock.advance(1_000);
      expect(await admitted(holders, 2)).toBe(2);
      expect(
        await admitted(
          gates.filter((gate) => !holders.includes(gate)),
          3,
        ),
      ).toBe(0);
    }
    clock.advance(2_001);
    expect(await admitted(gates.slice(3), 2)).toBe(2);
  });
});

describe('the prediction cache', () => {
  it('gives back what was put, until it expires, to the tenant only', async () => {
    const cache = new SignedPredictionCache(table, clock);
    const output = { probabilities: Float32Array.of(0.25, 0.75) };
    await cache.put(tenant, 'a'.repeat(64), output, 60);
    expect(await cache.get(tenant, 'a'.repeat(64))).toEqual(output);
    expect(await cache.get(tenantNamed(`tenant-${tenants++}`), 'a'.repeat(64))).toBeUndefined();
    await cache.put(tenant, 'b'.repeat(64), { values: Float32Array.of(1.5) }, 60);
    expect(await cache.get(tenant, 'b'.repeat(64))).toEqual({ values: Float32Array.of(1.5) });
    clock.advance(60_000);
    expect(await cache.get(tenant, 'a'.repeat(64))).toBeUndefined();
  });

  it('is only slower when the store is away', async () => {
    const away = new SignedPredictionCache(
      new SignedTable({
        region: 'us-east-1',
        sessions: ownSessions,
        table: 'none',
        endpoint: stores.endpoints.dynamodb,
      }),
      clock,
    );
    await away.put(tenant, 'c', { values: Float32Array.of(1) }, 60);
    expect(await away.get(tenant, 'c')).toBeUndefined();
  });
});
