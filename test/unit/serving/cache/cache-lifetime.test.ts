import { describe, expect, it } from 'vitest';
import { cacheBench } from '../../../support/cache-models.ts';

describe('ModelCache, over time', () => {
  it('lets go at a tick what nobody used for a while, and keeps what is in use', async () => {
    const { cache, use, hold, clock, evicted, used } = cacheBench({ budgetBytes: 100, idleForMs: 60_000 });
    await use('old');
    const busy = hold('busy');
    await busy.begun;
    clock.advance(30_000);
    await use('recent');
    clock.advance(30_000);
    await cache.tick(clock.nowMs());
    expect([evicted, used().loadedBytes]).toEqual([['aa/old idle'], 20]);
    busy.done();
    await busy.finished;
  });

  it('has nothing to do at most ticks', async () => {
    const { cache, use, clock } = cacheBench({ budgetBytes: 100, idleForMs: 60_000 });
    await use('a');
    expect(cache.tick(clock.nowMs())).toBeUndefined();
    clock.advance(59_999 - 3_750);
    expect(cache.tick(clock.nowMs())).toBeUndefined();
    // Not due yet: a sixteenth of the idle time passes between two looks.
    clock.advance(3_749);
    expect(cache.tick(clock.nowMs())).toBeUndefined();
    clock.advance(1_000);
    expect(cache.tick(clock.nowMs())).toBeInstanceOf(Promise);
  });

  it('lets go a swept model when its time is over, wherever it stands', async () => {
    const { cache, use, clock, evicted } = cacheBench({ budgetBytes: 100, idleForMs: 60_000 });
    await use('old');
    clock.advance(50_000);
    await use('swept', 10, { isSweep: true });
    clock.advance(20_000);
    await cache.tick(clock.nowMs());
    expect(evicted).toEqual(['aa/old idle']);
    clock.advance(60_000);
    await cache.tick(clock.nowMs());
    expect(evicted).toEqual(['aa/old idle', 'aa/swept idle']);
  });

  it('shrinks as far as idle models go', async () => {
    // 20 in use and 50 idle: to hold 40, three of the five idle ones go.
    const { cache, use, hold, evicted, used } = cacheBench({ budgetBytes: 100 });
    const busy = hold('busy', 20);
    await busy.begun;
    for (let i = 0; i < 5; i++) await use(`m${i}`);
    await cache.shrinkTo(40, 'memory');
    expect([used().loadedBytes, evicted.every((line) => line.endsWith(' memory'))]).toEqual([40, true]);
    await cache.shrinkTo(0);
    expect(used().loadedBytes).toBe(20);
    busy.done();
    await busy.finished;
  });

  it('forgets a replaced version at once, or when its users have ended', async () => {
    const { cache, use, hold, evicted } = cacheBench({ budgetBytes: 100 });
    await use('v1');
    cache.forget({ tenantId: 'aa', id: 'v1' });
    cache.forget({ tenantId: 'aa', id: 'unknown' });
    const busy = hold('v2');
    await busy.begun;
    cache.forget({ tenantId: 'aa', id: 'v2' });
    expect(evicted).toEqual(['aa/v1 forgotten']);
    busy.done();
    await busy.finished;
    expect(evicted).toEqual(['aa/v1 forgotten', 'aa/v2 forgotten']);
  });

  it('drains: loads nothing new, lets users end, and holds nothing then', async () => {
    const { cache, use, hold, used, models } = cacheBench({ budgetBytes: 20 });
    const busy = hold('busy');
    await busy.begun;
    await use('idle');
    let isDrained = false;
    const drained = cache.drain().then(() => {
      isDrained = true;
    });
    await expect(use('next')).rejects.toMatchObject({ code: 'CACHE_BUSY' });
    expect([isDrained, models.get('aa/busy')!.released]).toEqual([false, false]);
    busy.done();
    await Promise.all([drained, busy.finished]);
    expect(used()).toEqual({ reservedBytes: 0, loadedBytes: 0, releasingBytes: 0 });
    await cache.drain();
  });
});
