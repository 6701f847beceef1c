import { ThreadPool } from '../src/adapters/worker-threads/thread-pool.ts';
import type { FitHooks } from '../src/ml/pipeline-model.ts';

/** Hooks of a fit with so many threads. */
export async function hooksFor(
  threads: number,
): Promise<{ hooks: FitHooks; threads: number; close(): Promise<void> }> {
  if (threads < 2) return { hooks: {}, threads: 1, close: async () => undefined };
  const pool = new ThreadPool(threads);
  return { hooks: { parallel: pool }, threads, close: () => pool.close() };
}
