/** What tests of whole models share: fit to the end, predictions as one list, and the graph's beside them. */
import { expect } from 'vitest';
import { algorithmNamed, algorithms } from '../../../../src/ml/algorithms.ts';
import {
  fitPipeline,
  type PipelineModel,
  type PipelineSpec,
  type Task,
} from '../../../../src/ml/pipeline.ts';
import { type Column, createTable, type Table } from '../../../../src/ml/table.ts';
import { runOnnx } from '../../../parity/onnx-session.ts';

/** Every algorithm with every task that it has. */
export const everyAlgorithm: readonly { readonly algorithm: string; readonly task: Task }[] =
  algorithms.flatMap(({ name, tasks }) => tasks.map((task) => ({ algorithm: name, task })));

export const everyClassifier = everyAlgorithm.filter(({ task }) => task === 'classification');

export const everyRegressor = everyAlgorithm.filter(({ task }) => task === 'regression');

export function fitted(
  train: Table,
  spec: Pick<PipelineSpec, 'algorithm' | 'task'> & Partial<PipelineSpec>,
): PipelineModel {
  const result = fitPipeline(train, { target: 'y', hyperparameters: {}, randomState: 1, ...spec });
  if (!result.done) throw new Error('paused without being asked');
  return result.model;
}

/** Hyperparameters that make the fit of a tree learner short, and none for the others. */
export function fewTrees(algorithm: string, nTrees = 5): Record<string, unknown> {
  return has(algorithm, 'n_estimators') ? { n_estimators: nTrees } : {};
}

export function has(algorithm: string, hyperparameter: string): boolean {
  return algorithmNamed(algorithm).hyperparameters.some(({ name }) => name === hyperparameter);
}

/** Values, or probabilities row by row. */
export function outputsOf(model: PipelineModel, table: Table): number[] {
  const { values, probabilities } = model.predict(table);
  return Array.from((values ?? probabilities)!);
}

export async function expectGraphAgrees(model: PipelineModel, table: Table): Promise<void> {
  const outputs = await runOnnx(model, table);
  const actual = (outputs.prediction ?? outputs.probabilities)!.data as Float32Array;
  const expected = outputsOf(model, table);
  // The tolerance that is promised for every model: relative 1e-5 plus absolute 1e-6.
  const wrong = expected.flatMap((value, i) =>
    Math.abs(actual[i]! - value) <= 1e-5 * Math.abs(value) + 1e-6 ? [] : [`${i}: ${value} ≠ ${actual[i]}`],
  );
  expect(wrong).toEqual([]);
  expect(actual.length).toBe(expected.length);
}

export function largestDifference(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}

export function meanDifference(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
}

export function numberColumn(name: string, values: Iterable<number>): Column & { type: 'number' } {
  return { name, type: 'number', values: Float64Array.from(values) };
}

/** The table with some of its columns changed. */
export function mapColumns(table: Table, change: (column: Column) => Column): Table {
  return createTable(table.columns.map(change));
}
