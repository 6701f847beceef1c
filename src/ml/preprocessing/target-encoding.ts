/**
 * Categories as the mean target of their rows, drawn towards the overall mean where rows are few (Micci-Barreca 2001).
 * Training rows get the mean over the other folds' rows, so that no row sees its own target: a learner fitted on means
 * that contain it would trust rare categories far too much (Prokhorenkova et al. 2018, section 3.2).
 */
import { Random } from '../random.ts';
import type { CategoryNumbers } from './category-numbers.ts';
import { type CategoryFeature, MISSING_CODE } from './feature-columns.ts';

export interface TargetEncoding {
  /** From all rows: for predictions. */
  readonly numbers: CategoryNumbers;
  /** Per training row, from the other folds. */
  readonly training: Float32Array;
}

export interface TargetEncodingOptions {
  /** Categories with fewer rows share one mean. */
  readonly minCategoryRows: number;
  /** Rows that the overall mean counts as, >= 0. */
  readonly smoothing: number;
  /** One per row; from `foldsOf`. */
  readonly folds: Uint8Array;
}

const N_FOLDS = 5;

/** Fold per row, of equal size within one. */
export function foldsOf(nRows: number, randomState: number): Uint8Array {
  const order = new Random(randomState).shuffle(Int32Array.from({ length: nRows }, (_, row) => row));
  const folds = new Uint8Array(nRows);
  order.forEach((row, position) => {
    folds[row] = position % N_FOLDS;
  });
  return folds;
}

/**
 * One encoding per target; none where all rows are of one group.
 * @param targets - the target itself, or a 0/1 column per class.
 */
export function fitTargetEncodings(
  feature: CategoryFeature,
  targets: readonly Float64Array[],
  options: TargetEncodingOptions,
): TargetEncoding[] {
  const groups = groupsOf(feature, options.minCategoryRows);
  if (groups.nGroups < 2) return [];
  return targets.map((target) => encode(feature.codes, groups, target, options));
}

interface Groups {
  readonly nGroups: number;
  readonly ofCategory: Int32Array;
  /** -1 where training has no such row. */
  readonly ofMissing: number;
  readonly ofRare: number;
}

function groupsOf({ codes, spec }: CategoryFeature, minRows: number): Groups {
  const counts = new Int32Array(spec.categories.length);
  let nMissing = 0;
  for (const code of codes) {
    if (code < 0) nMissing++;
    else counts[code]!++;
  }
  let nGroups = 0;
  const ofCategory = counts.map((count) => (count >= minRows ? nGroups++ : -1));
  const ofRare = ofCategory.includes(-1) ? nGroups++ : -1;
  const ofMissing = nMissing > 0 ? nGroups++ : -1;
  return { nGroups, ofCategory: ofCategory.map((group) => (group < 0 ? ofRare : group)), ofMissing, ofRare };
}

function encode(
  codes: Int32Array,
  { nGroups, ofCategory, ofMissing, ofRare }: Groups,
  target: Float64Array,
  { smoothing, folds }: TargetEncodingOptions,
): TargetEncoding {
  const groupOf = (code: number) => (code === MISSING_CODE ? ofMissing : ofCategory[code]!);
  const sums = new Float64Array(nGroups * N_FOLDS);
  const counts = new Float64Array(nGroups * N_FOLDS);
  let total = 0;
  for (let i = 0; i < codes.length; i++) {
    const cell = groupOf(codes[i]!) * N_FOLDS + folds[i]!;
    sums[cell]! += target[i]!;
    counts[cell]!++;
    total += target[i]!;
  }
  // One for all folds: another one for each would tell the learner about the fold's own targets.
  const prior = total / codes.length;
  const mean = (sum: number, count: number) =>
    Math.fround(count + smoothing > 0 ? (sum + smoothing * prior) / (count + smoothing) : prior);
  const whole = new Float64Array(nGroups);
  const others = new Float64Array(nGroups * N_FOLDS);
  for (let group = 0; group < nGroups; group++) {
    let [sum, count] = [0, 0];
    for (let fold = 0; fold < N_FOLDS; fold++) {
      sum += sums[group * N_FOLDS + fold]!;
      count += counts[group * N_FOLDS + fold]!;
    }
    whole[group] = mean(sum, count);
    for (let fold = 0; fold < N_FOLDS; fold++) {
      const cell = group * N_FOLDS + fold;
      others[cell] = mean(sum - sums[cell]!, count - counts[cell]!);
    }
  }
  const ofGroup = (group: number) => (group < 0 ? Math.fround(prior) : whole[group]!);
  return {
    numbers: {
      ofCategory: Array.from(ofCategory, ofGroup),
      ofMissing: ofGroup(ofMissing),
      ofUnknown: ofGroup(ofRare),
    },
    training: Float32Array.from(codes, (code, i) => others[groupOf(code) * N_FOLDS + folds[i]!]!),
  };
}
