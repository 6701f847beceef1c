/**
 * Where the bytes of models are. Each model's bytes stand in one column at a time:
 *
 *   state      │ reserved  │ loaded   │ releasing │ counts against the budget
 *   absent     │           │          │           │ no
 *   loading    │ predicted │          │           │ yes, from before the load begins
 *   loaded     │           │ resident │           │ yes, as measured after the load
 *   releasing  │           │          │ resident  │ yes, until its release() has settled
 *
 * Invariant, always: reservedBytes + loadedBytes + releasingBytes <= budgetBytes.
 */
export class ByteLedger {
  readonly budgetBytes: number;
  #reservedBytes = 0;
  #loadedBytes = 0;
  #releasingBytes = 0;

  constructor(budgetBytes: number) {
    this.budgetBytes = budgetBytes;
  }

  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  get loadedBytes(): number {
    return this.#loadedBytes;
  }

  get releasingBytes(): number {
    return this.#releasingBytes;
  }

  get usedBytes(): number {
    return this.#reservedBytes + this.#loadedBytes + this.#releasingBytes;
  }

  get freeBytes(): number {
    return this.budgetBytes - this.usedBytes;
  }

  /** The caller has seen that `freeBytes` suffice, and has awaited nothing since. */
  reserve(bytes: number): void {
    this.#reservedBytes += bytes;
  }

  unreserve(bytes: number): void {
    this.#reservedBytes -= bytes;
  }

  /** A load has ended: what was reserved for it becomes what it takes, which is no more. */
  settle(reservedBytes: number, residentBytes: number): void {
    this.#reservedBytes -= reservedBytes;
    this.#loadedBytes += residentBytes;
  }

  beginRelease(bytes: number): void {
    this.#loadedBytes -= bytes;
    this.#releasingBytes += bytes;
  }

  endRelease(bytes: number): void {
    this.#releasingBytes -= bytes;
  }
}
