const mebibyte = 1024 * 1024;

export interface ResidentMarks {
  /** Above it idle models are evicted. */
  readonly softBytes: number;
  /** Above it the process finishes its call and is replaced. */
  readonly hardBytes: number;
}

export type ResidentDecision =
  | { readonly action: 'none' }
  /** Evict idle models until no more than so many bytes are loaded. */
  | { readonly action: 'shrink'; readonly toBytes: number }
  | { readonly action: 'recycle' };

/** What may be allocated between two looks: a model and a large batch. */
const reserveBytes = 96 * mebibyte;
/** Between the marks, so that evictions come well before the end of the process. */
const betweenBytes = 64 * mebibyte;
/** Growth that is worth another eviction. */
const stepBytes = 16 * mebibyte;

/** The marks of a function with so much memory. Small ones have their marks at 75 and 87.5 %. */
export function residentMarks(functionMemoryMiB: number): ResidentMarks {
  const limitBytes = functionMemoryMiB * mebibyte;
  const hardBytes = limitBytes - Math.min(reserveBytes, limitBytes / 8);
  return { hardBytes, softBytes: hardBytes - Math.min(betweenBytes, limitBytes / 8) };
}

/**
 * What to do about the resident memory of the process at the end of a call.
 *
 * onnxruntime keeps the memory of a released session in the process, for later sessions. So an eviction does not
 * lower the resident memory; it only leaves room for what comes next. That is why the process shrinks its cache once
 * for each new height above the soft mark, not at every look above it, which would empty the cache for nothing.
 *
 * @param handledBytes - the height that the last eviction answered, 0 before the first
 */
export function decideResident(
  marks: ResidentMarks,
  now: { readonly residentBytes: number; readonly loadedBytes: number; readonly handledBytes: number },
): ResidentDecision {
  const { residentBytes, loadedBytes, handledBytes } = now;
  if (residentBytes > marks.hardBytes) return { action: 'recycle' };
  if (residentBytes <= marks.softBytes || residentBytes < handledBytes + stepBytes) return { action: 'none' };
  const excessBytes = residentBytes - Math.max(marks.softBytes, handledBytes);
  return { action: 'shrink', toBytes: Math.max(0, loadedBytes - excessBytes) };
}

/** What the watch needs of the cache. */
interface Shrinkable {
  readonly loads: number;
  figures(): { readonly loadedBytes: number };
  shrinkTo(bytes: number, reason: 'memory'): Promise<void>;
}

/** Looks at the resident memory at the end of calls: after each that loaded a model, else now and then. */
export class ResidentWatch {
  readonly #marks: ResidentMarks;
  readonly #cache: Shrinkable;
  readonly #residentBytes: () => number;
  readonly #lookEveryMs: number;
  #handledBytes = 0;
  #seenLoads = -1;
  #nextLookMs = 0;

  /** @param residentBytes - `process.memoryUsage.rss`, about 5 µs a call */
  constructor(marks: ResidentMarks, cache: Shrinkable, residentBytes: () => number, lookEveryMs = 1_000) {
    this.#marks = marks;
    this.#cache = cache;
    this.#residentBytes = residentBytes;
    this.#lookEveryMs = lookEveryMs;
  }

  /** Evicts by itself; it is for the caller to end a process that is to be recycled. */
  endOfCall(nowMs: number): ResidentDecision {
    const { loads } = this.#cache;
    if (loads === this.#seenLoads && nowMs < this.#nextLookMs) return none;
    this.#seenLoads = loads;
    this.#nextLookMs = nowMs + this.#lookEveryMs;
    const residentBytes = this.#residentBytes();
    const { loadedBytes } = this.#cache.figures();
    const decision = decideResident(this.#marks, {
      residentBytes,
      loadedBytes,
      handledBytes: this.#handledBytes,
    });
    if (decision.action === 'shrink') {
      this.#handledBytes = residentBytes;
      void this.#cache.shrinkTo(decision.toBytes, 'memory');
    } else if (residentBytes <= this.#marks.softBytes) {
      this.#handledBytes = 0;
    }
    return decision;
  }
}

const none: ResidentDecision = Object.freeze({ action: 'none' });
