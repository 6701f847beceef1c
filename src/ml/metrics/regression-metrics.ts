import { ValidationError } from '../../errors.ts';

/**
 * scikit-learn's definitions. r2 of constant truth is 1 when every prediction is exact, else 0.
 * @param yTrue, yPred - finite, of the same length >= 1.
 */
export function regressionMetrics(yTrue: Float64Array, yPred: Float64Array): Record<string, number> {
  const nSamples = yTrue.length;
  if (nSamples === 0 || yPred.length !== nSamples) {
    throw new ValidationError(`y_pred has ${yPred.length} values but n_samples=${nSamples} >= 1 are needed`);
  }
  const mean = yTrue.reduce((sum, value) => sum + value, 0) / nSamples;
  let squares = 0;
  let absolutes = 0;
  let relatives = 0;
  let variation = 0;
  for (let i = 0; i < nSamples; i++) {
    const error = yTrue[i]! - yPred[i]!;
    squares += error * error;
    absolutes += Math.abs(error);
    relatives += Math.abs(error) / Math.max(Math.abs(yTrue[i]!), Number.EPSILON);
    variation += (yTrue[i]! - mean) ** 2;
  }
  const constantR2 = squares === 0 ? 1 : 0;
  return {
    rmse: Math.sqrt(squares / nSamples),
    mae: absolutes / nSamples,
    r2: variation === 0 ? constantR2 : 1 - squares / variation,
    mape: relatives / nSamples,
    n_samples: nSamples,
  };
}
