/**
 * One-hot levels of a category feature. Rare categories share one level; missing has its own when training saw it,
 * else it counts as the most frequent category; a category that training did not see counts as rare, or as none of
 * the levels where nothing was rare.
 */
import { type CategoryFeature, MISSING_CODE, UNKNOWN_CODE } from './feature-columns.ts';

export interface OneHotLevels {
  readonly nLevels: number;
  /** Level per category of the feature. */
  readonly levelOfCategory: readonly number[];
  readonly levelOfMissing: number;
  /** -1: none of the levels. */
  readonly levelOfUnknown: number;
}

export interface RareRules {
  /** A category with fewer training rows is rare ... */
  readonly minCategoryRows: number;
  /** ... and so are all beyond the most frequent ones. */
  readonly maxCategories: number;
}

/** @returns undefined when every row has the same level: there is nothing to learn from. */
export function fitOneHot(
  feature: CategoryFeature,
  { minCategoryRows, maxCategories }: RareRules,
): OneHotLevels | undefined {
  const counts = new Int32Array(feature.spec.categories.length);
  let nMissing = 0;
  const { codes } = feature;
  for (let i = 0; i < codes.length; i++) {
    if (codes[i] === MISSING_CODE) nMissing++;
    else counts[codes[i]!]!++;
  }
  const byFrequency = Array.from(counts.keys()).sort((a, b) => counts[b]! - counts[a]! || a - b);
  const kept = byFrequency.slice(0, maxCategories).filter((category) => counts[category]! >= minCategoryRows);
  const hasRare = kept.length < counts.length;
  const levelOfRare = hasRare ? kept.length : -1;
  let nLevels = kept.length + (hasRare ? 1 : 0);
  const levelOfCategory = new Array<number>(counts.length).fill(levelOfRare);
  kept
    .sort((a, b) => a - b)
    .forEach((category, level) => {
      levelOfCategory[category] = level;
    });
  const levelOfMissing = nMissing > 0 ? nLevels++ : (levelOfCategory[byFrequency[0] ?? -1] ?? -1);
  return nLevels < 2 ? undefined : { nLevels, levelOfCategory, levelOfMissing, levelOfUnknown: levelOfRare };
}

/** Level per row; -1 is none. */
export function oneHotCodes(codes: Int32Array, levels: OneHotLevels): Int32Array {
  return codes.map((code) => {
    if (code === UNKNOWN_CODE) return levels.levelOfUnknown;
    return code === MISSING_CODE ? levels.levelOfMissing : levels.levelOfCategory[code]!;
  });
}
