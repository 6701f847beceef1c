const rows = 4;
const largest = 255;

/**
 * How often each of many keys was used of late, also of those that are not held: a count-min sketch whose counters
 * are halved once in a while, so that it forgets.
 *
 * G. Einziger, R. Friedman, B. Manes: TinyLFU, a highly efficient cache admission policy. ACM Transactions on
 * Storage 13(4), 2017, section 3.
 *
 * An estimate is never too low by more than the halvings took, and too high only where all four counters of a key
 * are shared. Memory: 4 bytes a column, 64 KiB by default.
 */
export class FrequencySketch {
  readonly #counters: Uint8Array;
  /** The same bytes, four at a time. */
  readonly #words: Uint32Array;
  readonly #mask: number;
  readonly #columns: number;
  #sinceHalving = 0;

  /** @param columnBits - log2 of the columns, about the number of keys that can be told apart */
  constructor(columnBits = 14) {
    this.#columns = 2 ** columnBits;
    this.#mask = this.#columns - 1;
    this.#counters = new Uint8Array(rows * this.#columns);
    this.#words = new Uint32Array(this.#counters.buffer);
  }

  /**
   * @param hash - 32 bits, of the key
   * @param sampleSize - after how many uses all counters are halved
   */
  add(hash: number, sampleSize: number): void {
    const counters = this.#counters;
    // Conservative update: only the smallest of the four is wrong by too little.
    const smallest = this.estimate(hash);
    if (smallest < largest) {
      for (let row = 0; row < rows; row++) {
        const at = row * this.#columns + (mixed(hash, row) & this.#mask);
        if (counters[at]! === smallest) counters[at] = smallest + 1;
      }
    }
    if (++this.#sinceHalving >= sampleSize) this.#halve();
  }

  estimate(hash: number): number {
    const counters = this.#counters;
    let smallest = largest;
    for (let row = 0; row < rows; row++) {
      const count = counters[row * this.#columns + (mixed(hash, row) & this.#mask)]!;
      if (count < smallest) smallest = count;
    }
    return smallest;
  }

  #halve(): void {
    const words = this.#words;
    for (let i = 0; i < words.length; i++) words[i] = (words[i]! >>> 1) & 0x7f7f7f7f;
    this.#sinceHalving = 0;
  }
}

const seeds = Uint32Array.of(0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f);

/** Multiply and shift, with another odd number for each row. */
function mixed(hash: number, row: number): number {
  const product = Math.imul(hash ^ (hash >>> 16), seeds[row]!);
  return (product ^ (product >>> 15)) >>> 0;
}

/** FNV-1a over the UTF-16 units of both parts, with a separator that no tenant id holds. @returns 32 bits */
export function hashOf(tenantId: string, id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < tenantId.length; i++) hash = Math.imul(hash ^ tenantId.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ 0x2f, 0x01000193);
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
