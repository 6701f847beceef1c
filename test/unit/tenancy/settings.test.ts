import { describe, expect, it } from 'vitest';
import type { OwnSettings, SettingsRequest } from '../../../src/contracts/tenant.ts';
import { agreedLimits } from '../../../src/serving/limits/agreed-limits.ts';
import { limitsOf, type Plans } from '../../../src/serving/limits/tenant-limits.ts';
import { Settings, type StoredSettings } from '../../../src/tenancy/settings.ts';
import { tenantA } from '../../support/tenants.ts';

const plans: Plans = { default: { requestsPerSecond: 20, concurrency: 2 }, gold: { requestsPerSecond: 500 } };

function settingsWith(stored: Partial<StoredSettings> = {}) {
  let kept: StoredSettings = { agreed: {}, own: {}, revision: 0, ...stored };
  const store = {
    read: async () => kept,
    write: async (_: unknown, own: OwnSettings, change: { from: number }) => {
      if (change.from !== kept.revision) return false;
      kept = { ...kept, own, revision: kept.revision + 1 };
      return true;
    },
  };
  return new Settings({
    ...{ store, clock: { nowMs: () => 0 } },
    planLimits: (plan) => agreedLimits(plans, plan),
    trainingTimeoutMinutes: 30,
    keptDays: { prediction_log_days: 90, job_days: 90 },
    defaults: { performance_threshold: 0.7, retraining_feedback_threshold: 50, log_features: 'keep' },
  });
}

describe('the settings of a tenant', () => {
  it('of which nothing is written down are the plan of everybody and the defaults', async () => {
    expect(await settingsWith().get(tenantA)).toEqual({
      ...{ revision: 0, plan: 'default', own: {} },
      agreed: { requests_per_second: 20, concurrency: 2 },
      limits: { requests_per_second: 20, concurrency: 2 },
      ...{ performance_threshold: 0.7, retraining_feedback_threshold: 50, log_features: 'keep' },
      retention: { prediction_log_days: 90, job_days: 90 },
      training_timeout_minutes: 30,
    });
  });

  it('have what was agreed over the plan, and what the tenant wants below that', async () => {
    const settings = settingsWith({ plan: 'gold', agreed: { requests_per_second: 800, max_models: 5 } });
    const view = await settings.put(tenantA, {
      revision: 0,
      limits: { requests_per_second: 100, burst: 7 },
      performance_threshold: 0,
    });
    expect(view).toMatchObject({
      plan: 'gold',
      agreed: { requests_per_second: 800, max_models: 5 },
      limits: { requests_per_second: 100, burst: 7, max_models: 5 },
      performance_threshold: 0,
      revision: 1,
    });
  });

  it.each<[SettingsRequest['limits'], RegExp]>([
    [{ requests_per_second: 20.5 }, /requests_per_second=20.5 must be <= 20/],
    [{ requests_per_second: 20, concurrency: 3 }, /concurrency=3 must be <= 2/],
  ])('take no limit above what is agreed: %j', async (limits, message) => {
    const settings = settingsWith();
    await expect(settings.put(tenantA, { revision: 0, limits })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      message: expect.stringMatching(message),
    });
    expect((await settings.get(tenantA)).revision).toBe(0);
  });

  it('keep things for fewer days than the platform, never for more', async () => {
    const settings = settingsWith();
    const view = await settings.put(tenantA, { revision: 0, retention: { job_days: 7 } });
    expect(view.retention).toEqual({ prediction_log_days: 90, job_days: 7 });
    await expect(settings.put(tenantA, { revision: 1, retention: { job_days: 91 } })).rejects.toMatchObject({
      ...{ code: 'VALIDATION_FAILED', message: expect.stringMatching(/job_days=91 must be <= 90/) },
    });
  });

  it('give a training less time than the platform, never more', async () => {
    const settings = settingsWith();
    const wanting = (training_timeout_minutes: number) =>
      settings.put(tenantA, { revision: 0, training_timeout_minutes });
    await expect(wanting(31)).rejects.toMatchObject({
      errors: [{ pointer: '/training_timeout_minutes', detail: expect.stringContaining('<= 30') }],
    });
    expect((await wanting(5)).training_timeout_minutes).toBe(5);
  });

  it('are kept from the second of two admins who read the same', async () => {
    const settings = settingsWith();
    await settings.put(tenantA, { revision: 0, log_features: 'drop' });
    await expect(settings.put(tenantA, { revision: 0, log_features: 'keep' })).rejects.toMatchObject({
      code: 'SETTINGS_CHANGED',
    });
    expect((await settings.get(tenantA)).log_features).toBe('drop');
  });

  it('go back to their defaults where a request leaves them out', async () => {
    const settings = settingsWith({ revision: 4, own: { log_features: 'drop', performance_threshold: 0.9 } });
    expect(await settings.put(tenantA, { revision: 4 })).toMatchObject({
      log_features: 'keep',
      performance_threshold: 0.7,
    });
  });
});

describe('limitsOf', () => {
  it.each([
    ['a plan alone', { plan: 'gold' }, { requestsPerSecond: 500 }],
    ['what was agreed beside it', { requestsPerSecond: 30 }, { requestsPerSecond: 30, concurrency: 2 }],
    [
      'less that the tenant wants',
      { lowered: { requestsPerSecond: 3 } },
      { requestsPerSecond: 3, concurrency: 2 },
    ],
    // The operator lowered the plan after the tenant had set its own.
    [
      'more that the tenant once wanted',
      { lowered: { requestsPerSecond: 30 } },
      { requestsPerSecond: 20, concurrency: 2 },
    ],
    [
      'a limit of the tenant where there was none',
      { lowered: { maxModels: 3 } },
      { requestsPerSecond: 20, concurrency: 2, maxModels: 3 },
    ],
    [
      'nothing of a privacy setting',
      { logFeatures: 'drop' as const },
      { requestsPerSecond: 20, concurrency: 2 },
    ],
  ])('gives %s', (_, settings, expected) => {
    expect(limitsOf(plans, settings)).toEqual(expected);
  });
});
