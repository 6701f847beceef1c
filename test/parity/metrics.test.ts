import { describe, expect, it } from 'vitest';
import { classificationMetrics } from '../../src/ml/metrics/classification-metrics.ts';
import { regressionMetrics } from '../../src/ml/metrics/regression-metrics.ts';
import goldens from './goldens/metrics.json' with { type: 'json' };

/** Sums of at most 400 float64 terms of order one: the order of adding leaves no more than this. */
const TOLERANCE = 1e-12;

function expectMetrics(actual: Record<string, number>, expected: Record<string, number>): void {
  for (const [name, value] of Object.entries(expected)) {
    expect(actual, name).toHaveProperty(name);
    const error = Math.abs(actual[name]! - value);
    expect(error, `${name}: ${actual[name]} but scikit-learn ${value}`).toBeLessThanOrEqual(
      TOLERANCE * Math.max(1, Math.abs(value)),
    );
  }
}

describe(`metrics of scikit-learn ${goldens.version}`, () => {
  it.each(Object.entries(goldens.classification))('agree for %s', (_, golden) => {
    const probabilities = Float64Array.from(golden.probabilities);
    const actual = classificationMetrics(Int32Array.from(golden.y_true), probabilities, golden.classes);
    expectMetrics(actual, golden.metrics);
  });

  it.each(Object.entries(goldens.regression))('agree for regression with %s values', (_, golden) => {
    const actual = regressionMetrics(Float64Array.from(golden.y_true), Float64Array.from(golden.y_pred));
    expectMetrics(actual, golden.metrics);
  });
});
