/** Fields of XGBoost's models that say what cannot be, or what ours cannot do. */
import { describe, expect, it } from 'vitest';
import type { ImportOptions } from '../../../../../src/ml/tree/import/imported-model.ts';
import { importXgboost } from '../../../../../src/ml/tree/import/xgboost.ts';

interface Tree {
  [field: string]: unknown;
}

/** One split of feature 0 at 0.5, and two leaves. */
function tree(changes: Tree = {}): Tree {
  return {
    left_children: [1, -1, -1],
    right_children: [2, -1, -1],
    split_conditions: [0.5, -1, 1],
    split_indices: [0, 0, 0],
    default_left: [1, 0, 0],
    sum_hessian: [4, 2, 2],
    loss_changes: [3, 0, 0],
    split_type: [0, 0, 0],
    categories: [],
    categories_nodes: [],
    categories_sizes: [],
    categories_segments: [],
    tree_param: { num_nodes: '3', size_leaf_vector: '0' },
    ...changes,
  };
}

function model(
  changes: { learner?: object; param?: object; objective?: string; trees?: Tree[]; info?: unknown } = {},
) {
  const trees = changes.trees ?? [tree()];
  return {
    learner: {
      feature_names: ['a', 'b'],
      feature_types: ['float', 'float'],
      gradient_booster: { name: 'gbtree', model: { trees, tree_info: changes.info ?? trees.map(() => 0) } },
      learner_model_param: { base_score: '5E-1', num_class: '0', num_feature: '2', ...changes.param },
      objective: { name: changes.objective ?? 'reg:squarederror' },
      ...changes.learner,
    },
    version: [1, 7, 4],
  };
}

function read(json: unknown, options?: ImportOptions) {
  return importXgboost(new TextEncoder().encode(JSON.stringify(json)), options);
}

const set = (changes: Tree = {}): Tree =>
  tree({
    split_type: [1, 0, 0],
    categories: [1],
    categories_nodes: [0],
    categories_sizes: [1],
    categories_segments: [0],
    ...changes,
  });
const categories = { a: ['x', 'y', 'z'] };

