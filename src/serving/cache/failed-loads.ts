interface FailedLoad {
  readonly error: unknown;
  readonly untilMs: number;
}

/**
 * Loads that failed, so that a damaged model is not fetched again by every request. Each expires after the same
 * time, so the oldest is the next to go; beyond the limit it goes before its time, which only costs a fetch.
 */
export class FailedLoads {
  readonly #failures = new Map<string, FailedLoad>();
  readonly #failedForMs: number;
  readonly #limit: number;

  constructor(failedForMs: number, limit = 1_000) {
    this.#failedForMs = failedForMs;
    this.#limit = limit;
  }

  get size(): number {
    return this.#failures.size;
  }

  remember(tenantId: string, id: string, error: unknown, nowMs: number): void {
    const key = keyOf(tenantId, id);
    this.#failures.delete(key);
    this.#failures.set(key, { error, untilMs: nowMs + this.#failedForMs });
    if (this.#failures.size > this.#limit) this.#failures.delete(this.#failures.keys().next().value!);
  }

  find(tenantId: string, id: string, nowMs: number): FailedLoad | undefined {
    if (this.#failures.size === 0) return undefined;
    const failure = this.#failures.get(keyOf(tenantId, id));
    return failure !== undefined && nowMs < failure.untilMs ? failure : undefined;
  }

  expire(nowMs: number): void {
    for (const [key, { untilMs }] of this.#failures) {
      if (nowMs < untilMs) return;
      this.#failures.delete(key);
    }
  }
}

/** No tenant id holds the separator. */
const keyOf = (tenantId: string, id: string): string => `${tenantId}/${id}`;
