import { describe, expect, it } from 'vitest';
import { type LimitLeases, TenantGate } from '../../../../src/serving/limits/tenant-gate.ts';
import { KnownLimits, type TenantLimits } from '../../../../src/serving/limits/tenant-limits.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { tenantA } from '../../../support/tenants.ts';

type Answer = Awaited<ReturnType<LimitLeases['takeTokens']>>;

/** A table that takes some time for each answer. */
function slowTable(clock: ManualClock, answerMs: number, answer: Answer) {
  const leases = {
    asked: 0,
    async takeTokens() {
      leases.asked++;
      if (leases.asked > 20) throw new Error('asked without end');
      await Promise.resolve();
      clock.advance(answerMs);
      return answer;
    },
    takeSlot: async () => 0,
  };
  return leases;
}

const gateOf = (clock: ManualClock, leases: LimitLeases, limits: TenantLimits, failures: unknown[] = []) =>
  new TenantGate({
    limits: new KnownLimits({ settings: async () => limits }, {}),
    ...{ leases, clock, onFailure: (error) => void failures.push(error) },
  });

describe('a table that is slow', () => {
  it('refuses a call although the wait for a token is over when it says so', async () => {
    const clock = new ManualClock();
    const leases = slowTable(clock, 12, { taken: false, waitMs: 2 });
    const gate = gateOf(clock, leases, { requestsPerSecond: 500 });
    await expect((async () => gate.admit(tenantA))()).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect(leases.asked).toBe(1);
  });

  it('admits a call although it took longer than leased tokens are good for', async () => {
    const clock = new ManualClock();
    const leases = slowTable(clock, 1_500, { taken: true, waitMs: 0 });
    const failures: unknown[] = [];
    const gate = gateOf(clock, leases, { requestsPerSecond: 5 }, failures);
    const calls = await Promise.all(Array.from({ length: 4 }, async () => gate.admit(tenantA)));
    expect(calls.every((headers) => headers !== undefined)).toBe(true);
    expect(leases.asked).toBeLessThanOrEqual(4);
    expect(failures).toEqual([]);
  });
});

describe('a table that is away', () => {
  const away = async () => {
    throw new Error('ThrottlingException');
  };

  it('lets calls pass, and is told of', async () => {
    const failures: unknown[] = [];
    const leases = { takeTokens: away, takeSlot: away };
    const gate = gateOf(new ManualClock(), leases, { requestsPerSecond: 1, concurrency: 1 }, failures);
    for (let i = 0; i < 3; i++) expect(await gate.admit(tenantA)).toHaveProperty('ratelimit');
    expect(failures.length).toBeGreaterThanOrEqual(2);
  });

  it('of settings leaves a tenant the limits that were known, or the plan of everybody', async () => {
    let isAway = true;
    const settings = async () => {
      if (isAway) throw new Error('away');
      return { requestsPerSecond: 7 };
    };
    const limits = new KnownLimits({ settings }, { default: { requestsPerSecond: 3 } });
    expect(await limits.of(tenantA, 0)).toEqual({ requestsPerSecond: 3 });
    isAway = false;
    expect(await limits.of(tenantA, 60_000)).toEqual({ requestsPerSecond: 7 });
    isAway = true;
    expect(await limits.of(tenantA, 120_000)).toEqual({ requestsPerSecond: 7 });
  });
});
