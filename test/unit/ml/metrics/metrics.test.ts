import { describe, expect, it } from 'vitest';
import { classificationMetrics } from '../../../../src/ml/metrics/classification-metrics.ts';
import { metricTable } from '../../../../src/ml/metrics/metric-table.ts';
import { brierScore } from '../../../../src/ml/metrics/probability-metrics.ts';
import { averagePrecision, rocAuc } from '../../../../src/ml/metrics/ranking.ts';
import { regressionMetrics } from '../../../../src/ml/metrics/regression-metrics.ts';

describe('ranking', () => {
  it('counts a tie as half', () => {
    expect(rocAuc(Uint8Array.of(1, 0), Float64Array.of(0.5, 0.5))).toBe(0.5);
    expect(rocAuc(Uint8Array.of(0, 1, 0, 1), Float64Array.of(0.1, 0.9, 0.2, 0.8))).toBe(1);
  });

  it('has no area with one class only', () => {
    expect(rocAuc(Uint8Array.of(1, 1), Float64Array.of(0.5, 0.6))).toBeUndefined();
    expect(averagePrecision(Uint8Array.of(0, 0), Float64Array.of(0.5, 0.6))).toBeUndefined();
  });
});

describe('classificationMetrics', () => {
  it('leaves out what does not exist and stays finite for a sure mistake', () => {
    const metrics = classificationMetrics(Int32Array.of(1, 1), Float64Array.of(1, 0, 0, 1), ['no', 'yes']);
    expect(metrics).not.toHaveProperty('roc_auc');
    expect(metrics.accuracy).toBe(0.5);
    expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
  });

  it('counts a row of a class that training did not see as a mistake', () => {
    const probabilities = Float64Array.of(0.9, 0.1, 0.2, 0.8, 0.3, 0.7, 0.6, 0.4);
    const metrics = classificationMetrics(Int32Array.of(0, 1, -1, 1), probabilities, ['a', 'b']);
    expect(metrics).toMatchObject({
      accuracy: 0.5,
      recall: 0.5,
      n_samples: 4,
      roc_auc: 1,
      average_precision: 1,
    });
    // Class a: 1 of 1, class b: 1 of 2, the unseen class: 0 of 1.
    expect(metrics.recall_macro).toBeCloseTo(0.5, 12);
    expect(metrics.log_loss).toBeGreaterThan(36 / 4);
  });

  it('refuses no rows and probabilities of another shape', () => {
    expect(() => classificationMetrics(new Int32Array(0), new Float64Array(0), ['a', 'b'])).toThrowError(
      /n_samples/,
    );
    expect(() => classificationMetrics(Int32Array.of(0), new Float64Array(3), ['a', 'b'])).toThrowError(
      /3 values/,
    );
  });
});

describe('regressionMetrics', () => {
  it('calls constant truth explained only when it is met', () => {
    expect(regressionMetrics(Float64Array.of(2, 2), Float64Array.of(2, 2)).r2).toBe(1);
    expect(regressionMetrics(Float64Array.of(2, 2), Float64Array.of(2, 3)).r2).toBe(0);
  });

  it('refuses unequal lengths', () => {
    expect(() => regressionMetrics(Float64Array.of(1), Float64Array.of(1, 2))).toThrowError(/n_samples=1/);
  });
});

describe('degenerate cases', () => {
  it('have no kappa and no roc_auc with one class, and a correlation of 0', () => {
    const metrics = classificationMetrics(Int32Array.of(0, 0), Float64Array.of(0.9, 0.1, 0.8, 0.2), [0, 1]);
    expect(metrics).not.toHaveProperty('cohen_kappa');
    expect(metrics).not.toHaveProperty('roc_auc');
    expect(metrics).not.toHaveProperty('average_precision');
    expect(metrics).toMatchObject({ matthews_corrcoef: 0, balanced_accuracy: 1 });
  });

  it('have a Brier score of up to 1 with two classes and 2 with more, unseen classes included', () => {
    expect(brierScore(Int32Array.of(0), Float64Array.of(0, 1), 2)).toBe(1);
    expect(brierScore(Int32Array.of(0), Float64Array.of(0, 1, 0), 3)).toBe(2);
    expect(brierScore(Int32Array.of(-1), Float64Array.of(0, 1), 2)).toBe(1);
    expect(brierScore(Int32Array.of(-1), Float64Array.of(1, 0, 0), 3)).toBe(2);
  });

  it('have no Poisson deviance for negative truth or predictions that are not above 0', () => {
    const deviance = (y: number, p: number) =>
      regressionMetrics(Float64Array.of(y), Float64Array.of(p)).mean_poisson_deviance;
    expect(deviance(-1, 2)).toBeUndefined();
    expect(deviance(1, 0)).toBeUndefined();
    expect(deviance(0, 2)).toBe(4);
  });

  it('have a symmetric error of 0 for zeros that are met and of 2 for zeros that are missed', () => {
    expect(regressionMetrics(Float64Array.of(0), Float64Array.of(0)).smape).toBe(0);
    expect(regressionMetrics(Float64Array.of(0), Float64Array.of(3)).smape).toBe(2);
  });

  it('weigh a row of weight 2 as two rows', () => {
    const twice = classificationMetrics(
      Int32Array.of(0, 1, 1),
      Float64Array.of(0.9, 0.1, 0.6, 0.4, 0.6, 0.4),
      [0, 1],
    );
    const weighted = classificationMetrics(
      Int32Array.of(0, 1),
      Float64Array.of(0.9, 0.1, 0.6, 0.4),
      [0, 1],
      Float64Array.of(1, 2),
    );
    for (const [name, value] of Object.entries(weighted)) {
      if (name !== 'n_samples') expect(value, name).toBeCloseTo(twice[name]!, 12);
    }
  });
});

describe('the metric table', () => {
  it('knows every metric that is computed', () => {
    const computed = {
      ...classificationMetrics(Int32Array.of(0, 1), Float64Array.of(0.9, 0.1, 0.2, 0.8), [0, 1]),
      ...classificationMetrics(
        Int32Array.of(0, 1, 2),
        Float64Array.of(0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.3, 0.3, 0.4),
        [0, 1, 2],
      ),
      ...regressionMetrics(Float64Array.of(1, 2), Float64Array.of(1, 3)),
    };
    for (const [name, value] of Object.entries(computed)) {
      const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = metricTable[name]!;
      expect(value).toBeGreaterThanOrEqual(min);
      expect(value).toBeLessThanOrEqual(max);
    }
  });

  it('says of errors that lower is better and of scores that higher is', () => {
    expect(metricTable.rmse!.direction).toBe('lower');
    expect(metricTable.davies_bouldin!.direction).toBe('lower');
    expect(metricTable.r2!.direction).toBe('higher');
    expect(metricTable.silhouette!.direction).toBe('higher');
  });
});
