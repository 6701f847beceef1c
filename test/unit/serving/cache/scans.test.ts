import { describe, expect, it } from 'vitest';
import { cacheBench } from '../../../support/cache-models.ts';

describe('ModelCache, against scans', () => {
  /** 20 models of 10 bytes fill 200; eight of them are used five times, as a hot set is. */
  async function warmed() {
    const bench = cacheBench({ budgetBytes: 200, maxModels: 1_000 });
    for (let round = 0; round < 5; round++) for (let i = 0; i < 8; i++) await bench.use(`hot${i}`);
    for (let i = 0; i < 12; i++) await bench.use(`cold${i}`);
    return bench;
  }
  const hotHeld = ({ held }: ReturnType<typeof cacheBench>) =>
    held().filter((id) => id.startsWith('hot')).length;

  it('keeps the hot models through a batch sweep over many others', async () => {
    const bench = await warmed();
    for (let i = 0; i < 500; i++) await bench.use(`swept${i}`, 10, { isSweep: true });
    expect(hotHeld(bench)).toBe(8);
    // A sweep takes its own places only: all but the one it needed first are still there.
    expect(bench.held().filter((id) => id.startsWith('cold'))).toHaveLength(11);
  });

  it('keeps the hot models through a scan by ordinary calls', async () => {
    const bench = await warmed();
    for (let i = 0; i < 500; i++) await bench.use(`scanned${i}`);
    expect(hotHeld(bench)).toBe(8);
  });

  it('does not take a swept model for a popular one, until somebody else uses it', async () => {
    const bench = cacheBench({ budgetBytes: 30 });
    await bench.use('a');
    await bench.use('b');
    for (let i = 0; i < 5; i++) await bench.use('swept', 10, { isSweep: true });
    await bench.use('c');
    expect(bench.evicted).toEqual(['aa/swept budget']);
    await bench.use('swept', 10, { isSweep: true });
    expect(await bench.use('swept')).toBe('hit');
    await bench.use('d');
    expect(bench.held()).toContain('swept');
  });

  it('keeps a small model that is used often rather than a large one that is used as often', async () => {
    // 100 bytes: one of 60 and four of 10, each used twice. The next of 10 needs no byte; the one after it 10.
    const { use, evicted } = cacheBench({ budgetBytes: 100 });
    for (let round = 0; round < 2; round++) {
      await use('large', 60);
      for (let i = 0; i < 4; i++) await use(`small${i}`);
    }
    for (let round = 0; round < 3; round++) await use('next');
    expect(evicted).toEqual(['aa/large budget']);
  });
});
