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
const kindNumbers: Readonly<Record<RankKind, number>> = { low: 0, high: 1, code: 2 };
const N_KINDS = 3;

export class RankColumns {
  readonly #columnOf = new Map<number, number>();
  readonly #thresholds = new Map<number, number[]>();
  readonly #mostCode = new Map<number, number>();
  readonly #sorted = new Map<number, Float64Array>();
  readonly #ranks = new Map<number, Map<number, number>>();

  get count(): number {
    return this.#columnOf.size;
  }

  column(feature: number, kind: RankKind): number {
    const key = feature * N_KINDS + kindNumbers[kind];
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
      const sorted = Float64Array.from(new Set(thresholds)).sort();
      this.#sorted.set(feature, sorted);
      this.#ranks.set(feature, new Map(Array.from(sorted, (threshold, rank) => [threshold, rank])));
    }
    this.#thresholds.clear();
  }

  rankOf(feature: number, threshold: number): number {
    return this.#ranks.get(feature)!.get(threshold)!;
  }

  /** How to make the columns, feature by feature. */
  plan(): readonly RankedFeature[] {
    const columns = (feature: number, kind: RankKind) =>
      this.#columnOf.get(feature * N_KINDS + kindNumbers[kind]) ?? -1;
    const features = new Set(Array.from(this.#columnOf.keys(), (key) => Math.floor(key / N_KINDS)));
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
