import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelCache } from '../../../src/serving/model-cache.ts';
import { FakeModel } from '../../support/cache-models.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const budgetBytes = 100;
const tenants = ['aa', 'bb', 'cc'];
/** The first tenant is bounded by bytes, the second by count, the third by the budget only. */
const limitsOf: Record<string, { maxBytes?: number; maxModels?: number }> = {
  aa: { maxBytes: 60 },
  bb: { maxModels: 2 },
  cc: {},
};
/** Larger than the budget, and larger than the first tenant's part of it, are among them. */
const sizes = [1, 5, 20, 35, 50, 65, 130];

const command = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('use' as const),
      tenant: fc.constantFrom(...tenants),
      model: fc.nat(sizes.length - 1),
      /** What is predicted, over what it takes. */
      predictedShare: fc.constantFrom(0.3, 1, 1, 1, 2),
      fails: fc.constantFrom(false, false, false, 'load', 'work', 'release'),
      isSweep: fc.boolean(),
      mayEvict: fc.constantFrom(true, true, true, false),
      isSynchronous: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('shrink' as const), bytes: fc.nat(budgetBytes) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('tick' as const), afterMs: fc.nat(20_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('forget' as const),
      tenant: fc.constantFrom(...tenants),
      model: fc.nat(sizes.length - 1),
    }),
  },
);

/** Loads, works and releases take as long as the scheduler says, as do the waits of those who find everything in use. */
describe('ModelCache, whatever is asked of it at once', () => {
  it('keeps its bounds at every moment, releases nothing in use, leaves nobody waiting, and drains to nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 1, maxLength: 40 }),
        fc.scheduler(),
        async (commands, scheduler) => {
          const clock = new ManualClock();
          const moment = () => scheduler.schedule(Promise.resolve());
          const live = new Set<FakeModel>();
          const loading = new Map<string, number>();
          let overPredictionBytes = 0;
          const check = () => {
            const { reservedBytes, loadedBytes, releasingBytes } = cache.figures();
            for (const bytes of [reservedBytes, loadedBytes, releasingBytes])
              expect(bytes).toBeGreaterThanOrEqual(0);
            expect(reservedBytes + loadedBytes + releasingBytes).toBeLessThanOrEqual(budgetBytes);
            // What is really in memory is what is accounted for, but for loads that took more than was predicted.
            const liveBytes = [...live].reduce((sum, model) => sum + model.residentBytes, 0);
            expect(liveBytes).toBeLessThanOrEqual(
              reservedBytes + loadedBytes + releasingBytes + overPredictionBytes,
            );
            for (const tenant of tenants) {
              const view = cache.view(tenant);
              expect(view.reservedBytes + view.loadedBytes + view.releasingBytes).toBeLessThanOrEqual(
                view.maxBytes,
              );
              const held = view.models.filter(({ state, bytes }) => state === 'loaded' || bytes > 0);
              expect(held.length).toBeLessThanOrEqual(view.maxModels);
            }
          };
          const cache = new ModelCache<FakeModel>(
            {
              budgetBytes,
              maxModels: 100,
              idleForMs: 15_000,
              after: (_ms, run) => {
                let isCancelled = false;
                void moment().then(() => {
                  if (!isCancelled) run();
                });
                return () => {
                  isCancelled = true;
                };
              },
              onEvent: check,
            },
            clock,
          );

          class SlowModel extends FakeModel {
            readonly releaseFails: boolean;
            readonly overBytes: number;
            users = 0;

            constructor(name: string, bytes: number, overBytes: number, releaseFails: boolean) {
              super(name, bytes);
              this.overBytes = overBytes;
              this.releaseFails = releaseFails;
              live.add(this);
              overPredictionBytes += overBytes;
            }

            override async release(): Promise<void> {
              expect(this.users).toBe(0);
              expect(this.released).toBe(false);
              this.released = true;
              check();
              await moment();
              live.delete(this);
              overPredictionBytes -= this.overBytes;
              check();
              if (this.releaseFails) throw new Error('release');
            }
          }

          const use = async (asked: Extract<(typeof commands)[number], { kind: 'use' }>) => {
            const id = `m${asked.model}`;
            const key = `${asked.tenant}/${id}`;
            const bytes = sizes[asked.model]!;
            const predictedBytes = Math.ceil(bytes * asked.predictedShare);
            const options = {
              ...{ predictedBytes, isSweep: asked.isSweep, mayEvict: asked.mayEvict },
              limits: limitsOf[asked.tenant]!,
            };
            const load = async () => {
              check();
              // However many wait for it, it is loaded by one of them.
              loading.set(key, (loading.get(key) ?? 0) + 1);
              expect(loading.get(key)).toBe(1);
              await moment();
              check();
              loading.set(key, loading.get(key)! - 1);
              if (asked.fails === 'load') throw new Error('load');
              return new SlowModel(
                key,
                bytes,
                Math.max(0, bytes - predictedBytes),
                asked.fails === 'release',
              );
            };
            const inUse = async (model: FakeModel) => {
              const slow = model as SlowModel;
              slow.users++;
              await moment();
              expect([model.name, model.released]).toEqual([key, false]);
              slow.users--;
            };
            try {
              await cache.use({ tenantId: asked.tenant, id }, options, load, (model) => {
                check();
                expect([model.name, model.released]).toEqual([key, false]);
                if (asked.fails === 'work') throw new Error('work');
                return asked.isSynchronous ? undefined : inUse(model);
              });
            } catch (error) {
              const { code, message } = error as Error & { code?: string };
              expect(['CACHE_BUSY', 'MODEL_TOO_LARGE', 'load', 'work']).toContain(code ?? message);
              if (code === 'MODEL_TOO_LARGE') {
                expect(Math.max(bytes, predictedBytes)).toBeGreaterThan(
                  limitsOf[asked.tenant]!.maxBytes ?? budgetBytes,
                );
              }
            }
            check();
          };

          const calls = commands.map(async (asked) => {
            await moment();
            if (asked.kind === 'use') return await use(asked);
            if (asked.kind === 'shrink') return await cache.shrinkTo(asked.bytes);
            if (asked.kind === 'forget')
              return cache.forget({ tenantId: asked.tenant, id: `m${asked.model}` });
            clock.advance(asked.afterMs);
            await cache.tick(clock.nowMs());
          });
          await scheduler.waitFor(Promise.all(calls));
          check();
          await scheduler.waitFor(cache.drain());
          const { reservedBytes, loadedBytes, releasingBytes, models } = cache.figures();
          expect([reservedBytes, loadedBytes, releasingBytes, models, live.size]).toEqual([0, 0, 0, 0, 0]);
          for (const tenant of tenants) expect(cache.view(tenant).models).toEqual([]);
        },
      ),
      { seed: 5, numRuns: 400 },
    );
  });
});
