import { DEFAULT_MAX_POINTS } from './thin-curve.ts';

export interface Residuals {
  /** Ascending. */
  readonly predicted: number[];
  /** Truth minus prediction. */
  readonly residual: number[];
  readonly n_samples: number;
  readonly mean: number;
  /** Of all residuals, at 0, 5, 25, 50, 75, 95 and 100 per cent. */
  readonly quantiles: number[];
}

const SHARES = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1];

/**
 * Residuals over predictions. With more than `maxPoints` rows the rows at evenly spaced ranks of the prediction are
 * drawn, the lowest and the highest included, so that the cloud keeps its density; mean and quantiles are of all rows.
 */
export function residualPoints(
  yTrue: Float64Array,
  yPred: Float64Array,
  { maxPoints = DEFAULT_MAX_POINTS }: { maxPoints?: number } = {},
): Residuals {
  const nSamples = yTrue.length;
  const residuals = yTrue.map((truth, i) => truth - yPred[i]!);
  const order = Uint32Array.from(yPred.keys()).sort((a, b) => yPred[a]! - yPred[b]! || a - b);
  const nDrawn = Math.min(nSamples, Math.max(2, maxPoints));
  const drawn = Array.from({ length: nDrawn }, (_, i) =>
    nDrawn < 2 ? 0 : Math.round((i * (nSamples - 1)) / (nDrawn - 1)),
  ).map((rank) => order[rank]!);
  const sorted = residuals.slice().sort();
  return {
    predicted: drawn.map((row) => yPred[row]!),
    residual: drawn.map((row) => residuals[row]!),
    n_samples: nSamples,
    mean: residuals.reduce((sum, value) => sum + value, 0) / nSamples,
    quantiles: SHARES.map((share) => sorted[Math.round(share * (nSamples - 1))]!),
  };
}
