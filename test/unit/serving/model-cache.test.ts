import { describe, expect, it } from 'vitest';
import { cacheBench, FakeModel } from '../../support/cache-models.ts';

const never = new Promise<never>(() => {});

describe('ModelCache', () => {
  it('loads a model once for a hundred callers that wait for it', async () => {
    const { cache, used } = cacheBench({ budgetBytes: 100 });
    let loads = 0;
    const ready = Promise.withResolvers<void>();
    const outcomes: string[] = [];
    const answers = Array.from({ length: 100 }, (_, i) =>
      cache.use(
        { tenantId: 'aa', id: 'a' },
        { predictedBytes: 10 },
        async () => {
          loads++;
          await ready.promise;
          return new FakeModel('a', 10);
        },
        (_model, outcome) => {
          outcomes.push(outcome.cache);
          return i;
        },
      ),
    );
    expect(used()).toEqual({ reservedBytes: 10, loadedBytes: 0, releasingBytes: 0 });
    ready.resolve();
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect([loads, new Set(outcomes)]).toEqual([1, new Set(['miss'])]);
    expect(used()).toEqual({ reservedBytes: 0, loadedBytes: 10, releasingBytes: 0 });
  });

  it('begins to work with a held model before use returns', async () => {
    const { cache, use } = cacheBench({ budgetBytes: 100 });
    await use('a');
    let worked = false;
    const answer = cache.use(
      { tenantId: 'aa', id: 'a' },
      { predictedBytes: 10 },
      () => never,
      () => {
        worked = true;
        return 7;
      },
    );
    expect(worked).toBe(true);
    expect(await answer).toBe(7);
  });

  it('keeps the models of two tenants apart, whatever their ids', async () => {
    const { use, held } = cacheBench({ budgetBytes: 100 });
    expect(await use('a', 10, { tenant: 'aa' })).toBe('miss');
    expect(await use('a', 10, { tenant: 'bb' })).toBe('miss');
    expect(await use('a', 10, { tenant: 'bb' })).toBe('hit');
    expect([held('aa'), held('bb'), held('cc')]).toEqual([['a'], ['a'], []]);
  });

  it('evicts the least recently used of equal models first', async () => {
    // 35 bytes hold three models of 10; the fourth needs 5 more than the 5 that are free: one goes.
    const { use, evicted, used } = cacheBench({ budgetBytes: 35 });
    for (const id of ['a', 'b', 'c']) await use(id);
    expect(await use('a')).toBe('hit');
    expect(await use('d')).toBe('miss');
    expect(evicted).toEqual(['aa/b budget']);
    expect(used().loadedBytes).toBe(30);
    expect([await use('a'), await use('c')]).toEqual(['hit', 'hit']);
  });

  it('evicts no more than the bytes that the next model needs', async () => {
    // Ten models of 10 fill 100. One of 25 needs 25: three go, seven and the new one stay: 95 bytes.
    const { use, evicted, used } = cacheBench({ budgetBytes: 100 });
    for (let i = 0; i < 10; i++) await use(`m${i}`);
    await use('large', 25);
    expect(evicted).toHaveLength(3);
    expect(used().loadedBytes).toBe(95);
  });

  it('keeps a small model when the large one that goes with it makes the room alone', async () => {
    // 5 + 60 = 65 of 70, 5 are free. A model of 65 needs 60 more: the large one gives just that, the small one stays.
    const { use, held, used } = cacheBench({ budgetBytes: 70 });
    await use('small', 5);
    await use('large', 60);
    await use('next', 65);
    expect(held()).toEqual(['small', 'next']);
    expect(used().loadedBytes).toBe(70);
  });

  it('counts the bytes of a model as used until its release has settled', async () => {
    const { use, models, used, held } = cacheBench({ budgetBytes: 10 });
    await use('a');
    const released = Promise.withResolvers<void>();
    models.get('aa/a')!.mayRelease = released.promise;
    const next = use('b');
    await Promise.resolve();
    expect(used()).toEqual({ reservedBytes: 0, loadedBytes: 0, releasingBytes: 10 });
    expect(held()).toEqual(['b']);
    released.resolve();
    expect(await next).toBe('miss');
    expect(used()).toEqual({ reservedBytes: 0, loadedBytes: 10, releasingBytes: 0 });
  });

  it('loads a model again while its predecessor is being released, and counts both', async () => {
    const { cache, use, models, used } = cacheBench({ budgetBytes: 20 });
    await use('a');
    const released = Promise.withResolvers<void>();
    models.get('aa/a')!.mayRelease = released.promise;
    const shrunk = cache.shrinkTo(0);
    expect(await use('a')).toBe('miss');
    expect(used()).toEqual({ reservedBytes: 0, loadedBytes: 10, releasingBytes: 10 });
    released.resolve();
    await shrunk;
    expect(used()).toEqual({ reservedBytes: 0, loadedBytes: 10, releasingBytes: 0 });
  });

  it('counts a release that fails, and frees the bytes', async () => {
    const { cache, use, models, used } = cacheBench({ budgetBytes: 10 });
    await use('a');
    models.get('aa/a')!.mayRelease = Promise.reject(new Error('stuck'));
    expect(await use('b')).toBe('miss');
    expect([cache.figures().releaseFailures, used().loadedBytes]).toEqual([1, 10]);
  });

  it('refuses a model that could not be held even alone, with the figures, and fetches nothing', async () => {
    const mebibyte = 1024 * 1024;
    const { use, used, held, loadCount } = cacheBench({ budgetBytes: 384 * mebibyte });
    await expect(use('a', 412 * mebibyte)).rejects.toMatchObject({
      code: 'MODEL_TOO_LARGE',
      message: expect.stringContaining('the model needs 412 MiB but the cache holds 384 MiB'),
      evidence: { needed_bytes: 412 * mebibyte, budget_bytes: 384 * mebibyte },
    });
    expect([used().reservedBytes, held(), loadCount()]).toEqual([0, [], 0]);
    expect(await use('a', 384 * mebibyte)).toBe('miss');
  });

  it('does not hold the failure of its work against a model', async () => {
    const { use, evicted } = cacheBench({ budgetBytes: 10 });
    const fail = () => {
      throw new Error('a bad row');
    };
    await expect(use('a', 10, {}, fail)).rejects.toThrow('a bad row');
    await expect(use('a', 10, {}, fail)).rejects.toThrow('a bad row');
    await expect(use('a', 10, {}, async () => fail())).rejects.toThrow('a bad row');
    expect(await use('a')).toBe('hit');
    await use('b');
    expect(evicted).toEqual(['aa/a budget']);
  });
});

