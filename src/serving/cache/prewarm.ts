import { CacheBusyError } from './cache-errors.ts';

/** How one model of the list fared. */
export interface PrewarmOutcome<Listed> {
  readonly model: Listed;
  readonly outcome: 'loaded' | 'no_room' | 'failed';
  readonly error?: unknown;
}

/**
 * Loads a list of models, one after the other in its order, as far as free memory goes: nothing is evicted for it.
 * A model that fails is told and passed over.
 *
 * @param use - uses one model with `mayEvict: false`, doing nothing with it
 * @param mayGoOn - asked before each, so that a cold start stays within its time
 */
export async function prewarm<Listed>(
  list: readonly Listed[],
  use: (model: Listed) => Promise<unknown>,
  mayGoOn: () => boolean = () => true,
): Promise<PrewarmOutcome<Listed>[]> {
  const outcomes: PrewarmOutcome<Listed>[] = [];
  for (const model of list) {
    if (!mayGoOn()) break;
    try {
      await use(model);
      outcomes.push({ model, outcome: 'loaded' });
    } catch (error) {
      outcomes.push({ model, outcome: error instanceof CacheBusyError ? 'no_room' : 'failed', error });
    }
  }
  return outcomes;
}
