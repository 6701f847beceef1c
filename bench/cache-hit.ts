/** What the cache adds to a call whose model is held. */
import { ModelCache } from '../src/serving/model-cache.ts';

const nModels = 500;
const nCalls = 500_000;

/** @returns nanoseconds a call over awaiting the work alone: the median of seven rounds, taking turns */
export async function hitOverheadNs(): Promise<number> {
  const clock = { nowMs: () => Date.now() };
  const cache = new ModelCache({ budgetBytes: 1_000_000, maxModels: nModels }, clock);
  const load = async () => ({ residentBytes: 1_000, release: async () => {} });
  const work = () => 1;
  const keys = Array.from({ length: nModels }, (_, i) => ({
    tenantId: `tenant-${i % 50}`,
    id: `model-${i}@sha`,
  }));
  const options = { predictedBytes: 1_000 };
  for (const key of keys) await cache.use(key, options, load, work);
  const overheads: number[] = [];
  for (let round = 0; round < 7; round++) {
    const held = await nanoseconds((i) => cache.use(keys[i % nModels]!, options, load, work));
    const bare = await nanoseconds(() => Promise.resolve(work()));
    overheads.push(held - bare);
  }
  return overheads.sort((a, b) => a - b)[3]!;
}

async function nanoseconds(call: (i: number) => Promise<unknown>): Promise<number> {
  const before = performance.now();
  for (let i = 0; i < nCalls; i++) await call(i);
  return ((performance.now() - before) * 1e6) / nCalls;
}
