import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelCache } from '../../../src/serving/model-cache.ts';
import { ManualClock } from '../../support/manual-clock.ts';

class Model {
  released = false;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  async release(): Promise<void> {
    await Promise.resolve();
    this.released = true;
  }
}

const cacheOf = (budgetBytes: number, maxModels = 100, clock = new ManualClock()) =>
  new ModelCache<Model>({ budgetBytes, maxModels, failedForMs: 10_000 }, clock);

/** Uses a model and says whether it had to be loaded. */
async function use(cache: ModelCache<Model>, name: string, bytes = 10): Promise<'loaded' | 'held'> {
  let loaded: 'loaded' | 'held' = 'held';
  await cache.use(
    name,
    bytes,
    async () => {
      loaded = 'loaded';
      return new Model(name);
    },
    async (model) => {
      expect([model.name, model.released]).toEqual([name, false]);
    },
  );
  return loaded;
}

describe('ModelCache', () => {
  it('loads a model once for a hundred callers that wait for it', async () => {
    const cache = cacheOf(100);
    let loads = 0;
    const ready = Promise.withResolvers<void>();
    const answers = Array.from({ length: 100 }, (_, i) =>
      cache.use(
        'a',
        10,
        async () => {
          loads++;
          await ready.promise;
          return new Model('a');
        },
        async () => i,
      ),
    );
    ready.resolve();
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect([loads, cache.usedBytes]).toEqual([1, 10]);
  });

  it('evicts the least recently used idle model first', async () => {
    // Room for three models of 10 bytes in 35.
    const cache = cacheOf(35);
    for (const name of ['a', 'b', 'c']) await use(cache, name);
    expect(await use(cache, 'a')).toBe('held');
    expect(await use(cache, 'd')).toBe('loaded');
    expect(cache.usedBytes).toBe(30);
    expect(await use(cache, 'a')).toBe('held');
    expect(await use(cache, 'c')).toBe('held');
    expect(await use(cache, 'b')).toBe('loaded');
  });

  it('evicts as many as the bytes of the next need, and releases them', async () => {
    const cache = cacheOf(30);
    const held: Model[] = [];
    for (const name of ['a', 'b', 'c']) {
      await cache.use(
        name,
        10,
        async () => new Model(name),
        async (model) => held.push(model),
      );
    }
    await use(cache, 'large', 25);
    expect([cache.usedBytes, cache.size]).toEqual([25, 1]);
    expect(held.map(({ released }) => released)).toEqual([true, true, true]);
  });

  it('holds no more models than it may, whatever their bytes', async () => {
    const cache = cacheOf(1_000_000, 2);
    for (const name of ['a', 'b', 'c', 'd', 'a', 'b']) {
      await use(cache, name);
      expect(cache.size).toBeLessThanOrEqual(2);
    }
    expect(await use(cache, 'b')).toBe('held');
    expect(await use(cache, 'd')).toBe('loaded');
  });

  it('does not evict a model that is at work', async () => {
    const cache = cacheOf(20);
    const done = Promise.withResolvers<void>();
    const busy = cache.use(
      'busy',
      10,
      async () => new Model('busy'),
      async (model) => {
        await done.promise;
        return model.released;
      },
    );
    await use(cache, 'idle');
    await use(cache, 'next');
    await expect(use(cache, 'too large now', 15)).rejects.toMatchObject({ code: 'MODEL_TOO_LARGE' });
    done.resolve();
    expect(await busy).toBe(false);
    expect(await use(cache, 'too large now', 15)).toBe('loaded');
  });

  it('refuses a model that could not be held even alone, with the figures', async () => {
    const cache = cacheOf(384 * 1024 * 1024);
    await expect(use(cache, 'a', 412 * 1024 * 1024)).rejects.toThrow(
      'the model needs 412 MiB but the cache holds 384 MiB',
    );
    expect([cache.usedBytes, cache.size]).toEqual([0, 0]);
    expect(await use(cache, 'a', 384 * 1024 * 1024)).toBe('loaded');
  });

  it('remembers a failed load for a while, at no cost in bytes, and tries again after it', async () => {
    const clock = new ManualClock();
    const cache = cacheOf(10, 100, clock);
    let attempts = 0;
    const attempt = () =>
      cache.use(
        'broken',
        10,
        async () => {
          attempts++;
          throw new Error('damaged');
        },
        async () => {},
      );
    await expect(attempt()).rejects.toThrow('damaged');
    clock.advance(9_999);
    await expect(attempt()).rejects.toThrow('damaged');
    expect([attempts, cache.usedBytes]).toEqual([1, 0]);
    clock.advance(1);
    await expect(attempt()).rejects.toThrow('damaged');
    expect(attempts).toBe(2);
    expect(await use(cache, 'other')).toBe('loaded');
  });

  it('does not hold the failure of its work against a model', async () => {
    const cache = cacheOf(10);
    const failing = cache.use(
      'a',
      10,
      async () => new Model('a'),
      async () => {
        throw new Error('a bad row');
      },
    );
    await expect(failing).rejects.toThrow('a bad row');
    expect(await use(cache, 'a')).toBe('held');
    expect(await use(cache, 'b')).toBe('loaded');
  });

  it('never uses more bytes or models than it may, whatever is asked of it at once', async () => {
    const request = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      bytes: fc.integer({ min: 1, max: 60 }),
      fails: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 25 }),
        fc.integer({ min: 1, max: 4 }),
        fc.scheduler(),
        async (requests, maxModels, scheduler) => {
          const budget = 100;
          const cache = cacheOf(budget, maxModels);
          const sizes = { a: 5, b: 20, c: 35, d: 50, e: 65, f: 130 } as Record<string, number>;
          let working = 0;
          const check = () => {
            expect(cache.usedBytes).toBeLessThanOrEqual(budget);
            expect(cache.usedBytes).toBeGreaterThanOrEqual(0);
          };
          const calls = requests.map(({ key, fails }) =>
            cache
              .use(
                key,
                sizes[key]!,
                async () => {
                  check();
                  await scheduler.schedule(Promise.resolve());
                  if (fails) throw new Error('load');
                  return new Model(key);
                },
                async (model) => {
                  working++;
                  check();
                  expect(model.released).toBe(false);
                  await scheduler.schedule(Promise.resolve());
                  expect(model.released).toBe(false);
                  working--;
                },
              )
              .catch((error: Error & { code?: string }) => {
                expect(error.code === 'MODEL_TOO_LARGE' || error.message === 'load').toBe(true);
              }),
          );
          await scheduler.waitFor(Promise.all(calls));
          check();
          expect(working).toBe(0);
          expect(cache.size).toBeLessThanOrEqual(6);
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });
});
