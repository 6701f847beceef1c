import { describe, expect, it } from 'vitest';
import { cacheBench } from '../../../support/cache-models.ts';

describe('ModelCache, when a model takes other than predicted', () => {
  it('gives back what was reserved too much', async () => {
    const { use, used } = cacheBench({ budgetBytes: 100 });
    await use('a', 90, { resident: 30 });
    expect(used()).toEqual({ reservedBytes: 0, loadedBytes: 30, releasingBytes: 0 });
    // 70 are free again: nobody has to go.
    await use('b', 70);
    expect(used().loadedBytes).toBe(100);
  });

  it('takes what was reserved too little from what is free, else from idle models', async () => {
    const { use, evicted, used } = cacheBench({ budgetBytes: 100 });
    await use('a', 40);
    await use('b', 20, { resident: 50 });
    expect([used().loadedBytes, evicted]).toEqual([90, []]);
    // 10 are reserved, 30 are needed, 0 are free: of a (40) and b (50) the smaller number of bytes that helps.
    await use('c', 10, { resident: 30 });
    expect(used().loadedBytes).toBeLessThanOrEqual(100);
    expect(evicted).toHaveLength(1);
  });

  it('releases a model that turns out larger than the budget, and refuses it for a while', async () => {
    const { use, used, models, evicted, loadCount, clock } = cacheBench({ budgetBytes: 100 });
    const tooLarge = { code: 'MODEL_TOO_LARGE', evidence: { needed_bytes: 101, budget_bytes: 100 } };
    await use('idle', 50);
    await expect(use('a', 10, { resident: 101 })).rejects.toMatchObject(tooLarge);
    expect(models.get('aa/a')!.released).toBe(true);
    // Nobody had to go for a model that cannot stay.
    expect([used().loadedBytes, evicted]).toEqual([50, ['aa/a failed']]);
    await expect(use('a', 10, { resident: 101 })).rejects.toMatchObject(tooLarge);
    expect(loadCount()).toBe(2);
    clock.advance(10_000);
    await expect(use('a', 10, { resident: 101 })).rejects.toMatchObject(tooLarge);
    expect(loadCount()).toBe(3);
  });

  it('loads a model once more, with what it takes, when users leave too little room at first', async () => {
    // 60 are in use, 40 are reserved, 70 are needed: it lets go, and comes again with 70 when the users have ended.
    const { use, hold, used, evicted, loadCount } = cacheBench({ budgetBytes: 100 });
    const busy = hold('busy', 60);
    await busy.begun;
    const large = use('large', 40, { resident: 70 });
    await expect.poll(() => evicted).toEqual(['aa/large failed']);
    expect(used()).toEqual({ reservedBytes: 0, loadedBytes: 60, releasingBytes: 0 });
    busy.done();
    expect(await large).toBe('miss');
    expect(evicted).toEqual(['aa/large failed', 'aa/busy budget']);
    expect([used().loadedBytes, loadCount()]).toEqual([70, 3]);
  });
});
