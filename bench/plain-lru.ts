import type { CachedModel, ModelKey } from '../src/serving/cache/cache-entry.ts';
import type { UseOptions, UseOutcome } from '../src/serving/model-cache.ts';

/** What the cache is measured against: least recently used by bytes, and nothing else. One call at a time. */
export class PlainLru<Model extends CachedModel> {
  readonly #models = new Map<string, Model>();
  readonly #budgetBytes: number;
  #usedBytes = 0;
  loads = 0;
  evicted = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  async use<Result>(
    { tenantId, id }: ModelKey,
    { predictedBytes }: UseOptions,
    load: () => Promise<Model>,
    work: (model: Model, outcome: UseOutcome) => Result | Promise<Result>,
  ): Promise<Result> {
    const key = `${tenantId}/${id}`;
    const held = this.#models.get(key);
    if (held !== undefined) {
      this.#models.delete(key);
      this.#models.set(key, held);
      return await work(held, { cache: 'hit' });
    }
    await this.shrinkTo(this.#budgetBytes - predictedBytes);
    const model = await load();
    this.loads++;
    this.#usedBytes += model.residentBytes;
    this.#models.set(key, model);
    return await work(model, { cache: 'miss' });
  }

  async shrinkTo(bytes: number): Promise<void> {
    for (const [key, model] of this.#models) {
      if (this.#usedBytes <= bytes) return;
      this.#models.delete(key);
      this.#usedBytes -= model.residentBytes;
      this.evicted++;
      await model.release();
    }
  }

  figures() {
    return { loadedBytes: this.#usedBytes, models: this.#models.size, evictions: { lru: this.evicted } };
  }
}
