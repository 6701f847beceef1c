import { ValidationError } from '../../errors.ts';
import { weightedMedian } from './weighted-median.ts';

/**
 * scikit-learn's definitions. r2 and explained_variance of constant truth are 1 when every prediction is exact (but for
 * a constant error, in explained_variance), else 0; one row is constant. smape is the mean of 2|y - p| / (|y| + |p|),
 * 0 where both are 0. mean_pinball_loss is for the median. mean_poisson_deviance is left out unless every truth is
 * >= 0 and every prediction > 0.
 * @param yTrue, yPred - finite, of the same length >= 1.
 * @param sampleWeights - >= 0 per row. @default - every row weighs 1
 */
export function regressionMetrics(
  yTrue: Float64Array,
  yPred: Float64Array,
  sampleWeights?: Float64Array,
): Record<string, number> {
  const nSamples = yTrue.length;
  if (nSamples === 0 || yPred.length !== nSamples) {
    throw new ValidationError(`y_pred has ${yPred.length} values but n_samples=${nSamples} >= 1 are needed`);
  }
  const weightOf = (i: number) => (sampleWeights === undefined ? 1 : sampleWeights[i]!);
  const total = sampleWeights === undefined ? nSamples : sampleWeights.reduce((sum, one) => sum + one, 0);
  let meanTrue = 0;
  let meanError = 0;
  for (let i = 0; i < nSamples; i++) {
    meanTrue += weightOf(i) * yTrue[i]!;
    meanError += weightOf(i) * (yTrue[i]! - yPred[i]!);
  }
  meanTrue /= total;
  meanError /= total;
  let squares = 0;
  let centeredSquares = 0;
  let absolutes = 0;
  let relatives = 0;
  let symmetric = 0;
  let variation = 0;
  let largest = 0;
  for (let i = 0; i < nSamples; i++) {
    const weight = weightOf(i);
    const error = yTrue[i]! - yPred[i]!;
    const absolute = Math.abs(error);
    squares += weight * error * error;
    centeredSquares += weight * (error - meanError) ** 2;
    absolutes += weight * absolute;
    relatives += (weight * absolute) / Math.max(Math.abs(yTrue[i]!), Number.EPSILON);
    if (absolute > 0) symmetric += (weight * 2 * absolute) / (Math.abs(yTrue[i]!) + Math.abs(yPred[i]!));
    variation += weight * (yTrue[i]! - meanTrue) ** 2;
    largest = Math.max(largest, absolute);
  }
  const deviance = meanPoissonDeviance(yTrue, yPred, sampleWeights);
  return {
    rmse: Math.sqrt(squares / total),
    mse: squares / total,
    mae: absolutes / total,
    median_absolute_error: weightedMedian(
      yTrue.map((value, i) => Math.abs(value - yPred[i]!)),
      sampleWeights,
    ),
    max_error: largest,
    r2: explained(squares, variation),
    explained_variance: explained(centeredSquares, variation),
    mape: relatives / total,
    smape: symmetric / total,
    mean_pinball_loss: meanPinballLoss(yTrue, yPred, 0.5, sampleWeights),
    ...(deviance === undefined ? {} : { mean_poisson_deviance: deviance }),
    n_samples: nSamples,
  };
}

function explained(unexplained: number, variation: number): number {
  if (variation === 0) return unexplained === 0 ? 1 : 0;
  return 1 - unexplained / variation;
}

/** Mean loss of a forecast of the alpha quantile: alpha per unit that it is too low, 1 - alpha per unit too high. */
export function meanPinballLoss(
  yTrue: Float64Array,
  yPred: Float64Array,
  alpha: number,
  sampleWeights?: Float64Array,
): number {
  let loss = 0;
  let total = 0;
  for (let i = 0; i < yTrue.length; i++) {
    const weight = sampleWeights === undefined ? 1 : sampleWeights[i]!;
    const error = yTrue[i]! - yPred[i]!;
    loss += weight * (error >= 0 ? alpha * error : (alpha - 1) * error);
    total += weight;
  }
  return loss / total;
}

/** Twice the mean log likelihood lost against the truth. `undefined` unless y >= 0 and predictions > 0. */
export function meanPoissonDeviance(
  yTrue: Float64Array,
  yPred: Float64Array,
  sampleWeights?: Float64Array,
): number | undefined {
  let sum = 0;
  let total = 0;
  for (let i = 0; i < yTrue.length; i++) {
    const y = yTrue[i]!;
    const p = yPred[i]!;
    if (!(y >= 0 && p > 0)) return undefined;
    const weight = sampleWeights === undefined ? 1 : sampleWeights[i]!;
    sum += weight * 2 * ((y === 0 ? 0 : y * Math.log(y / p)) - y + p);
    total += weight;
  }
  // Rounding alone takes the deviance of a perfect prediction below 0.
  return Math.max(0, sum / total);
}
