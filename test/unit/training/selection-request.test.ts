import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../../src/contracts/datasets.ts';
import { ModelTrainingRequest } from '../../../src/contracts/training.ts';
import {
  candidatesOf,
  checkSelection,
  foldColumns,
  selects,
  splitterOf,
  unlearntColumns,
} from '../../../src/training/selection-request.ts';
import { datasetId, sampleDataset } from '../../support/samples.ts';

const columns: Dataset['columns'] = [
  { name: 'age', type: 'number', n_missing: 0, n_distinct: 50 },
  { name: 'shop', type: 'category', n_missing: 0, n_distinct: 5 },
  { name: 'day', type: 'date', n_missing: 0, n_distinct: 50 },
  { name: 'income', type: 'category', n_missing: 0, n_distinct: 2 },
];
const dataset = sampleDataset({ columns, n_columns: 4 });
const requestOf = (over: object): ModelTrainingRequest =>
  ModelTrainingRequest.parse({ model_name: 'm', dataset_id: datasetId(), target: 'income', ...over });

describe('what a request asks to choose from', () => {
  it('is nothing without auto, a search or cross-validation', () => {
    expect(selects(requestOf({}))).toBe(false);
    for (const over of [{ algorithm: 'auto' }, { search: { method: 'random' } }, { cross_validation: {} }]) {
      expect(selects(requestOf(over))).toBe(true);
    }
  });

  it('is the race of auto, a search, or the one that is cross-validated', () => {
    const ofAuto = candidatesOf(requestOf({ algorithm: 'auto' }), 'classification');
    expect(ofAuto.map(({ role }) => role)).toEqual(expect.arrayContaining(['naive', 'linear', 'candidate']));
    const search = { method: 'random', n_candidates: 7 };
    const hyperparameters = { n_estimators: 9 };
    const searched = candidatesOf(requestOf({ search, hyperparameters }), 'classification');
    expect(searched).toHaveLength(7);
    expect(searched.every((one) => one.hyperparameters.n_estimators === 9)).toBe(true);
    expect(candidatesOf(requestOf({ algorithm: 'ridge', cross_validation: {} }), 'regression')).toEqual([
      expect.objectContaining({ algorithm: 'ridge', role: 'linear', hyperparameters: {} }),
    ]);
  });

  it('draws the same candidates for the same seed', () => {
    const of = (random_state: number) =>
      candidatesOf(requestOf({ search: { method: 'random' }, random_state }), 'classification');
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });
});

describe('the folds of a request', () => {
  it.each([
    [{}, 'classification', { kind: 'stratified', nSplits: 5, randomState: 42 }],
    [{}, 'regression', { kind: 'kfold', nSplits: 5, randomState: 42 }],
    [{ folds: 3, kind: 'kfold' }, 'classification', { kind: 'kfold', nSplits: 3, randomState: 42 }],
    [
      { kind: 'group', group_column: 'shop' },
      'regression',
      { kind: 'group', nSplits: 5, randomState: 42, groupColumn: 'shop' },
    ],
    [{ kind: 'time', time_column: 'day' }, 'regression', { kind: 'time', nSplits: 5, timeColumn: 'day' }],
    [{ kind: 'time' }, 'regression', { kind: 'time', nSplits: 5 }],
  ] as const)('are for %j and %s: %j', (cross_validation, task, splitter) => {
    expect(splitterOf(requestOf({ cross_validation }), task, 100)).toEqual(splitter);
  });

  it('are one holdout for many rows when nothing is said of them', () => {
    const auto = requestOf({ algorithm: 'auto' });
    expect(splitterOf(auto, 'classification', 50_001)).toMatchObject({ kind: 'shuffle', nSplits: 1 });
    expect(
      splitterOf(requestOf({ algorithm: 'auto', cross_validation: {} }), 'classification', 50_001),
    ).toMatchObject({
      kind: 'stratified',
    });
  });

  it.each([
    [{ cross_validation: { kind: 'group', group_column: 'shop' } }, ['shop'], ['shop']],
    [{ cross_validation: { kind: 'group', group_column: 'shop' }, features: ['shop', 'age'] }, ['shop'], []],
    [{ cross_validation: { kind: 'time', time_column: 'day' } }, ['day'], []],
    [{ cross_validation: { kind: 'time', time_column: 'day' }, features: ['age'] }, ['day'], ['day']],
    [{ cross_validation: { kind: 'kfold' } }, [], []],
    [{}, [], []],
  ])('of %j need the columns %j, and do not learn from %j', (over, needed, unlearnt) => {
    const request = requestOf(over);
    expect([foldColumns(request), unlearntColumns(request)]).toEqual([needed, unlearnt]);
  });
});

describe('a request that cannot be meant', () => {
  it.each<[string, object, string]>([
    ['auto with a search', { algorithm: 'auto', search: { method: 'grid' } }, '/search'],
    ['auto with hyperparameters', { algorithm: 'auto', hyperparameters: { C: 1 } }, '/hyperparameters'],
    ['groups without a column', { cross_validation: { kind: 'group' } }, '/cross_validation/group_column'],
    [
      'a group column that is none',
      { cross_validation: { kind: 'group', group_column: 'shops' } },
      '/cross_validation/group_column',
    ],
    [
      'groups by the target',
      { cross_validation: { kind: 'group', group_column: 'income' } },
      '/cross_validation/group_column',
    ],
    [
      'a group column without groups',
      { cross_validation: { kind: 'kfold', group_column: 'shop' } },
      '/cross_validation/group_column',
    ],
    [
      'a time of text',
      { cross_validation: { kind: 'time', time_column: 'shop' } },
      '/cross_validation/time_column',
    ],
  ])('is refused with its place: %s', (_, over, pointer) => {
    expect(() => checkSelection(requestOf(over), 'classification', dataset)).toThrowError(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        errors: [expect.objectContaining({ pointer })],
      }),
    );
  });

  it('is refused: classes in proportion for a regression', () => {
    const request = requestOf({ cross_validation: { kind: 'stratified' } });
    expect(() => checkSelection(request, 'regression', dataset)).toThrowError(/needs classes/);
    expect(() => checkSelection(request, 'classification', dataset)).not.toThrow();
  });

  it.each([
    [{ method: 'grid', n_candidates: 2 }, 'GRID_TOO_LARGE'],
    [{ method: 'random', space: { n_trees: { type: 'int', low: 1, high: 2 } } }, 'UNKNOWN_HYPERPARAMETER'],
    [
      { method: 'random', space: { learning_rate: { type: 'uniform', low: 1, high: 0.5 } } },
      'INVALID_SEARCH_SPACE',
    ],
  ])('is refused: the search %j, with %s', (search, code) => {
    expect(() => checkSelection(requestOf({ search }), 'classification', dataset)).toThrowError(
      expect.objectContaining({ code }),
    );
  });
});
