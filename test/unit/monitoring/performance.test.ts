import { describe, expect, it } from 'vitest';
import type { ClassLabel } from '../../../src/contracts/class-label.ts';
import { dailyPerformance } from '../../../src/monitoring/daily-performance.ts';
import { type Feedback, recordFeedback } from '../../../src/monitoring/feedback.ts';
import { performanceOf } from '../../../src/monitoring/performance.ts';
import { requestOf } from '../../../src/training/retraining.ts';
import { sampleManifest } from '../../support/samples.ts';
import { modelName, tenantA } from '../../support/tenants.ts';

const rule = { threshold: 0.7, minSamples: 4 };
const told = (...pairs: [predicted: ClassLabel, actual: ClassLabel][]): Feedback[] =>
  pairs.map(([predicted, actual], i) => ({
    ...{ predictionId: `p${i}`, modelName: modelName('income'), modelVersion: '1.0.0' },
    ...{ predicted, actual, predictedAt: `2026-01-0${i + 1}T00:00:00.000Z` },
    ...{ recordedAt: '2026-02-01T00:00:00.000Z', actor: 'user', comment: undefined },
  }));

describe('the performance of each day', () => {
  const at = (time: string, predicted: ClassLabel, actual: ClassLabel): Feedback => ({
    ...told([predicted, actual])[0]!,
    predictedAt: time,
  });

  it('counts a prediction on the day on which it was made, UTC, and no day without one', () => {
    const days = dailyPerformance('classification', [
      at('2026-01-31T23:59:59.999Z', 'yes', 'yes'),
      at('2026-02-02T00:00:00.000Z', 'yes', 'no'),
      at('2026-01-31T00:00:00.000Z', 'no', 'yes'),
    ]);
    expect(days.map(({ windowStart, windowEnd, nSamples }) => [windowStart, windowEnd, nSamples])).toEqual([
      ['2026-01-31T00:00:00.000Z', '2026-02-01T00:00:00.000Z', 2],
      ['2026-02-02T00:00:00.000Z', '2026-02-03T00:00:00.000Z', 1],
    ]);
    expect(days.map(({ metrics }) => metrics.accuracy)).toEqual([0.5, 0]);
  });

  it('of a regression is that of its errors', () => {
    const [day] = dailyPerformance('regression', [
      at('2026-01-31T01:00:00.000Z', 1, 2),
      at('2026-01-31T02:00:00.000Z', 5, 4),
    ]);
    expect(day!.metrics).toMatchObject({ mae: 1, rmse: 1 });
  });
});

describe('the performance of a classifier', () => {
  it('is that of its labels, weighted by how often each is true', () => {
    // Of yes: 2 of 3 found, 2 of 2 right; of no: 1 of 1 found, 1 of 2 right. f1: 0.8 and 2/3.
    const feedback = told(['yes', 'yes'], ['yes', 'yes'], ['no', 'yes'], ['no', 'no']);
    const { live, status, reason } = performanceOf(sampleManifest(), '1.0.0', feedback, rule);
    expect(live.n_samples).toBe(4);
    expect([live.from, live.to]).toEqual(['2026-01-01T00:00:00.000Z', '2026-01-04T00:00:00.000Z']);
    expect(live.metrics.accuracy).toBeCloseTo(0.75, 12);
    expect(live.metrics.f1_score).toBeCloseTo((0.8 * 3 + 2 / 3) / 4, 12);
    expect(live.metrics.precision).toBeCloseTo((1 * 3 + 0.5) / 4, 12);
    expect(live.metrics.recall).toBeCloseTo(0.75, 12);
    expect([status, reason]).toEqual(['healthy', 'f1_score 0.7667 is at least 0.7']);
  });

  it('is degraded below the threshold, and not judged by less feedback than is asked for', () => {
    const wrong = told(['yes', 'no'], ['yes', 'no'], ['no', 'no'], ['no', 'yes']);
    expect(performanceOf(sampleManifest(), '1.0.0', wrong, rule)).toMatchObject({
      ...{ status: 'degraded', metric_name: 'f1_score', baseline: { f1_score: 0.8 } },
    });
    const few = performanceOf(sampleManifest(), '1.0.0', wrong.slice(1), rule);
    expect([few.status, few.reason]).toEqual([
      'insufficient_data',
      'feedback for 3 predictions; 4 are needed for a verdict',
    ]);
    expect(performanceOf(sampleManifest(), '1.0.0', [], rule).live).toEqual({ n_samples: 0, metrics: {} });
  });
});

