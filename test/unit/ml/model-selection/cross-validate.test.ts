import { describe, expect, it } from 'vitest';
import { modelMetrics } from '../../../../src/ml/metrics/score-model.ts';
import {
  type CrossValidationOptions,
  type CrossValidationResult,
  crossValidate,
  type SelectionHooks,
} from '../../../../src/ml/model-selection/cross-validate.ts';
import { foldsOf } from '../../../../src/ml/model-selection/folds.ts';
import { learningCurve } from '../../../../src/ml/model-selection/learning-curve.ts';
import type { Splitter } from '../../../../src/ml/model-selection/splitter.ts';
import { fitPipeline, type PipelineSpec } from '../../../../src/ml/pipeline.ts';
import { createTable, type Table, takeRows } from '../../../../src/ml/table.ts';
import { randomTable } from '../support/random-table.ts';

const logistic: PipelineSpec = {
  task: 'classification',
  target: 'y',
  algorithm: 'logistic_regression',
  hyperparameters: {},
  randomState: 3,
};
const ridge: PipelineSpec = { ...logistic, task: 'regression', algorithm: 'ridge' };
const fiveFold: Splitter = { kind: 'kfold', nSplits: 5, randomState: 1 };

function whole(
  table: Table,
  spec: PipelineSpec,
  splitter: Splitter,
  options?: CrossValidationOptions,
  hooks?: SelectionHooks,
): CrossValidationResult {
  const outcome = crossValidate(table, spec, splitter, hooks, options);
  if (!outcome.done) throw new Error('paused without being asked');
  return outcome.result;
}

