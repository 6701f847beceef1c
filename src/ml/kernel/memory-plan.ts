import { HEAP } from './assembly/layout.ts';

/** Lays out the parts of a fit's memory before it is allocated, so that its size is known and never grows. */
export class MemoryPlan {
  #end = HEAP;

  get totalBytes(): number {
    return this.#end;
  }

  /** @returns the address of the part, on a cache line of its own */
  reserve(bytes: number): number {
    const address = Math.ceil(this.#end / 64) * 64;
    this.#end = address + bytes;
    return address;
  }

  /** Lays out two lists of parts over the same bytes: those of the first are not used once the second ones are. */
  overlay<A extends readonly unknown[], B extends readonly unknown[]>(
    first: () => A,
    second: () => B,
  ): [...A, ...B] {
    const start = this.#end;
    const before = first();
    const firstEnd = this.#end;
    this.#end = start;
    const after = second();
    this.#end = Math.max(firstEnd, this.#end);
    return [...before, ...after];
  }
}
