import { describe, expect, it } from 'vitest';
import type { LinearPipelineModel } from '../../src/ml/linear/linear-pipeline.ts';
import { fitPipeline, type Task } from '../../src/ml/pipeline.ts';
import { type Column, categoryColumn, createTable, type Table } from '../../src/ml/table.ts';
import goldens from './goldens/linear.json' with { type: 'json' };

const columns: Column[] = [
  ...goldens.X[0]!.map(
    (_, j): Column => ({
      name: `x${j}`,
      type: 'number',
      values: Float64Array.from(goldens.X, (row) => row[j]!),
    }),
  ),
  categoryColumn('category', goldens.category.map(String)),
];

function tableOf(y: readonly number[]): Table {
  return createTable([...columns, { name: 'y', type: 'number', values: Float64Array.from(y) }]);
}

function fitted(table: Table, task: Task, algorithm: string, hyperparameters: object): LinearPipelineModel {
  const spec = { task, target: 'y', algorithm, hyperparameters: { ...hyperparameters }, randomState: 0 };
  const result = fitPipeline(table, spec);
  if (!result.done) throw new Error('paused without being asked');
  return result.model as LinearPipelineModel;
}

function largestDifference(actual: Float64Array, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return expected.reduce((largest, value, i) => Math.max(largest, Math.abs(actual[i]! - value)), 0);
}

describe(`linear regression of scikit-learn ${goldens.version}`, () => {
  it.each([
    // Least squares of least norm is unique, in spite of two dependent columns: rounding is the only difference.
    ['linear_regression', {}, goldens.linear_regression, 1e-9],
    // Coordinate descent on both sides, each stopped at its rounding limit. The repeated column makes the split of
    // its weight arbitrary, so that is compared as a sum.
    ['lasso', { alpha: goldens.lasso.alpha, tol: 1e-13 }, goldens.lasso, 1e-9],
    [
      'elastic_net',
      { alpha: goldens.elastic_net.alpha, l1_ratio: goldens.elastic_net.l1_ratio, tol: 1e-13 },
      goldens.elastic_net,
      1e-9,
    ],
  ] as const)('%s has the same coefficients', (algorithm, hyperparameters, golden, tolerance) => {
    const { weights, intercepts } = fitted(
      tableOf(goldens.y_regression),
      'regression',
      algorithm,
      hyperparameters,
    ).linear;
    const merged = (values: ArrayLike<number>): number[] => {
      const [first, second, third, fourth, again, ...levels] = Array.from(values);
      return [first! + again!, second!, third!, fourth!, ...levels];
    };
    expect(largestDifference(Float64Array.from(merged(weights)), merged(golden.coefficients))).toBeLessThan(
      tolerance,
    );
    expect(Math.abs(intercepts[0]! - golden.intercept)).toBeLessThan(tolerance);
    if (algorithm === 'linear_regression') {
      expect(largestDifference(weights, golden.coefficients)).toBeLessThan(tolerance);
    }
  });
});

describe(`logistic regression of scikit-learn ${goldens.version}`, () => {
  it.each(
    goldens.logistic.map(({ probabilities, zeros, ...settings }) => ({
      name: Object.entries(settings).join(' '),
      probabilities,
      zeros,
      settings,
    })),
  )(
    'gives the same probabilities and leaves out as many columns with $name',
    ({ probabilities, zeros, settings }) => {
      const isBinary = probabilities.length === 2 * goldens.category.length;
      const table = tableOf(isBinary ? goldens.y_binary : goldens.y_multiclass);
      const hyperparameters = { ...settings, tol: 1e-10 };
      const model = fitted(table, 'classification', 'logistic_regression', hyperparameters);
      // Newton against SAGA, both at a subgradient of about 1e-10 of a strictly convex problem whose curvature along
      // the least certain direction is about 1e-3.
      expect(largestDifference(model.predict(table).probabilities!, probabilities)).toBeLessThan(1e-7);
      if (settings.penalty !== 'l1' || isBinary) {
        expect(model.linear.weights.filter((weight) => weight === 0).length).toBe(zeros);
      }
    },
  );
});
