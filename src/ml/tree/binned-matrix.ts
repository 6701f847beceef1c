import type { Random } from '../random.ts';
import { binValues, fitThresholds } from './bin-mapper.ts';

/** Columns of bin numbers, one byte a value. */
export interface BinnedMatrix {
  readonly nRows: number;
  /** Columns with something to split on; the others are left out. */
  readonly features: readonly BinnedFeature[];
  /** Sum of bins over the features, missing bins included. */
  readonly totalBins: number;
}

export interface BinnedFeature {
  /** Position among the columns that were binned. */
  readonly column: number;
  readonly bins: Uint8Array;
  /** Bins of values; the missing bin is number `nBins` itself. */
  readonly nBins: number;
  /** nBins - 1 cuts. */
  readonly thresholds: Float32Array;
  /** Where this feature's bins begin in a histogram, in bins. */
  readonly firstBin: number;
}

/** @param maxBins - in [2, 255], so that a bin number with the missing one fits a byte. */
export function binColumns(columns: readonly Float32Array[], maxBins: number, random: Random): BinnedMatrix {
  const nRows = columns[0]?.length ?? 0;
  const features: BinnedFeature[] = [];
  let totalBins = 0;
  columns.forEach((values, column) => {
    const thresholds = fitThresholds(values, maxBins, random);
    const nBins = thresholds.length + 1;
    const bins = new Uint8Array(nRows);
    binValues(values, thresholds, nBins, bins);
    if (bins.every((bin) => bin === bins[0])) return;
    features.push({ column, bins, nBins, thresholds, firstBin: totalBins });
    totalBins += nBins + 1;
  });
  return { nRows, features, totalBins };
}
