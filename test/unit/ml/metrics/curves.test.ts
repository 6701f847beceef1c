import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibrationCurve } from '../../../../src/ml/metrics/curves/calibration-curve.ts';
import { gainCurve } from '../../../../src/ml/metrics/curves/gain-curve.ts';
import { precisionRecallCurve } from '../../../../src/ml/metrics/curves/precision-recall-curve.ts';
import { residualPoints } from '../../../../src/ml/metrics/curves/residuals.ts';
import { rocCurve } from '../../../../src/ml/metrics/curves/roc-curve.ts';
import { thinnedPositions } from '../../../../src/ml/metrics/curves/thin-curve.ts';
import { rocAuc } from '../../../../src/ml/metrics/ranking.ts';
import { Random } from '../../../../src/ml/random.ts';

function scored(nRows: number, seed = 5): { isPositive: Uint8Array; scores: Float64Array } {
  const random = new Random(seed);
  const isPositive = Uint8Array.from({ length: nRows }, () => random.nextInt(2));
  return { isPositive, scores: Float64Array.from(isPositive, (flag) => flag * 0.2 + random.nextFloat()) };
}

function areaUnder(x: readonly number[], y: readonly number[]): number {
  return x.slice(1).reduce((sum, value, i) => sum + ((value - x[i]!) * (y[i + 1]! + y[i]!)) / 2, 0);
}

describe('thinning a curve', () => {
  it('keeps at most the asked points, both ends, and one within a stretch of every point that goes', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: -5, max: 5 })), {
      minLength: 3,
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 2, max: 50 }), (moves, maxPoints) => {
        let [x, y] = [0, 0];
        const points = moves.map(([dx, dy]) => {
          x += dx;
          y += dy;
          return [x, y] as const;
        });
        const xs = points.map(([px]) => px);
        const ys = points.map(([, py]) => py);
        const kept = thinnedPositions(xs, ys, maxPoints);
        expect(kept.length).toBeLessThanOrEqual(Math.max(2, maxPoints));
        expect([kept[0], kept.at(-1)]).toEqual([0, points.length - 1]);
        expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
        const unit = (values: number[]) => Math.max(...values) - Math.min(...values) || 1;
        const along = points.map((_, i) =>
          i === 0 ? 0 : Math.abs(xs[i]! - xs[i - 1]!) / unit(xs) + Math.abs(ys[i]! - ys[i - 1]!) / unit(ys),
        );
        for (let i = 1; i < along.length; i++) along[i]! += along[i - 1]!;
        const stretch = along.at(-1)! / (Math.max(2, maxPoints) - 1);
        for (let i = 0; i < points.length; i++) {
          const nearest = Math.min(...kept.map((position) => Math.abs(along[position]! - along[i]!)));
          expect(nearest).toBeLessThanOrEqual(stretch + 1e-9);
        }
      }),
      { numRuns: 300, seed: 3 },
    );
  });

  it('hardly changes the area under a ROC curve of 20,000 rows', () => {
    const { isPositive, scores } = scored(20_000);
    const curve = rocCurve(isPositive, scores, { maxPoints: 100 })!;
    expect(curve.thresholds.length).toBeLessThanOrEqual(100);
    expect(curve.false_positive_rate[0]).toBe(0);
    expect(curve.true_positive_rate.at(-1)).toBe(1);
    const area = areaUnder(curve.false_positive_rate, curve.true_positive_rate);
    // Chords lie below a concave curve, by at most a stretch's square.
    expect(Math.abs(area - rocAuc(isPositive, scores)!)).toBeLessThan(0.002);
  });

  it('leaves at most the asked points of precision and recall', () => {
    const { isPositive, scores } = scored(5_000);
    const curve = precisionRecallCurve(isPositive, scores, { maxPoints: 60 })!;
    expect(curve.precision.length).toBeLessThanOrEqual(60);
    expect(curve.thresholds.length).toBe(curve.precision.length - 1);
    expect([curve.recall[0], curve.recall.at(-1), curve.precision.at(-1)]).toEqual([1, 0, 1]);
  });
});

describe('a curve that does not exist', () => {
  it('is undefined with one class only', () => {
    const scores = Float64Array.of(0.1, 0.9);
    expect(rocCurve(Uint8Array.of(1, 1), scores)).toBeUndefined();
    expect(rocCurve(Uint8Array.of(0, 0), scores)).toBeUndefined();
    expect(precisionRecallCurve(Uint8Array.of(0, 0), scores)).toBeUndefined();
    expect(gainCurve(Uint8Array.of(0, 0), scores)).toBeUndefined();
  });
});

describe('the calibration curve', () => {
  it('leaves out empty bins and says how many rows each bin has', () => {
    const curve = calibrationCurve(Uint8Array.of(0, 1, 1), Float64Array.of(0, 0.05, 1), { nBins: 10 });
    expect(curve).toEqual({
      fraction_of_positives: [0.5, 1],
      mean_predicted: [0.025, 1],
      n_samples: [2, 1],
    });
  });
});

describe('the gain curve', () => {
  it('ends with all positives at all rows, and has the lift of the best first', () => {
    const curve = gainCurve(Uint8Array.of(1, 0, 1, 0), Float64Array.of(0.9, 0.8, 0.7, 0.1))!;
    expect(curve).toEqual({
      share_of_rows: [0, 0.25, 0.5, 0.75, 1],
      gain: [0, 0.5, 0.5, 1, 1],
      lift: [2, 2, 1, 4 / 3, 1],
    });
  });

  it('takes rows of one score together', () => {
    expect(gainCurve(Uint8Array.of(1, 0), Float64Array.of(0.5, 0.5))!.share_of_rows).toEqual([0, 1]);
  });
});

describe('residuals', () => {
  it('are drawn at even ranks of the prediction, with mean and quantiles of all rows', () => {
    const yPred = Float64Array.from({ length: 1001 }, (_, i) => (i * 3) % 1001);
    const yTrue = yPred.map((value) => value + 1);
    const { predicted, residual, n_samples, mean, quantiles } = residualPoints(yTrue, yPred, {
      maxPoints: 11,
    });
    expect(predicted).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
    expect(new Set(residual)).toEqual(new Set([1]));
    expect([n_samples, mean, quantiles]).toEqual([1001, 1, [1, 1, 1, 1, 1, 1, 1]]);
  });

  it('of one row are that row', () => {
    expect(residualPoints(Float64Array.of(3), Float64Array.of(1))).toMatchObject({
      predicted: [1],
      residual: [2],
    });
  });
});