describe('ModelCache, when everything is in use', () => {
  it('waits for a user to end, and takes the bytes of its model', async () => {
    const { use, hold, evicted, timers } = cacheBench({ budgetBytes: 20 });
    const one = hold('one');
    const two = hold('two');
    await Promise.all([one.begun, two.begun]);
    const next = use('next');
    await Promise.resolve();
    expect(timers.pending).toBe(1);
    one.done();
    expect(await next).toBe('miss');
    expect([evicted, timers.pending]).toEqual([['aa/one budget'], 0]);
    two.done();
    await two.finished;
  });

  it('gives up with CACHE_BUSY when the wait is over, and never releases what is in use', async () => {
    const { use, hold, timers, models, cache } = cacheBench({ budgetBytes: 20 });
    const busy = hold('busy', 15);
    await busy.begun;
    const refused = expect(use('next', 10, { waitMs: 300 })).rejects.toMatchObject({
      code: 'CACHE_BUSY',
      evidence: { needed_bytes: 10, budget_bytes: 20, retry_after_seconds: 1 },
    });
    await Promise.resolve();
    timers.advance(299);
    expect(timers.pending).toBe(1);
    timers.advance(1);
    await refused;
    expect([models.get('aa/busy')!.released, cache.figures().busy]).toEqual([false, 1]);
    busy.done();
    await busy.finished;
    expect(await use('next')).toBe('miss');
  });

  it('evicts nothing in vain', async () => {
    // 20 in use and 10 idle of 30: a model of 25 cannot be had from the idle one, which stays until it helps.
    const { use, hold, evicted } = cacheBench({ budgetBytes: 30 });
    const busy = hold('busy', 20);
    await busy.begun;
    await use('idle');
    const next = use('next', 25);
    await Promise.resolve();
    expect(evicted).toEqual([]);
    busy.done();
    await next;
    expect(evicted).toHaveLength(2);
  });

  it('serves first who came first, so that small models do not starve a large one', async () => {
    // 30 of 30 are in use. The large one needs 20, the small ones 5 each, and one user ends after the other.
    const { use, hold, evicted } = cacheBench({ budgetBytes: 30 });
    const users = ['x', 'y', 'z'].map((id) => hold(id));
    await Promise.all(users.map(({ begun }) => begun));
    const order: string[] = [];
    const large = use('large', 20, {}, () => order.push('large'));
    const small = use('small', 5, {}, () => order.push('small'));
    users[0]!.done();
    await users[0]!.finished;
    expect([order, evicted]).toEqual([[], []]);
    users[1]!.done();
    await large;
    users[2]!.done();
    await small;
    expect(order).toEqual(['large', 'small']);
  });
});

describe('ModelCache, when loads fail', () => {
  const attempt = (bench: ReturnType<typeof cacheBench>, load: () => Promise<FakeModel>, id = 'broken') =>
    bench.cache.use({ tenantId: 'aa', id }, { predictedBytes: 10 }, load, () => 'answer');

  it('remembers it for a while, at no cost in bytes, and tries again after it', async () => {
    const bench = cacheBench({ budgetBytes: 10 });
    let attempts = 0;
    const load = async () => {
      attempts++;
      throw new Error('damaged');
    };
    await expect(attempt(bench, load)).rejects.toThrow('damaged');
    bench.clock.advance(9_999);
    await expect(attempt(bench, load)).rejects.toThrow('damaged');
    expect([attempts, bench.used().reservedBytes, bench.cache.figures().failedHits]).toEqual([1, 0, 1]);
    bench.clock.advance(1);
    await expect(attempt(bench, load)).rejects.toThrow('damaged');
    expect(attempts).toBe(2);
    expect(await bench.use('other')).toBe('miss');
  });

  it('tells all who waited, and remembers no more failures than a thousand', async () => {
    const bench = cacheBench({ budgetBytes: 10 });
    const load = async () => {
      throw new Error('damaged');
    };
    const both = await Promise.allSettled([attempt(bench, load), attempt(bench, load)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    for (let i = 0; i < 1_200; i++) await expect(attempt(bench, load, `m${i}`)).rejects.toThrow('damaged');
    expect(bench.cache.figures().failedEntries).toBe(1_000);
    bench.clock.advance(10_000);
    bench.cache.tick(bench.clock.nowMs());
    expect(bench.cache.figures().failedEntries).toBe(0);
  });
});
