/** Finds the split of a leaf that lowers the second-order loss most (Chen and Guestrin 2016, equation 7). */
import type { BinnedFeature, BinnedMatrix } from './binned-matrix.ts';
import { CELL } from './histogram.ts';
import type { SplitInfo } from './split-info.ts';

export interface LeafSums {
  readonly gradient: number;
  readonly hessian: number;
  readonly count: number;
}

export interface SplitRules {
  readonly minSamplesLeaf: number;
  readonly l2Regularization: number;
}

/** A side with less than this has no second derivative worth dividing by. */
const MIN_HESSIAN = 1e-3;
/** Share of the sum of squared gradients below which a gain is rounding of sums, not information. */
export const NEGLIGIBLE_GAIN = 1e-12;

/** Fills `best`; its gain stays 0 when no split obeys the rules or none gains more than `minGain`. */
export function findBestSplit(
  binned: BinnedMatrix,
  histogram: Float64Array,
  leaf: LeafSums,
  rules: SplitRules,
  minGain: number,
  best: SplitInfo,
): void {
  best.clear();
  best.gain = minGain;
  for (let f = 0; f < binned.features.length; f++) {
    const feature = binned.features[f]!;
    const cells = histogram.subarray(CELL * feature.firstBin, CELL * (feature.firstBin + feature.nBins + 1));
    const missing = CELL * feature.nBins;
    if (cells[missing + 2]! > 0.5) {
      scan(cells, feature.nBins, 0, 0, 0, leaf, rules, f, false, best);
      scan(
        cells,
        feature.nBins - 1,
        cells[missing]!,
        cells[missing + 1]!,
        cells[missing + 2]!,
        leaf,
        rules,
        f,
        true,
        best,
      );
    } else {
      scan(cells, feature.nBins - 1, 0, 0, 0, leaf, rules, f, false, best);
      if (best.feature === f) best.missingLeft = best.leftCount > leaf.count / 2;
    }
  }
  if (best.feature < 0) best.gain = 0;
}

/** Candidates "bin <= b" for b < nCandidates, with the given sums already on the left. */
function scan(
  cells: Float64Array,
  nCandidates: number,
  gradient: number,
  hessian: number,
  count: number,
  leaf: LeafSums,
  rules: SplitRules,
  feature: number,
  missingLeft: boolean,
  best: SplitInfo,
): void {
  const { gradient: leafGradient, hessian: leafHessian, count: leafCount } = leaf;
  const { minSamplesLeaf, l2Regularization } = rules;
  const unsplit = (leafGradient * leafGradient) / (leafHessian + l2Regularization);
  let bestGain = best.gain;
  for (let bin = 0, cell = 0; bin < nCandidates; bin++, cell += CELL) {
    gradient += cells[cell]!;
    hessian += cells[cell + 1]!;
    count += cells[cell + 2]!;
    if (count < minSamplesLeaf || hessian < MIN_HESSIAN) continue;
    const rightHessian = leafHessian - hessian;
    if (leafCount - count < minSamplesLeaf || rightHessian < MIN_HESSIAN) break;
    const rightGradient = leafGradient - gradient;
    const gain =
      (gradient * gradient) / (hessian + l2Regularization) +
      (rightGradient * rightGradient) / (rightHessian + l2Regularization) -
      unsplit;
    if (gain > bestGain) {
      bestGain = gain;
      best.gain = gain;
      best.feature = feature;
      best.bin = bin;
      best.missingLeft = missingLeft;
      best.leftGradient = gradient;
      best.leftHessian = hessian;
      best.leftCount = count;
    }
  }
}

/** Greater than every float32 value that training accepts: all values left, only missing right. */
export const EVERY_VALUE = 3.4028234663852886e38;

export function thresholdOf(feature: BinnedFeature, bin: number): number {
  return bin < feature.thresholds.length ? feature.thresholds[bin]! : EVERY_VALUE;
}
