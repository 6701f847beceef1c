/** Histograms in the kernel's memory, lent and given back; a bounded number of them. */
export class HistogramPool {
  readonly #free: number[] = [];

  constructor(address: number, histogramBytes: number, count: number) {
    for (let i = count - 1; i >= 0; i--) this.#free.push(address + i * histogramBytes);
  }

  /** @returns the address of a histogram that nobody uses; `undefined` when all are lent */
  take(): number | undefined {
    return this.#free.pop();
  }

  give(address: number): void {
    this.#free.push(address);
  }
}
