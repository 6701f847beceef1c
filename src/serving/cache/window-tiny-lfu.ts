import type { CachedModel, CacheEntry, Segment } from './cache-entry.ts';
import { FrequencySketch } from './frequency-sketch.ts';
import { LruList } from './lru-list.ts';

/** Of the budget: what new models may take before they have to prove themselves. 1, 5, 10 and 20 % were measured. */
const windowShare = 0.05;
/** Of the rest: what models that were used again may take. */
const protectedShare = 0.8;
/** Uses between two halvings of the frequencies, for each model held; 10 in the paper, whose caches are larger. */
const usesPerModel = 64;
const leastSample = 4_096;
/** How many of the coldest models are compared for each eviction. */
const nCompared = 16;

/**
 * In which order models go: W-TinyLFU, adapted to bytes.
 *
 * G. Einziger, R. Friedman, B. Manes: TinyLFU, a highly efficient cache admission policy. ACM Transactions on
 * Storage 13(4), 2017. G. Einziger, O. Eytan, R. Friedman, B. Manes: Lightweight robust size aware cache management.
 * ACM Transactions on Storage 18(3), 2022.
 *
 *   load ──→ window ──(wins against main's coldest)──→ probation ──(used again)──→ protected
 *              └─(loses)──→ evicted ←──(coldest)──────────┘  ↑──(protected is full)──┘
 *
 * Three differences from the paper. A model that is not held cannot answer, so admission cannot refuse it: every
 * miss enters the window, and the duel is fought when bytes are needed. What is compared is frequency per byte,
 * because the hits that a byte earns are what fills a bounded memory best. And sizes differ by orders of magnitude
 * while segments are few models long, so each offers the worst of its coldest few, not just its coldest.
 */
export class WindowTinyLfu<Model extends CachedModel> {
  readonly #window = new LruList<CacheEntry<Model>>();
  readonly #probation = new LruList<CacheEntry<Model>>();
  readonly #protected = new LruList<CacheEntry<Model>>();
  readonly #sketch = new FrequencySketch();
  readonly #windowBytes: number;
  readonly #mainBytes: number;
  readonly #protectedBytes: number;
  #nModels = 0;
  #sampleSize = leastSample;

  constructor(budgetBytes: number) {
    this.#windowBytes = budgetBytes * windowShare;
    this.#mainBytes = budgetBytes - this.#windowBytes;
    this.#protectedBytes = this.#mainBytes * protectedShare;
  }

  frequency(entry: CacheEntry<Model>): number {
    return this.#sketch.estimate(entry.hash);
  }

  /** Counts a use of a model, whether it is held or not. */
  count(entry: CacheEntry<Model>): void {
    this.#sketch.add(entry.hash, this.#sampleSize);
  }

  /** A loaded model was used again. */
  promote(entry: CacheEntry<Model>): void {
    if (entry.segment === 'protected') {
      this.#protected.heat(entry.node);
    } else if (entry.segment === 'window') {
      this.#window.heat(entry.node);
    } else {
      this.#probation.remove(entry.node);
      entry.segment = 'protected';
      this.#protected.addHottest(entry.node);
      while (this.#protected.bytes > this.#protectedBytes && this.#protected.coldest !== entry.node) {
        this.#toProbation(this.#protected.coldest!.value);
      }
    }
  }

  add(entry: CacheEntry<Model>): void {
    this.#resize(1);
    entry.segment = 'window';
    if (entry.isSwept) this.#window.addColdest(entry.node);
    else this.#window.addHottest(entry.node);
    // While main has room there is no duel to fight.
    while (this.#window.bytes > this.#windowBytes) {
      const { value } = this.#window.coldest!;
      const mainBytes = this.#probation.bytes + this.#protected.bytes;
      if (value === entry || value.isSwept || mainBytes + value.bytes > this.#mainBytes) return;
      this.#toProbation(value);
    }
  }

  remove(entry: CacheEntry<Model>): void {
    this.#resize(-1);
    this.#listOf(entry.segment).remove(entry.node);
  }

  /** Undoes `remove`, for a victim that turned out not to be needed. */
  restore(entry: CacheEntry<Model>): void {
    this.#resize(1);
    this.#listOf(entry.segment).addColdest(entry.node);
  }

  /**
   * @param incomingBytes what is about to enter the window
   * @returns the idle model that goes next, none when all are in use
   */
  victim(incomingBytes: number): CacheEntry<Model> | undefined {
    for (;;) {
      const swept = coldestIdle(this.#window);
      // Nobody but a sweep has asked for it.
      if (swept?.isSwept) return swept;
      const candidate = this.#worst(this.#window);
      const incumbent = this.#worst(this.#probation) ?? this.#worst(this.#protected);
      if (candidate === undefined || incumbent === undefined) return candidate ?? incumbent;
      if (this.#window.bytes + incomingBytes <= this.#windowBytes) return incumbent;
      // Of two equals the one used less recently goes; a scan meets models that were used more than once.
      const isCandidateKept =
        this.#isWorthMore(candidate, incumbent) ||
        (!this.#isWorthMore(incumbent, candidate) && incumbent.lastUsedMs <= candidate.lastUsedMs);
      if (!isCandidateKept) return candidate;
      this.#toProbation(candidate);
    }
  }

  /** Whether a byte of the one earns more hits than a byte of the other. */
  #isWorthMore(one: CacheEntry<Model>, other: CacheEntry<Model>): boolean {
    return this.frequency(one) * other.bytes > this.frequency(other) * one.bytes;
  }

  #worst(list: LruList<CacheEntry<Model>>): CacheEntry<Model> | undefined {
    let worst: CacheEntry<Model> | undefined;
    let compared = 0;
    for (let node = list.coldest; node !== undefined && compared < nCompared; node = node.hotter) {
      if (node.value.users > 0) continue;
      compared++;
      if (worst === undefined || this.#isWorthMore(worst, node.value)) worst = node.value;
    }
    return worst;
  }

  #toProbation(entry: CacheEntry<Model>): void {
    this.#listOf(entry.segment).remove(entry.node);
    entry.segment = 'probation';
    this.#probation.addHottest(entry.node);
  }

  #listOf(segment: Segment): LruList<CacheEntry<Model>> {
    if (segment === 'window') return this.#window;
    return segment === 'probation' ? this.#probation : this.#protected;
  }

  #resize(by: number): void {
    this.#nModels += by;
    this.#sampleSize = Math.max(leastSample, this.#nModels * usesPerModel);
  }
}

/** Models in use are skipped: they were used last, so there is none, or a few, before the first that is idle. */
function coldestIdle<Model extends CachedModel>(
  list: LruList<CacheEntry<Model>>,
): CacheEntry<Model> | undefined {
  let node = list.coldest;
  while (node !== undefined && node.value.users > 0) node = node.hotter;
  return node?.value;
}