describe('cross-validation', () => {
  it('measures on each fold the model of the other folds, with mean and population deviation', () => {
    const table = randomTable({ target: 'numeric' });
    const { folds, cv_mean, cv_std } = whole(table, ridge, fiveFold);
    foldsOf(table, 'y', fiveFold).forEach(({ train, test }, i) => {
      const fit = fitPipeline(takeRows(table, train), ridge);
      if (!fit.done) throw new Error('paused without being asked');
      expect(folds[i]).toEqual({
        n_train: train.length,
        n_test: test.length,
        metrics: modelMetrics(fit.model, takeRows(table, test)),
      });
    });
    const errors = folds.map(({ metrics }) => metrics.rmse!);
    const mean = errors.reduce((sum, error) => sum + error, 0) / 5;
    expect(cv_mean.rmse).toBeCloseTo(mean, 12);
    expect(cv_std.rmse).toBeCloseTo(Math.sqrt(errors.reduce((sum, e) => sum + (e - mean) ** 2, 0) / 5), 12);
  });

  it('gives every row the prediction of the model that did not see it', () => {
    const table = randomTable({ target: 'multiclass' });
    const { predictions } = whole(table, logistic, fiveFold, { keepsPredictions: true });
    expect([...predictions!.rows].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 400 }, (_, row) => row),
    );
    expect(predictions!.classes).toEqual([10, 20, 40]);
    const { train, test } = foldsOf(table, 'y', fiveFold)[0]!;
    const fit = fitPipeline(takeRows(table, train), logistic);
    if (!fit.done) throw new Error('paused without being asked');
    expect(predictions!.probabilities!.slice(0, test.length * 3)).toEqual(
      Array.from(fit.model.predict(takeRows(table, test)).probabilities!),
    );
  });

  it('gives a class that a fold did not see no probability', () => {
    const y = Float64Array.from({ length: 60 }, (_, row) => (row < 1 ? 2 : row % 2));
    const x = Float64Array.from(y, (value, row) => value * 3 + (row % 5));
    const table = createTable([
      { name: 'x', type: 'number', values: x },
      { name: 'y', type: 'number', values: y },
    ]);
    const { predictions, folds } = whole(table, logistic, fiveFold, { keepsPredictions: true });
    const { rows, probabilities, classes } = predictions!;
    expect(classes).toEqual([0, 1, 2]);
    expect(probabilities![rows.indexOf(0) * 3 + 2]).toBe(0);
    expect(folds.every(({ metrics }) => Number.isFinite(metrics.log_loss))).toBe(true);
  });

  it('leaves rows without a target out, and numbers the others as in the table', () => {
    const table = randomTable({ target: 'numeric' });
    const y = table.columns.find(({ name }) => name === 'y')!;
    if (y.type === 'category') throw new Error('y is a number');
    const holes = y.values.map((value, row) => (row % 4 === 0 ? Number.NaN : value));
    const withHoles = createTable(table.columns.map((one) => (one === y ? { ...y, values: holes } : one)));
    const { predictions } = whole(withHoles, ridge, fiveFold, { keepsPredictions: true });
    expect(predictions!.rows).toHaveLength(300);
    expect(predictions!.rows.every((row) => row % 4 !== 0)).toBe(true);
  });

  it('does not learn from the columns that only decide the folds', () => {
    const table = randomTable({ target: 'numeric' });
    const splitter: Splitter = { kind: 'group', nSplits: 3, groupColumn: 'city', randomState: 1 };
    const without = createTable(table.columns.filter(({ name }) => name !== 'city'));
    const { folds } = whole(table, ridge, splitter, { unlearnt: ['city'] });
    const { train, test } = foldsOf(table, 'y', splitter)[0]!;
    const fit = fitPipeline(takeRows(without, train), ridge);
    if (!fit.done) throw new Error('paused without being asked');
    expect(folds[0]!.metrics).toEqual(modelMetrics(fit.model, takeRows(without, test)));
  });

  it('ends with the same result when it was paused whenever it could be', () => {
    const table = randomTable({ target: 'binary' });
    const options = { keepsPredictions: true };
    let outcome = crossValidate(table, logistic, fiveFold, { shouldPause: () => true }, options);
    let slices = 1;
    for (; !outcome.done; slices++) {
      const stored = JSON.parse(JSON.stringify(outcome.checkpoint));
      outcome = crossValidate(table, logistic, fiveFold, { shouldPause: () => true }, options, stored);
    }
    expect(slices).toBeGreaterThan(20);
    expect(outcome.result).toEqual(whole(table, logistic, fiveFold, options));
  });

  it('refuses the checkpoint of another one', () => {
    const table = randomTable({ target: 'binary' });
    const paused = crossValidate(table, logistic, fiveFold, { shouldPause: () => true });
    if (paused.done) throw new Error('did not pause');
    const other: Splitter = { ...fiveFold, randomState: 2 };
    expect(() => crossValidate(table, logistic, other, {}, {}, paused.checkpoint)).toThrowError(
      expect.objectContaining({ code: 'CHECKPOINT_MISMATCH' }),
    );
  });

  it('times by the clock that it is given, over pauses, and reports progress that rises to 1', () => {
    let nowMs = 0;
    const fractions: number[] = [];
    const hooks: SelectionHooks = { nowMs: () => (nowMs += 500), onProgress: (done) => fractions.push(done) };
    const { folds } = whole(randomTable({ target: 'numeric' }), ridge, fiveFold, {}, hooks);
    expect(folds.map(({ seconds }) => seconds)).toEqual([0.5, 0.5, 0.5, 0.5, 0.5]);
    expect(fractions).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
  });

  it('trains on a share of each train part: the newest rows where time matters', () => {
    const table = randomTable({ target: 'binary' });
    const time: Splitter = { kind: 'time', nSplits: 2, timeColumn: 'large' };
    const complete = takeRows(
      table,
      Int32Array.from({ length: 60 }, (_, row) => row),
    );
    const values = (complete.columns[1] as { values: Float64Array }).values.map((value, row) =>
      value > 0 ? value : row,
    );
    const timed = createTable(
      complete.columns.map((one) => (one.name === 'large' ? { ...one, type: 'number', values } : one)),
    );
    const half = whole(timed, logistic, time, { trainFraction: 0.5 });
    const { train, test } = foldsOf(timed, 'y', time)[1]!;
    const fit = fitPipeline(takeRows(timed, train.slice(20)), logistic);
    if (!fit.done) throw new Error('paused without being asked');
    expect(half.folds[1]!.metrics).toEqual(modelMetrics(fit.model, takeRows(timed, test)));
    expect(whole(table, logistic, fiveFold, { trainFraction: 0.3 }).cv_mean.log_loss).not.toBe(
      whole(table, logistic, fiveFold).cv_mean.log_loss,
    );
  });
});

describe('the learning curve', () => {
  it('tests better with more rows, over folds and sizes', () => {
    const table = randomTable({ target: 'numeric' });
    const curve = learningCurve(table, ridge, fiveFold, 'r2', [0.1, 0.5, 1]);
    expect(curve.train_sizes).toEqual([32, 160, 320]);
    expect(curve.test_scores.map((ofSize) => ofSize.length)).toEqual([5, 5, 5]);
    const [few, , all] = curve.test_scores.map((ofSize) =>
      ofSize.reduce<number>((sum, score) => sum + score!, 0),
    );
    expect(all).toBeGreaterThan(few!);
    expect(curve.test_scores[2]).toEqual(
      whole(table, ridge, fiveFold).folds.map(({ metrics }) => expect.closeTo(metrics.r2!, 9)),
    );
  });
});
