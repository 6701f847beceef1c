import { describe, expect, it } from 'vitest';
import { ThreadPool } from '../../../src/adapters/worker-threads/thread-pool.ts';

describe('a pool of threads', () => {
  it.each([0, -1, 1.5, Number.NaN])('of %d is refused', (nThreads) => {
    expect(() => new ThreadPool(nThreads)).toThrow(`n_threads=${nThreads} must be a whole number >= 1`);
  });
});
