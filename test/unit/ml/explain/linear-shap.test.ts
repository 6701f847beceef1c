import { describe, expect, it } from 'vitest';
import { linearContributions } from '../../../../src/ml/explain/linear-shap.ts';
import { coefficientsOf } from '../../../../src/ml/linear/coefficients.ts';
import type { LinearPipelineModel } from '../../../../src/ml/linear/linear-pipeline.ts';
import { fitPipeline, type Task } from '../../../../src/ml/pipeline.ts';
import { categoryColumn, createTable, type Table } from '../../../../src/ml/table.ts';
import { randomTable } from '../support/random-table.ts';

function fitted(train: Table, task: Task, algorithm: string, hyperparameters = {}): LinearPipelineModel {
  const result = fitPipeline(train, { task, target: 'y', algorithm, hyperparameters, randomState: 1 });
  if (!result.done) throw new Error('paused without being asked');
  return result.model as LinearPipelineModel;
}

const cases = [
  ['linear_regression', 'regression', 'numeric', {}],
  ['ridge', 'regression', 'numeric', { categorical_encoding: 'target', scaling: 'robust' }],
  ['lasso', 'regression', 'numeric', { categorical_encoding: 'ordinal', scaling: 'none' }],
  ['logistic_regression', 'classification', 'binary', { scaling: 'minmax' }],
  ['logistic_regression', 'classification', 'multiclass', {}],
  ['logistic_regression', 'classification', 'multiclass', { penalty: 'l1', categorical_encoding: 'target' }],
] as const;

describe.each(cases)(
  'contributions in %s for %s of a %s target with %j',
  (algorithm, task, target, settings) => {
    const train = randomTable({ target });
    const model = fitted(train, task, algorithm, settings);
    const { nScores, nFeatures, values, base } = linearContributions(model, train);

    it('add up with the base to the score', () => {
      expect(values.length).toBe(train.nRows * nScores * nFeatures);
      model.scores(train).forEach((scores, k) => {
        scores.forEach((score, row) => {
          let sum = base[k]!;
          for (let j = 0; j < nFeatures; j++) sum += values[(row * nScores + k) * nFeatures + j]!;
          // Rounding of some twenty terms that are not larger than a thousand.
          expect(Math.abs(sum - score)).toBeLessThan(1e-9);
        });
      });
    });

    it('are none for a feature that says nothing', () => {
      const constant = model.features.findIndex(({ name }) => name === 'constant');
      for (let i = constant; i < values.length; i += nFeatures) expect(Math.abs(values[i]!)).toBe(0);
    });

    it('are 0 on average over the training rows, but where training means of the target left rows out', () => {
      const city = model.features.findIndex(({ name }) => name === 'city');
      for (let j = 0; j < nScores * nFeatures; j++) {
        if (
          'categorical_encoding' in settings &&
          settings.categorical_encoding === 'target' &&
          j % nFeatures === city
        ) {
          continue;
        }
        let sum = 0;
        for (let row = 0; row < train.nRows; row++) sum += values[row * nScores * nFeatures + j]!;
        expect(Math.abs(sum / train.nRows)).toBeLessThan(1e-9);
      }
    });

    it('has a named coefficient for every weight', () => {
      const { coefficients, intercepts } = coefficientsOf(model);
      expect(intercepts).toHaveLength(nScores);
      expect(coefficients.flatMap(({ weights }) => weights)).toHaveLength(model.linear.weights.length);
      expect(new Set(coefficients.map(({ name }) => name)).size).toBe(coefficients.length);
      for (const { source, mean } of coefficients) {
        expect(model.features[source]).toBeDefined();
        expect(Number.isFinite(mean)).toBe(true);
      }
    });
  },
);

describe('coefficients', () => {
  it('are named by column, level and class', () => {
    const nRows = 60;
    const table = createTable([
      {
        name: 'size',
        type: 'number',
        values: Float64Array.from({ length: nRows }, (_, i) => (i % 9 ? i : Number.NaN)),
      },
      { name: 'on', type: 'date', values: Float64Array.from({ length: nRows }, (_, i) => i * 30 * 864e5) },
      categoryColumn(
        'city',
        Array.from({ length: nRows }, (_, i) => ['東京', 'Rome', null, `only ${i}`][i % 4]!),
      ),
      { name: 'y', type: 'number', values: Float64Array.from({ length: nRows }, (_, i) => (i * 7) % 5) },
    ]);
    const named = coefficientsOf(fitted(table, 'regression', 'ridge')).coefficients;
    expect(named.map(({ name, kind, source }) => [name, kind, source])).toEqual([
      ['size', 'value', 0],
      ['on (time)', 'value', 1],
      ['on (year)', 'value', 1],
      ['on (month)', 'value', 1],
      ['on (day)', 'value', 1],
      ['on (day of week)', 'value', 1],
      ['size is missing', 'missing', 0],
      ['city = Rome', 'level', 2],
      ['city = 東京', 'level', 2],
      ['city is rare', 'rare', 2],
      ['city is missing', 'missing_level', 2],
    ]);
    const target = coefficientsOf(
      fitted(table, 'classification', 'logistic_regression', { categorical_encoding: 'target' }),
    );
    expect(target.coefficients.filter(({ source }) => source === 2).map(({ name }) => name)).toEqual(
      [0, 1, 2, 3, 4].map((label) => `city (share of ${label})`),
    );
  });

  it('are, divided by their scale, those of the feature itself', () => {
    const x = Float64Array.from({ length: 50 }, (_, i) => (i * 7) % 23);
    const table = createTable([
      { name: 'x', type: 'number', values: x },
      { name: 'y', type: 'number', values: x.map((value) => 4 * value - 3) },
    ]);
    for (const scaling of ['standard', 'minmax', 'robust', 'none']) {
      const [coefficient] = coefficientsOf(
        fitted(table, 'regression', 'linear_regression', { scaling }),
      ).coefficients;
      expect(coefficient!.weights[0]! / coefficient!.scale).toBeCloseTo(4, 10);
    }
  });
});
