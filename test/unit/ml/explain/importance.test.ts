import { describe, expect, it } from 'vitest';
import { importanceOf } from '../../../../src/ml/explain/explain.ts';
import { permutationImportance } from '../../../../src/ml/explain/permutation-importance.ts';
import { treeImportance } from '../../../../src/ml/explain/tree-importance.ts';
import { fitPipeline, type PipelineModel } from '../../../../src/ml/pipeline.ts';
import { createTable } from '../../../../src/ml/table.ts';
import { TreeEnsembleBuilder } from '../../../../src/ml/tree/tree.ts';
import { randomTable } from '../support/random-table.ts';

function fitted(target: 'numeric' | 'multiclass', algorithm: string): PipelineModel {
  const task = target === 'numeric' ? 'regression' : 'classification';
  const spec = { task, target: 'y', algorithm, hyperparameters: {}, randomState: 1 } as const;
  const result = fitPipeline(randomTable({ target }), spec);
  if (!result.done) throw new Error('paused');
  return result.model;
}

describe('importance by trees', () => {
  it('adds up gain and splits of the columns of a feature', () => {
    const builder = new TreeEnsembleBuilder();
    builder.beginTree();
    const leaves = Array.from({ length: 7 }, () => builder.addLeaf(0, 1));
    const split = (node: number, feature: number, gain: number) =>
      builder.split(leaves[node]!, {
        feature,
        test: 1,
        missingLeft: false,
        left: leaves[2 * node + 1]!,
        right: leaves[2 * node + 2]!,
        gain,
      });
    split(0, 2, 8);
    split(1, 0, 4);
    split(2, 1, 2);
    const { gain, splits } = treeImportance(builder.build(), [1, 1, 0], 3);
    expect([...gain]).toEqual([8, 6, 0]);
    expect([...splits]).toEqual([1, 2, 0]);
  });

  it.each(['gradient_boosting', 'random_forest'])('is a number where targets are huge: %s', (algorithm) => {
    const x = Float64Array.from({ length: 500 }, (_, i) => i % 20);
    const train = createTable([
      { name: 'x', type: 'number', values: x },
      { name: 'y', type: 'number', values: x.map((value) => value * 1e30) },
    ]);
    const spec = { task: 'regression', target: 'y', algorithm, hyperparameters: {}, randomState: 1 } as const;
    const result = fitPipeline(train, spec);
    if (!result.done) throw new Error('paused');
    const [gain] = importanceOf(result.model).gain;
    expect(Number.isFinite(gain)).toBe(true);
    expect(gain).toBeGreaterThan(0);
  });
});

describe('permutation importance', () => {
  const table = randomTable({ target: 'numeric', seed: 8 });

  it('ranks the features that the target is made of before those that say nothing', () => {
    const model = fitted('numeric', 'ridge');
    const { metric, score, features } = permutationImportance(model, table, { randomState: 3 });
    expect(metric).toBe('rmse');
    expect(score).toBeGreaterThan(0);
    const by = (name: string) => features.find((one) => one.feature === name)!;
    expect(by('small').mean).toBeGreaterThan(by('flag').mean);
    expect(by('flag').mean).toBeGreaterThan(0);
    expect(by('small').std).toBeGreaterThan(0);
    expect(by('constant')).toEqual({ feature: 'constant', mean: 0, std: 0, repeats: [0, 0, 0, 0, 0] });
    expect(by('never').mean).toBe(0);
  });

  it('is the same for the same seed and another one for another', () => {
    const model = fitted('multiclass', 'logistic_regression');
    const rows = randomTable({ target: 'multiclass', seed: 8, nRows: 200 });
    const importance = (randomState: number) =>
      permutationImportance(model, rows, { metric: 'accuracy', nRepeats: 2, randomState });
    expect(importance(1)).toEqual(importance(1));
    expect(importance(1)).not.toEqual(importance(2));
  });

  it('leaves out rows without a target and the table as it was', () => {
    const model = fitted('numeric', 'ridge');
    const copy = structuredClone(table);
    const y = table.columns.find((column) => column.name === 'y')! as { values: Float64Array };
    const gaps = createTable([
      ...table.columns.filter((column) => column.name !== 'y'),
      {
        name: 'y',
        type: 'number',
        values: y.values.map((value, row) => (row % 2 === 0 ? value : Number.NaN)),
      },
    ]);
    expect(permutationImportance(model, gaps, { randomState: 1 }).score).toBeGreaterThan(0);
    permutationImportance(model, table, { randomState: 1 });
    expect(table).toEqual(copy);
  });

  it('names the metrics when there is no such metric, and says that it needs targets', () => {
    const model = fitted('numeric', 'ridge');
    const ask = (metric: string) => () => permutationImportance(model, table, { metric, randomState: 1 });
    expect(ask('roc_auc')).toThrow(/"roc_auc" does not exist .* rmse/);
    expect(ask('n_samples')).toThrow(expect.objectContaining({ code: 'UNKNOWN_METRIC' }));
    const without = createTable(table.columns.filter((column) => column.name !== 'y'));
    expect(() => permutationImportance(model, without, { randomState: 1 })).toThrow(
      expect.objectContaining({ code: 'EXPLANATION_NEEDS_ROWS' }),
    );
  });
});
