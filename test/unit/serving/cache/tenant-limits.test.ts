import { describe, expect, it } from 'vitest';
import { cacheBench } from '../../../support/cache-models.ts';

describe('ModelCache, for each tenant', () => {
  it('evicts the least recently used model of a tenant that may hold no more models', async () => {
    const { use, held, evicted } = cacheBench({ budgetBytes: 10_000, maxModels: 100 });
    await use('other', 10, { tenant: 'bb' });
    for (let i = 1; i <= 100; i++) await use(`m${i}`);
    expect(evicted).toEqual([]);
    await use('m101');
    expect([evicted, held('aa').length, held('bb')]).toEqual([['aa/m1 tenant_count'], 100, ['other']]);
  });

  it('evicts the models of a tenant over its own bytes, and nobody else’s', async () => {
    // 60 of the 100 that fit are this tenant's bound: three models of 20.
    const { use, evicted, held, cache } = cacheBench({ budgetBytes: 100 });
    const limits = { maxBytes: 60 };
    await use('theirs', 30, { tenant: 'bb' });
    for (let i = 0; i < 5; i++) {
      await use(`m${i}`, 20, { limits });
      expect(cache.view('aa').loadedBytes).toBeLessThanOrEqual(60);
    }
    expect(evicted).toEqual(['aa/m0 tenant_bytes', 'aa/m1 tenant_bytes']);
    expect([held('bb'), cache.view('aa').maxBytes]).toEqual([['theirs'], 60]);
  });

  it('refuses a model that its tenant could not hold even alone, with the tenant’s figures', async () => {
    const { use } = cacheBench({ budgetBytes: 100 });
    await expect(use('a', 61, { limits: { maxBytes: 60 } })).rejects.toMatchObject({
      code: 'MODEL_TOO_LARGE',
      message: expect.stringContaining('max_memory_mb'),
      evidence: { needed_bytes: 61, budget_bytes: 60 },
    });
  });

  it('lets others pass a tenant that waits for its own models', async () => {
    const { use, hold, timers } = cacheBench({ budgetBytes: 100 });
    const limits = { maxModels: 1 };
    const busy = hold('busy', 10, { limits });
    await busy.begun;
    const second = use('second', 10, { limits });
    expect(await use('theirs', 10, { tenant: 'bb' })).toBe('miss');
    expect(timers.pending).toBe(1);
    busy.done();
    expect(await second).toBe('miss');
  });

  it('shows a tenant its own models only', async () => {
    const { cache, use, hold, clock } = cacheBench({ budgetBytes: 100 });
    const startMs = clock.nowMs();
    await use('a', 10);
    await use('a', 10);
    await use('secret', 20, { tenant: 'bb' });
    const loading = hold('b', 30);
    expect(cache.view('aa')).toEqual({
      models: [
        {
          ...{ id: 'a', state: 'loaded', bytes: 10, hits: 1, lastUsedMs: startMs + 1 },
          ...{ inUse: false, segment: 'probation' },
        },
        {
          ...{ id: 'b', state: 'loading', bytes: 30, hits: 0, lastUsedMs: startMs + 3 },
          ...{ inUse: true, segment: 'window' },
        },
      ],
      ...{ reservedBytes: 30, loadedBytes: 10, releasingBytes: 0, hits: 1, misses: 2 },
      ...{ maxBytes: 100, maxModels: 100 },
    });
    loading.done();
    await loading.finished;
    expect(cache.figures()).toMatchObject({ models: 3, loadedBytes: 60, hits: 1, misses: 3, loads: 3 });
  });
});