describe('the performance of a regression', () => {
  it('is that of its values, judged by r2', () => {
    const manifest = sampleManifest({ task: 'regression', algorithm: 'ridge', classes: undefined });
    const { live, metric_name, status } = performanceOf(
      ...([manifest, '1.0.0', told([1, 1], [2, 2], [3, 3], [4, 5]), rule] as const),
    );
    // Mean of the truth 2.75: total 8.75, residual 1.
    expect(live.metrics.r2).toBeCloseTo(1 - 1 / 8.75, 12);
    expect(live.metrics.mae).toBeCloseTo(0.25, 12);
    expect([metric_name, status]).toEqual(['r2', 'healthy']);
  });
});

describe('feedback', () => {
  const record = {
    ...{ prediction_id: 'p', time: '2026-01-31T12:00:00.000Z', request_id: 'r', features_hash: 'h' },
    ...{ model_name: 'income', model_version: '1.2.0', prediction: 'yes', probabilities: [0.2, 0.8] },
  };
  const kept: Feedback[] = [];
  const parts = {
    predictions: { find: async () => record },
    feedback: { put: async (_: unknown, one: Feedback) => void kept.push(one), since: async () => kept },
    clock: { nowMs: () => Date.parse('2026-02-01T00:00:00Z') },
  };

  it('is joined to what the log says was predicted', async () => {
    const answer = await recordFeedback(tenantA, { prediction_id: 'p', actual_outcome: 'no' }, parts);
    expect(answer).toEqual({
      ...{
        prediction_id: 'p',
        model_name: 'income',
        model_version: '1.2.0',
        predicted: 'yes',
        actual_outcome: 'no',
      },
      ...{ is_correct: false, recorded_at: '2026-02-01T00:00:00.000Z' },
    });
    expect(kept).toMatchObject([{ predictedAt: record.time, actor: 'user-of-aa' }]);
  });

  it('for a model that did not make the prediction is not found, and that of the one that did is', async () => {
    kept.length = 0;
    const told = (model_name: string) =>
      recordFeedback(
        tenantA,
        { model_name: modelName(model_name), prediction_id: 'p', actual_outcome: 'no', user_feedback: 'odd' },
        parts,
      );
    await expect(told('outcome')).rejects.toMatchObject({ code: 'PREDICTION_NOT_FOUND' });
    expect(kept).toEqual([]);
    await told('income');
    expect(kept).toMatchObject([{ comment: 'odd' }]);
  });

  it('of another type than the prediction is refused', async () => {
    await expect(
      recordFeedback(tenantA, { prediction_id: 'p', actual_outcome: 1 }, parts),
    ).rejects.toMatchObject({
      code: 'FEEDBACK_TYPE_MISMATCH',
      message: 'actual_outcome is a number, and the prediction "yes" is a string; send a string',
    });
  });
});

describe('a retraining', () => {
  it('asks for what the deployed version was trained with', () => {
    expect(requestOf(sampleManifest(), { auto_promote: false, notes: 'again' })).toMatchObject({
      ...{ model_name: 'income', target: 'income', model_type: 'classification', notes: 'again' },
      ...{ algorithm: 'gradient_boosting', hyperparameters: { n_estimators: 100 }, auto_promote: false },
      ...{ features: ['age', 'city'], split: 'random', test_size: 0.2, random_state: 42, min_samples: 100 },
    });
  });
});
