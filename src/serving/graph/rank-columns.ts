/**
 * What trees look at instead of the values themselves: integers. A value's rank among the thresholds that trees compare
 * its feature with says the same as the value, a category is its code, and a missing value is an integer, too. Tests
 * become arithmetic without branches, which is what a processor guesses wrong in half of all nodes.
 */

/** Ranks beyond any threshold's, for missing values that are never `<=`. */
export const BEYOND = 0x3fffffff;

/** Codes are small whole numbers; larger ones would make bit sets that nobody needs. */
export const MAX_CODE = 4095;

/** low: missing is below all thresholds; high: above all; code: a category's code. */
export type RankKind = 'low' | 'high' | 'code';
const kinds: readonly RankKind[] = ['low', 'high', 'code'];

export class RankColumns {
  readonly #columnOf = new Map<number, number>();
  readonly #thresholds = new Map<number, number[]>();
  readonly #mostCode = new Map<number, number>();
  readonly #sorted = new Map<number, Float64Array>();

  get count(): number {
    return this.#columnOf.size;
  }

  column(feature: number, kind: RankKind): number {
    const key = feature * kinds.length + kinds.indexOf(kind);
    let column = this.#columnOf.get(key);
    if (column === undefined) {
      column = this.#columnOf.size;
      this.#columnOf.set(key, column);
    }
    return column;
  }

  addThreshold(feature: number, threshold: number): void {
    const known = this.#thresholds.get(feature);
    if (known === undefined) this.#thresholds.set(feature, [threshold]);
    else known.push(threshold);
  }

  addCode(feature: number, code: number): void {
    this.#mostCode.set(feature, Math.max(code, this.#mostCode.get(feature) ?? 0));
  }

  /** Of codes that no test names. */
  otherCode(feature: number): number {
    return this.#mostCode.get(feature)! + 1;
  }

  missingCode(feature: number): number {
    return this.#mostCode.get(feature)! + 2;
  }

  /** Call when all thresholds are known. */
  sortThresholds(): void {
    for (const [feature, thresholds] of this.#thresholds) {
      const all = Float64Array.from(thresholds).sort();
      let count = 0;
      for (let i = 0; i < all.length; i++)
        if (count === 0 || all[i] !== all[count - 1]) all[count++] = all[i]!;
      this.#sorted.set(feature, all.slice(0, count));
    }
    this.#thresholds.clear();
  }

  rankOf(feature: number, threshold: number): number {
    return lowerBound(this.#sorted.get(feature)!, threshold);
  }

  /** How to make the columns, feature by feature. */
  plan(): readonly RankedFeature[] {
    const columns = (feature: number, kind: RankKind) =>
      this.#columnOf.get(feature * kinds.length + kinds.indexOf(kind)) ?? -1;
    const features = new Set(Array.from(this.#columnOf.keys(), (key) => Math.floor(key / kinds.length)));
    return Array.from(features, (feature) => ({
      feature,
      thresholds: this.#sorted.get(feature) ?? new Float64Array(),
      low: columns(feature, 'low'),
      high: columns(feature, 'high'),
      code: columns(feature, 'code'),
      otherCode: (this.#mostCode.get(feature) ?? 0) + 1,
    }));
  }
}

/** Columns are -1 where no tree asks for them. */
export interface RankedFeature {
  readonly feature: number;
  readonly thresholds: Float64Array;
  readonly low: number;
  readonly high: number;
  readonly code: number;
  readonly otherCode: number;
}

/** How many of the sorted values are below x. */
function lowerBound(sorted: Float64Array, x: number): number {
  let first = 0;
  let next = sorted.length;
  while (first < next) {
    const middle = (first + next) >> 1;
    if (sorted[middle]! < x) first = middle + 1;
    else next = middle;
  }
  return first;
}

/**
 * Fills the rank columns of a block.
 * @param from - where the values begin, row-major with `width` a row
 */
export function fillRanks(
  features: readonly RankedFeature[],
  nColumns: number,
  numbers: Float64Array,
  from: number,
  width: number,
  nRows: number,
  ranks: Int32Array,
): void {
  for (let i = 0; i < features.length; i++) {
    const { feature, thresholds, low, high, code, otherCode } = features[i]!;
    for (let row = 0, at = from + feature, to = 0; row < nRows; row++, at += width, to += nColumns) {
      const x = numbers[at]!;
      if (code >= 0) {
        const isKnown = x >= 0 && x < otherCode && Math.floor(x) === x;
        ranks[to + code] = isKnown ? x : Number.isNaN(x) ? otherCode + 1 : otherCode;
      }
      if (low >= 0 || high >= 0) {
        const isMissing = Number.isNaN(x);
        const rank = isMissing ? 0 : lowerBound(thresholds, x);
        if (low >= 0) ranks[to + low] = isMissing ? -1 : rank;
        if (high >= 0) ranks[to + high] = isMissing ? BEYOND : rank;
      }
    }
  }
}
