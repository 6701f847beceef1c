export interface CalibrationCurve {
  /** Share of positive rows in each bin that has rows. */
  readonly fraction_of_positives: number[];
  /** Mean predicted probability in the bin. */
  readonly mean_predicted: number[];
  readonly n_samples: number[];
}

/**
 * As scikit-learn's calibration_curve: bins of equal width, or of equal numbers of rows.
 * @param probabilities - of the positive class, in [0, 1], at least one.
 */
export function calibrationCurve(
  isPositive: Uint8Array,
  probabilities: Float64Array,
  { nBins = 10, strategy = 'uniform' }: { nBins?: number; strategy?: 'uniform' | 'quantile' } = {},
): CalibrationCurve {
  const shares = Array.from({ length: nBins - 1 }, (_, i) => (i + 1) / nBins);
  const sorted = probabilities.slice().sort();
  const edges = strategy === 'uniform' ? shares : shares.map((share) => percentile(sorted, share));
  const sums = new Float64Array(nBins);
  const positives = new Float64Array(nBins);
  const counts = new Float64Array(nBins);
  probabilities.forEach((probability, row) => {
    const bin = edges.reduce((below, edge) => below + (edge < probability ? 1 : 0), 0);
    sums[bin]! += probability;
    positives[bin]! += isPositive[row]!;
    counts[bin]! += 1;
  });
  const filled = [...counts.keys()].filter((bin) => counts[bin]! > 0);
  return {
    fraction_of_positives: filled.map((bin) => positives[bin]! / counts[bin]!),
    mean_predicted: filled.map((bin) => sums[bin]! / counts[bin]!),
    n_samples: filled.map((bin) => counts[bin]!),
  };
}

/** Linear between the two nearest ranks. */
function percentile(sorted: Float64Array, share: number): number {
  const rank = share * (sorted.length - 1);
  const lower = Math.floor(rank);
  const fraction = rank - lower;
  const low = sorted[lower]!;
  const high = sorted[Math.min(lower + 1, sorted.length - 1)]!;
  // From the nearer end, as numpy does: a row that is exactly on the edge stays on its side.
  return fraction >= 0.5 ? high - (high - low) * (1 - fraction) : low + (high - low) * fraction;
}
