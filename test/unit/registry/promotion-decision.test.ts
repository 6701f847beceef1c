import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelManifest } from '../../../src/contracts/models.ts';
import { promotionDecision, shouldPromote } from '../../../src/registry/promotion-decision.ts';
import { datasetId, sampleManifest } from '../../support/samples.ts';

const classifier = (f1_score: number, over: Record<string, unknown> = {}) =>
  sampleManifest({ metrics: { f1_score, accuracy: 0 }, ...over });
const regressor = (r2: number) =>
  sampleManifest({ task: 'regression', algorithm: 'ridge', classes: undefined, metrics: { r2, rmse: 1 } });
/** As a job says it. */
const gate = (challenger: ModelManifest, champion: ModelManifest, version: string) => {
  const { promote, reason } = promotionDecision(
    { version: '9.0.0', manifest: challenger },
    { version, manifest: champion },
  );
  return { decision: promote ? 'deploy' : 'keep', reasons: [reason] };
};
const decisionOf = (challenger: number, champion: number, of = classifier) =>
  gate(of(challenger), of(champion), '1.0.0').decision;

describe('the promotion gate', () => {
  it('promotes at +0.010 and keeps at +0.009, for every champion in thousandths', () => {
    for (let thousandths = 0; thousandths <= 990; thousandths++) {
      const champion = thousandths / 1_000;
      expect([champion, decisionOf((thousandths + 10) / 1_000, champion)]).toEqual([champion, 'deploy']);
      expect([champion, decisionOf((thousandths + 9) / 1_000, champion)]).toEqual([champion, 'keep']);
      // The same by addition of floats, which is off by a few units in the last place.
      expect([champion, decisionOf(champion + 0.01, champion)]).toEqual([champion, 'deploy']);
      expect([champion, decisionOf(champion + 0.009, champion)]).toEqual([champion, 'keep']);
    }
  });

  it('compares r2 for regression, which may be negative', () => {
    expect(decisionOf(-0.49, -0.5, regressor)).toBe('deploy');
    expect(decisionOf(-0.491, -0.5, regressor)).toBe('keep');
    expect(decisionOf(0.8, -3, regressor)).toBe('deploy');
  });

  it('never promotes what is not better, and says why in figures', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (a, b) => {
          const { decision, reasons } = gate(classifier(a), classifier(b), '1.4.0');
          if (a <= b) expect(decision).toBe('keep');
          expect(reasons[0]).toContain(a.toFixed(6));
          expect(reasons[0]).toContain('champion 1.4.0');
        },
      ),
      { seed: 7 },
    );
  });

  const split = { kind: 'random', test_size: 0.2, random_state: 42, n_train: 80, n_test: 20 };
  it.each<[string, Record<string, unknown>]>([
    ['another dataset', { dataset_id: datasetId('a') }],
    ['another seed', { split: { ...split, random_state: 43 } }],
    ['another share', { split: { ...split, test_size: 0.3 } }],
    ['another rule', { split: { ...split, kind: 'every_5th' } }],
    ['another target', { target: 'other' }],
  ])('keeps the champion when the challenger was measured on %s', (_, over) => {
    const { decision, reasons } = gate(classifier(0.99, over), classifier(0.1), '1.0.0');
    expect([decision, reasons[0]]).toEqual(['keep', expect.stringContaining('another holdout')]);
  });

  it('keeps the champion when the deciding metric was not measured', () => {
    expect(gate(sampleManifest({ metrics: { accuracy: 1 } }), classifier(0.1), '1.0.0').decision).toBe(
      'keep',
    );
  });

  it('keeps a challenger whose champion was imported: nothing of the two can be compared', () => {
    const { decision, reasons } = gate(classifier(0.99), classifier(0.1, { origin: 'imported' }), '1.0.0');
    expect(decision).toBe('keep');
    expect(reasons[0]).toContain('was imported');
  });
});

describe('shouldPromote', () => {
  it('promotes at the threshold and not below, for every pair in thousandths, with a reason', () => {
    for (let thousandths = 0; thousandths <= 990; thousandths++) {
      const current = { f1_score: thousandths / 1_000 };
      const better = (by: number) => shouldPromote({ f1_score: (thousandths + by) / 1_000 }, current);
      expect([thousandths, better(9).promote, better(10).promote]).toEqual([thousandths, false, true]);
    }
    expect(shouldPromote({ f1_score: 0.809 }, { f1_score: 0.8 }).reason).toBe(
      'f1_score 0.809000 against 0.800000: not better by at least 0.01',
    );
  });

  it('takes lower for better where the metric says so, and refuses a metric without a direction', () => {
    const rmse = { metricName: 'rmse', improvementThreshold: 0.5 };
    expect(shouldPromote({ rmse: 1.5 }, { rmse: 2 }, rmse).promote).toBe(true);
    expect(shouldPromote({ rmse: 2.5 }, { rmse: 2 }, rmse).promote).toBe(false);
    expect(() => shouldPromote({}, {}, { metricName: 'constructor' })).toThrow('constructor is no metric');
  });

  it('promotes the first, and keeps what was not measured', () => {
    expect(shouldPromote({}, undefined)).toEqual({ promote: true, reason: 'nothing is deployed yet' });
    expect(shouldPromote({}, { f1_score: 0.1 }).promote).toBe(false);
  });
});
