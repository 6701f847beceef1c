/**
 * Categories as small codes in the order of their mean target, so that one cut of a tree often separates the sets of
 * categories that matter (Fisher 1958; for more than two classes, Coppersmith, Hong and Hosking 1999), and sets of codes
 * do where it does not. A rare category has no code and counts as missing: its mean would tell the tree the target of
 * single rows.
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

/**
 * Codes of the most frequent categories.
 * @param targets - columns to average: the target itself, or one 0/1 column per class.
 */
export function fitCategoryCodes(
  feature: CategoryFeature,
  column: number,
  targets: readonly Float64Array[],
): CategoryCodes {
  const counts = new Float64Array(feature.spec.categories.length);
  for (const code of feature.codes) if (code >= 0) counts[code]!++;
  const minRows = Math.max(2, Math.min(RARE_BELOW_ROWS, feature.codes.length / 100));
  const kept = Array.from(counts.keys())
    .filter((category) => counts[category]! >= minRows)
    .sort((a, b) => counts[b]! - counts[a]! || a - b)
    .slice(0, MAX_CATEGORIES);
  const means = targets.map((target) => categoryMeans(feature.codes, counts, target));
  const position = means.length === 1 ? means[0]! : firstPrincipalComponent(means, kept, counts);
  kept.sort((a, b) => position[a]! - position[b]! || a - b);
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

function categoryMeans(codes: Int32Array, counts: Float64Array, target: Float64Array): Float64Array {
  const sums = new Float64Array(counts.length);
  for (let i = 0; i < codes.length; i++) if (codes[i]! >= 0) sums[codes[i]!]! += target[i]!;
  return sums.map((sum, category) => sum / counts[category]!);
}

/** Projection of each category's class shares on their direction of largest weighted variance (power iteration). */
function firstPrincipalComponent(
  means: readonly Float64Array[],
  kept: readonly number[],
  counts: Float64Array,
): Float64Array {
  const nClasses = means.length;
  const total = kept.reduce((sum, category) => sum + counts[category]!, 0);
  const centers = means.map((mean) => kept.reduce((sum, c) => sum + counts[c]! * mean[c]!, 0) / total);
  // Any start that is not orthogonal to the answer does; unequal components avoid the symmetric trap.
  let direction = Float64Array.from({ length: nClasses }, (_, k) => 1 + k / nClasses);
  const projected = new Float64Array(counts.length);
  for (let iteration = 0; iteration < 50; iteration++) {
    project(means, centers, direction, kept, projected);
    const next = new Float64Array(nClasses);
    for (const category of kept) {
      const weight = counts[category]! * projected[category]!;
      for (let k = 0; k < nClasses; k++) next[k]! += weight * (means[k]![category]! - centers[k]!);
    }
    const norm = Math.hypot(...next);
    if (norm === 0) break;
    direction = next.map((component) => component / norm);
  }
  project(means, centers, direction, kept, projected);
  return projected;
}

function project(
  means: readonly Float64Array[],
  centers: readonly number[],
  direction: Float64Array,
  kept: readonly number[],
  out: Float64Array,
): void {
  for (const category of kept) {
    let sum = 0;
    for (let k = 0; k < means.length; k++) sum += direction[k]! * (means[k]![category]! - centers[k]!);
    out[category] = sum;
  }
}
