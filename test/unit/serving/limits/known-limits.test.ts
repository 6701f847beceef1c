import { describe, expect, it } from 'vitest';
import { KnownLimits, type TenantSettings } from '../../../../src/serving/limits/tenant-limits.ts';
import { tenantA, tenantAb } from '../../../support/tenants.ts';

const plans = { default: { requestsPerSecond: 9 } };

describe('what the log keeps of features', () => {
  it('is what the tenant has set, from the first call on, and what it has set since a minute later', async () => {
    let settings: TenantSettings | undefined = { logFeatures: 'drop' };
    const limits = new KnownLimits({ settings: async () => settings }, plans);
    expect(limits.logFeatures(tenantA)).toBeUndefined();
    expect(await limits.of(tenantA, 0)).toEqual({ requestsPerSecond: 9 });
    expect(limits.logFeatures(tenantA)).toBe('drop');
    settings = undefined;
    await limits.of(tenantA, 59_999);
    expect(limits.logFeatures(tenantA)).toBe('drop');
    await limits.of(tenantA, 60_000);
    expect(limits.logFeatures(tenantA)).toBeUndefined();
    expect(limits.logFeatures(tenantAb)).toBeUndefined();
  });

  it('is hashes while nobody can say what the tenant wants, and what was known where something was', async () => {
    let isAway = true;
    const limits = new KnownLimits(
      {
        settings: async () => {
          if (isAway) throw new Error('away');
          return { logFeatures: 'keep' };
        },
      },
      plans,
    );
    await limits.of(tenantA, 0);
    expect(limits.logFeatures(tenantA)).toBe('hash');
    isAway = false;
    await limits.of(tenantA, 60_000);
    expect(limits.logFeatures(tenantA)).toBe('keep');
    isAway = true;
    await limits.of(tenantA, 120_000);
    expect(limits.logFeatures(tenantA)).toBe('keep');
  });
});
