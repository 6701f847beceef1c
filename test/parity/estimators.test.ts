import { describe, expect, it } from 'vitest';
import { fitPipeline, type Predictions, type Task } from '../../src/ml/pipeline.ts';
import { type Column, categoryColumn, createTable } from '../../src/ml/table.ts';
import goldens from './goldens/estimators.json' with { type: 'json' };

function numbers(rows: readonly (readonly (number | null)[])[]): Column[] {
  return rows[0]!.map((_, j) => ({
    name: `x${j}`,
    type: 'number',
    values: Float64Array.from(rows, (row) => row[j] ?? Number.NaN),
  }));
}

function trained(
  columns: Column[],
  y: number[],
  task: Task,
  algorithm: string,
  hyperparameters: object,
): Predictions {
  const table = createTable([...columns, { name: 'y', type: 'number', values: Float64Array.from(y) }]);
  const spec = { task, target: 'y', algorithm, hyperparameters: { ...hyperparameters }, randomState: 0 };
  const result = fitPipeline(table, spec);
  if (!result.done) throw new Error('paused without being asked');
  return result.model.predict(table);
}

function largestDifference(actual: Float64Array, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return expected.reduce((largest, value, i) => Math.max(largest, Math.abs(actual[i]! - value)), 0);
}

describe(`linear models of scikit-learn ${goldens.version}`, () => {
  const columns = [...numbers(goldens.X), categoryColumn('category', goldens.category.map(String))];

  it('ridge predicts the same', () => {
    const { values } = trained(columns, goldens.y_regression, 'regression', 'ridge', {
      alpha: goldens.ridge.alpha,
    });
    // Both solve the same normal equations exactly but for rounding.
    expect(largestDifference(values!, goldens.ridge.predictions)).toBeLessThan(1e-8);
  });

  it.each([
    ['two classes', goldens.y_binary, goldens.logistic_binary, {}],
    ['three classes', goldens.y_multiclass, goldens.logistic_multiclass, {}],
    ['balanced class weights', goldens.y_binary, goldens.logistic_balanced, { class_weight: 'balanced' }],
  ] as const)('logistic regression gives the same probabilities with %s', (_, y, golden, extra) => {
    const hyperparameters = { C: golden.C, tol: 1e-9, ...extra };
    const { probabilities } = trained(
      columns,
      [...y],
      'classification',
      'logistic_regression',
      hyperparameters,
    );
    // Two iterative solvers of a strictly convex problem, each stopped near its rounding limit.
    expect(largestDifference(probabilities!, golden.probabilities)).toBeLessThan(1e-5);
  });
});

describe(`histogram gradient boosting of scikit-learn ${goldens.version}`, () => {
  const columns = numbers(goldens.X_missing);

  /** Their histograms hold float32 sums, so that a near tie may fall to another cut: most rows agree, none is far. */
  function expectNearlyAll(actual: Float64Array, expected: readonly number[], unit: number): void {
    const close = expected.filter((value, i) => Math.abs(actual[i]! - value) < 1e-3 * unit).length;
    expect(close / expected.length).toBeGreaterThan(0.9);
    expect(largestDifference(actual, expected)).toBeLessThan(0.2 * unit);
  }

  it('predicts the same for regression', () => {
    const { values } = trained(
      columns,
      goldens.y_regression,
      'regression',
      'gradient_boosting',
      goldens.boosting_settings,
    );
    expectNearlyAll(values!, goldens.boosting_regression, 5);
  });

  it.each([
    ['two classes', goldens.y_binary, goldens.boosting_binary],
    ['three classes', goldens.y_multiclass, goldens.boosting_multiclass],
  ] as const)('gives the same probabilities with %s', (_, y, expected) => {
    const { probabilities } = trained(
      columns,
      [...y],
      'classification',
      'gradient_boosting',
      goldens.boosting_settings,
    );
    expectNearlyAll(probabilities!, expected, 1);
  });
});
