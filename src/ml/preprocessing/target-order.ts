/**
 * Categories as ordinals in the order of their mean target, so that one cut of a tree separates the sets of
 * categories that matter (Fisher 1958; for more than two classes, Coppersmith, Hong and Hosking 1999).
 * Rare categories count as missing: their mean would tell the tree the target of single rows.
 */
import type { CategoryFeature } from './feature-columns.ts';

/** Rank per category of the feature as float32; NaN for a rare one. Missing and unknown are NaN, too. */
export interface TargetOrder {
  /** Position among the learner's columns. */
  readonly feature: number;
  /** `null` is a rare category; plain data, so no NaN. */
  readonly rankOfCategory: readonly (number | null)[];
}

/** More ordinals than a byte of bins separates are of no use. */
const MAX_RANKS = 254;
const RARE_BELOW_ROWS = 20;

/** @param targets - columns to average: the target itself, or one 0/1 column per class. */
export function fitTargetOrder(
  feature: CategoryFeature,
  position: number,
  targets: readonly Float64Array[],
): TargetOrder {
  const nCategories = feature.spec.categories.length;
  const counts = new Float64Array(nCategories);
  for (const code of feature.codes) if (code >= 0) counts[code]!++;
  const minRows = Math.max(2, Math.min(RARE_BELOW_ROWS, feature.codes.length / 100));
  const kept = Array.from(counts.keys())
    .filter((category) => counts[category]! >= minRows)
    .sort((a, b) => counts[b]! - counts[a]! || a - b)
    .slice(0, MAX_RANKS);
  const means = targets.map((target) => categoryMeans(feature.codes, counts, target));
  const position1d = means.length === 1 ? means[0]! : firstPrincipalComponent(means, kept, counts);
  kept.sort((a, b) => position1d[a]! - position1d[b]! || a - b);
  const rankOfCategory = new Array<number | null>(nCategories).fill(null);
  kept.forEach((category, rank) => {
    rankOfCategory[category] = rank;
  });
  return { feature: position, rankOfCategory };
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

/** float32 rank per row, NaN for missing, rare and unknown. */
export function orderedValues(codes: Int32Array, order: TargetOrder): Float32Array {
  return Float32Array.from(codes, (code) =>
    code < 0 ? Number.NaN : (order.rankOfCategory[code] ?? Number.NaN),
  );
}
