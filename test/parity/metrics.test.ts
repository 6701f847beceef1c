import { describe, expect, it } from 'vitest';
import { mostProbableClasses } from '../../src/ml/class-probabilities.ts';
import { classificationMetrics, classReport } from '../../src/ml/metrics/classification-metrics.ts';
import { confusionMatrix, normalizedConfusion } from '../../src/ml/metrics/confusion-matrix.ts';
import { calibrationCurve } from '../../src/ml/metrics/curves/calibration-curve.ts';
import { precisionRecallCurve } from '../../src/ml/metrics/curves/precision-recall-curve.ts';
import { rocCurve } from '../../src/ml/metrics/curves/roc-curve.ts';
import { meanPinballLoss, regressionMetrics } from '../../src/ml/metrics/regression-metrics.ts';
import goldens from './goldens/metrics.json' with { type: 'json' };

/** Sums of at most 400 float64 terms of order one: the order of adding leaves no more than this. */
const TOLERANCE = 1e-12;

function expectMetrics(actual: Record<string, number>, expected: Record<string, number | undefined>): void {
  for (const [name, value] of Object.entries(expected)) {
    // The JSON module's type has every metric of every golden in each of them.
    if (value === undefined) continue;
    expect(actual, name).toHaveProperty(name);
    const error = Math.abs(actual[name]! - value);
    expect(error, `${name}: ${actual[name]} but scikit-learn ${value}`).toBeLessThanOrEqual(
      TOLERANCE * Math.max(1, Math.abs(value)),
    );
  }
}

function expectNumbers(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(TOLERANCE);
  });
}

describe(`metrics of scikit-learn ${goldens.version}`, () => {
  describe.each(Object.entries(goldens.classification))('for %s', (_, golden) => {
    const probabilities = Float64Array.from(golden.probabilities);
    const yTrue = Int32Array.from(golden.y_true);

    it('agree', () => {
      const actual = classificationMetrics(yTrue, probabilities, golden.classes);
      expectMetrics(actual, golden.metrics);
      if (golden.classes.length === 2)
        expect(Object.keys(actual).sort()).toEqual(Object.keys(golden.metrics).sort());
    });

    it('agree with sample weights', () => {
      const weights = Float64Array.from(golden.sample_weights);
      expectMetrics(
        classificationMetrics(yTrue, probabilities, golden.classes, weights),
        golden.weighted_metrics,
      );
    });

    it('agree class by class', () => {
      const predicted = mostProbableClasses(probabilities, golden.classes.length);
      const report = classReport(yTrue, predicted, golden.classes);
      report.forEach(({ precision, recall, f1_score, support }, k) => {
        expectNumbers([precision, recall, f1_score, support], golden.report[k]!);
      });
    });
  });

  it.each(Object.entries(goldens.regression))('agree for regression: %s', (_, golden) => {
    const yTrue = Float64Array.from(golden.y_true);
    const yPred = Float64Array.from(golden.y_pred);
    expectMetrics(regressionMetrics(yTrue, yPred), golden.metrics);
    expectMetrics(
      regressionMetrics(yTrue, yPred, Float64Array.from(golden.sample_weights)),
      golden.weighted_metrics,
    );
    expectNumbers([meanPinballLoss(yTrue, yPred, 0.9)], [golden['pinball_0.9']]);
  });

  it.each(['true', 'pred', 'all'] as const)('agree for a confusion matrix over %s', (over) => {
    const { n_classes, y_true, y_pred } = goldens.confusion;
    const counts = confusionMatrix(Int32Array.from(y_true), Int32Array.from(y_pred), n_classes);
    expectNumbers(normalizedConfusion(counts, n_classes, over), goldens.confusion[over]);
  });
});

describe.each(Object.entries(goldens.curves))(`curves of scikit-learn ${goldens.version} %s`, (_, golden) => {
  const isPositive = Uint8Array.from(golden.y_true);
  const scores = Float64Array.from(golden.scores);
  const sampleWeights = Float64Array.from(golden.sample_weights);

  it.each([
    ['roc', golden.roc, {}],
    ['roc_all', golden.roc_all, { dropIntermediate: false }],
    ['roc_weighted', golden.roc_weighted, { sampleWeights }],
  ] as const)('agree for %s', (_name, expected, options) => {
    const curve = rocCurve(isPositive, scores, options)!;
    expectNumbers(curve.thresholds, expected[2]!);
    expectNumbers(curve.false_positive_rate, expected[0]!);
    expectNumbers(curve.true_positive_rate, expected[1]!);
  });

  it.each([
    ['precision and recall', golden.precision_recall, {}],
    ['weighted precision and recall', golden.precision_recall_weighted, { sampleWeights }],
  ] as const)('agree for %s', (_name, expected, options) => {
    const curve = precisionRecallCurve(isPositive, scores, options)!;
    expectNumbers(curve.precision, expected[0]!);
    expectNumbers(curve.recall, expected[1]!);
    expectNumbers(curve.thresholds, expected[2]!);
  });

  it.each([
    ['uniform', golden.calibration_uniform],
    ['quantile', golden.calibration_quantile],
  ] as const)('agree for calibration with %s bins', (strategy, expected) => {
    const curve = calibrationCurve(isPositive, scores, { nBins: 7, strategy });
    expectNumbers(curve.fraction_of_positives, expected[0]!);
    expectNumbers(curve.mean_predicted, expected[1]!);
    expect(curve.n_samples.reduce((sum, count) => sum + count, 0)).toBe(scores.length);
  });
});