describe('a field of an XGBoost model', () => {
  it('is no obstacle in the model that the others are made from', () => {
    expect(read(model()).features.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(read(model({ trees: [set()] }), { categories }).features[0]!.categories).toEqual(['x', 'y', 'z']);
  });

  it.each<[string, unknown]>([
    ['a list for the model', []],
    ['null', null],
    ['no learner', {}],
    ['no objective', model({ learner: { objective: undefined } })],
    ['an objective of JavaScript', model({ learner: { objective: { name: 7 } } })],
    ['too many features', model({ param: { num_feature: '4000000000' } })],
    ['fewer features than names', model({ param: { num_feature: '1' } })],
    ['a feature twice', model({ learner: { feature_names: ['a', 'a'] } })],
    ['a feature without text', model({ learner: { feature_names: ['a', 1] } })],
    ['a base score that is no number', model({ param: { base_score: 'much' } })],
    ['a base score beyond probability', model({ objective: 'binary:logistic', param: { base_score: '2' } })],
    ['a base score for each of three', model({ param: { base_score: '[1,2,3]' } })],
    ['too many classes', model({ objective: 'multi:softprob', param: { num_class: '1000000000' } })],
    ['classes of a regression', model({ param: { num_class: '3' } })],
    ['one class', model({ objective: 'multi:softprob', param: { num_class: '1' } })],
    ['a tree of no class', model({ info: [1] })],
    ['classes with other numbers of trees', model({ objective: 'multi:softmax', param: { num_class: '3' } })],
    ['a tree without lists', model({ trees: [{}] })],
    ['a tree that is null', model({ trees: [null as unknown as Tree] })],
    ['a tree without nodes', model({ trees: [tree({ left_children: [] })] })],
    ['lists of other lengths', model({ trees: [tree({ sum_hessian: [1] })] })],
    ['a split of no feature', model({ trees: [tree({ split_indices: [2, 0, 0] })] })],
    ['a threshold of null', model({ trees: [tree({ split_conditions: [null, 0, 0] })] })],
    ['a threshold beyond float32', model({ trees: [tree({ split_conditions: [1e39, 0, 0] })] })],
    ['a leaf of text', model({ trees: [tree({ split_conditions: [0, 'x', 0] })] })],
    ['a direction that is neither', model({ trees: [tree({ default_left: [2, 0, 0] })] })],
    ['children that are the root', model({ trees: [tree({ left_children: [0, -1, -1] })] })],
    ['a node that tests a set without one', model({ trees: [tree({ split_type: [1, 0, 0] })] })],
    ['a set for a threshold', model({ trees: [set({ split_type: [0, 0, 0] })] })],
    ['sets of more than all codes', model({ trees: [set({ categories_sizes: [9] })] })],
    [
      'sets of the same codes',
      model({ trees: [set({ categories_nodes: [0, 1], categories_sizes: [1, 1] })] }),
    ],
    ['a set without codes', model({ trees: [set({ categories_sizes: [0] })] })],
    ['a code below 0', model({ trees: [set({ categories: [-1] })] })],
    ['a feature of both kinds', model({ trees: [set(), tree()], info: [0, 0] })],
  ])('is not read: %s', (_, json) => {
    expect(() => read(json, { categories })).toThrow(expect.objectContaining({ code: 'MODEL_NOT_READABLE' }));
  });

  it.each<[string, unknown, string]>([
    ['survival', model({ objective: 'survival:cox' }), 'UNSUPPORTED_OBJECTIVE'],
    ['a name that every object has', model({ objective: 'toString' }), 'UNSUPPORTED_OBJECTIVE'],
    ['gblinear', model({ learner: { gradient_booster: { name: 'gblinear' } } }), 'UNSUPPORTED_MODEL'],
    ['two targets', model({ param: { num_target: '2' } }), 'UNSUPPORTED_MODEL'],
    [
      'leaves of three values',
      model({ trees: [tree({ tree_param: { size_leaf_vector: '3' } })] }),
      'UNSUPPORTED_MODEL',
    ],
    ['a category without a name', model({ trees: [set({ categories: [3] })] }), 'UNSUPPORTED_MODEL'],
  ])('is read and not supported: %s', (_, json, code) => {
    expect(() => read(json, { categories })).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['neither JSON nor UBJSON', 'binf\0\0'],
    ['cut off', '{"learner": {'],
    ['no bytes', ''],
    ['a brace', '{'],
    ['of a million levels', `{"learner":${'['.repeat(1e6)}${']'.repeat(1e6)}}`],
  ])('is not there: what is %s', (_, text) => {
    const bytes = new TextEncoder().encode(text);
    expect(() => importXgboost(bytes)).toThrow(expect.objectContaining({ code: 'MODEL_NOT_READABLE' }));
  });

  it.each<[string, ImportOptions]>([
    ['labels for other classes', { classes: ['only one'] }],
    ['labels that go down', { classes: ['z', 'a'] }],
    ['labels of two types', { classes: [0, 'a'] }],
    ['a target that is a feature', { target: 'a' }],
  ])('does not go with options: %s', (_, options) => {
    expect(() => read(model({ objective: 'binary:logistic' }), options)).toThrow(
      expect.objectContaining({ code: 'VALIDATION_FAILED' }),
    );
  });

  it('may be NaN or infinite where nobody looks, also inside a name', () => {
    const text = JSON.stringify(model({ learner: { feature_names: ['NaN "x" \\', '-inf'] } })).replace(
      '"version"',
      '"spare":[NaN,-Infinity,nan,-inf,Infinity],"version"',
    );
    const names = importXgboost(new TextEncoder().encode(text)).features.map(({ name }) => name);
    expect(names).toEqual(['NaN "x" \\', '-inf']);
  });

  it('named as what every object has is an ordinary feature', () => {
    const json = model({ learner: { feature_names: ['__proto__', 'constructor'] } });
    expect(read(json).features.map(({ name }) => name)).toEqual(['__proto__', 'constructor']);
  });
});
