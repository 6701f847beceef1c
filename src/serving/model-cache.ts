import type { Clock } from '../clock.ts';
import { MLFrameworkError } from '../errors.ts';

/** A model that could not be held at all. */
export class ModelTooLargeError extends MLFrameworkError {
  constructor(neededBytes: number, budgetBytes: number) {
    super(
      'MODEL_TOO_LARGE',
      `the model needs ${mebibytes(neededBytes)} MiB but the cache holds ${mebibytes(budgetBytes)} MiB; raise the predict function's memory or train with fewer or smaller trees`,
      { evidence: { needed_bytes: neededBytes, budget_bytes: budgetBytes } },
    );
  }
}

const mebibytes = (bytes: number): number => Math.ceil(bytes / (1024 * 1024));

export interface CacheLimits {
  readonly budgetBytes: number;
  readonly maxModels: number;
  /** How long a model that failed to load stays failed. */
  readonly failedForMs: number;
}

export interface Releasable {
  release(): Promise<void>;
}

type Entry<Model> =
  | { readonly state: 'loading'; readonly bytes: number; readonly ready: Promise<Model> }
  | { readonly state: 'loaded'; readonly bytes: number; readonly model: Model; users: number }
  | { readonly state: 'failed'; readonly bytes: 0; readonly error: unknown; readonly untilMs: number };

/**
 * Models in memory, bounded by bytes and by count.
 *
 *   absent → loading (its bytes are reserved first) → loaded → evicted (released, then its bytes are free)
 *                    └→ failed, a small entry that expires
 *
 * However many callers wait, a model is loaded once. The least recently used idle model goes first.
 * Invariant: Σ bytes of loading and loaded entries ≤ budgetBytes, always.
 */
export class ModelCache<Model extends Releasable> {
  /** In order of last use, oldest first. */
  readonly #entries = new Map<string, Entry<Model>>();
  readonly #limits: CacheLimits;
  readonly #clock: Clock;
  #usedBytes = 0;

  constructor(limits: CacheLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * @param bytes what the model is predicted to take, reserved before it is loaded
   * @throws {ModelTooLargeError} when it could not fit even alone
   * @throws what `load` threw, also for a while after it did
   */
  async use<Result>(
    key: string,
    bytes: number,
    load: () => Promise<Model>,
    work: (model: Model) => Promise<Result>,
  ): Promise<Result> {
    for (;;) {
      await this.#loaded(key, bytes, load);
      const entry = this.#entries.get(key);
      // Evicted between its loading and this caller's turn: load it again.
      if (entry?.state !== 'loaded') continue;
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      entry.users++;
      try {
        return await work(entry.model);
      } finally {
        entry.users--;
      }
    }
  }

  async #loaded(key: string, bytes: number, load: () => Promise<Model>): Promise<Model> {
    const entry = this.#entries.get(key);
    if (entry?.state === 'loaded') return entry.model;
    if (entry?.state === 'loading') return entry.ready;
    if (entry?.state === 'failed') {
      if (this.#clock.nowMs() < entry.untilMs) throw entry.error;
      this.#entries.delete(key);
    }
    if (bytes > this.#limits.budgetBytes) throw new ModelTooLargeError(bytes, this.#limits.budgetBytes);
    // Begun after the entry is set, which then counts as one of the models.
    const ready = Promise.resolve().then(() => this.#load(key, bytes, load));
    this.#entries.set(key, { state: 'loading', bytes, ready });
    return ready;
  }

  async #load(key: string, bytes: number, load: () => Promise<Model>): Promise<Model> {
    try {
      await this.#reserve(bytes);
    } catch (error) {
      this.#entries.delete(key);
      throw error;
    }
    try {
      const model = await load();
      this.#entries.set(key, { state: 'loaded', bytes, model, users: 0 });
      return model;
    } catch (error) {
      this.#usedBytes -= bytes;
      this.#entries.set(key, {
        state: 'failed',
        bytes: 0,
        error,
        untilMs: this.#clock.nowMs() + this.#limits.failedForMs,
      });
      throw error;
    }
  }

  async #reserve(bytes: number): Promise<void> {
    while (
      this.#usedBytes + bytes > this.#limits.budgetBytes ||
      this.#entries.size > this.#limits.maxModels
    ) {
      const victim = [...this.#entries].find(
        ([, entry]) => entry.state === 'failed' || (entry.state === 'loaded' && entry.users === 0),
      );
      if (victim === undefined)
        throw new ModelTooLargeError(this.#usedBytes + bytes, this.#limits.budgetBytes);
      const [key, entry] = victim;
      this.#entries.delete(key);
      if (entry.state === 'loaded') {
        await entry.model.release();
        this.#usedBytes -= entry.bytes;
      }
    }
    // Nothing is awaited between the last check and this line, so no other reservation comes in between.
    this.#usedBytes += bytes;
  }
}
