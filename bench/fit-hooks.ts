import type { FitHooks } from '../src/ml/pipeline-model.ts';

/**
 * The one place where a number of threads becomes hooks of a fit.
 * @returns the hooks and the threads that the fit really has.
 */
export async function hooksFor(
  threads: number,
): Promise<{ hooks: FitHooks; threads: number; close(): Promise<void> }> {
  // A ParallelExecutor belongs here as soon as `FitHooks.parallel` takes one; until then every fit has one thread.
  return { hooks: {}, threads: Math.min(1, threads), close: async () => undefined };
}
