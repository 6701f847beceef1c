/**
 * Categories as small codes, so that a tree can split on sets of them. A rare category has no code and counts as
 * missing: a split on it would tell the tree the target of single rows.
 */
import type { CategoryFeature } from '../preprocessing/feature-columns.ts';
import { MAX_CATEGORIES } from './binned-matrix.ts';

export interface CategoryCodes {
  /** Position among the learner's columns. */
  readonly column: number;
  /** Per category of the feature, 0, 1, ...; `null` for a rare one. Plain data, so no NaN. */
  readonly codeOfCategory: readonly (number | null)[];
}

const RARE_BELOW_ROWS = 20;

/** The most frequent categories, in the order of the feature's own. */
export function fitCategoryCodes(feature: CategoryFeature, column: number): CategoryCodes {
  const counts = new Float64Array(feature.spec.categories.length);
  for (const code of feature.codes) if (code >= 0) counts[code]!++;
  const minRows = Math.max(2, Math.min(RARE_BELOW_ROWS, feature.codes.length / 100));
  const kept = Array.from(counts.keys())
    .filter((category) => counts[category]! >= minRows)
    .sort((a, b) => counts[b]! - counts[a]! || a - b)
    .slice(0, MAX_CATEGORIES)
    .sort((a, b) => a - b);
  const codeOfCategory = new Array<number | null>(counts.length).fill(null);
  kept.forEach((category, code) => {
    codeOfCategory[category] = code;
  });
  return { column, codeOfCategory };
}

export function nCodesOf({ codeOfCategory }: CategoryCodes): number {
  return codeOfCategory.reduce<number>((count, code) => count + (code === null ? 0 : 1), 0);
}

/** Writes the code per row; NaN for rare, missing and unknown categories. */
export function fillCodes(codes: Int32Array, { codeOfCategory }: CategoryCodes, out: Float32Array): void {
  const table = Float32Array.from(codeOfCategory, (code) => code ?? Number.NaN);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    out[row] = code < 0 ? Number.NaN : table[code]!;
  }
}
