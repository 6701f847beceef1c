import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldsOf } from '../../../../src/ml/model-selection/folds.ts';
import type { Fold, Splitter } from '../../../../src/ml/model-selection/splitter.ts';
import { categoryColumn, createTable, type Table } from '../../../../src/ml/table.ts';

const LETTERS = ['a', 'b', 'c', 'd'];

/** A target of letters, a group per row and a time in no order. */
const tables = fc
  .array(
    fc.tuple(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 11 }),
      fc.integer({ min: 0, max: 99 }),
    ),
    {
      minLength: 12,
      maxLength: 90,
    },
  )
  .map((rows) =>
    createTable([
      categoryColumn(
        'y',
        rows.map(([letter]) => LETTERS[letter]!),
      ),
      { name: 'group', type: 'number', values: Float64Array.from(rows, ([, group]) => group) },
      { name: 'time', type: 'date', values: Float64Array.from(rows, ([, , time]) => time) },
    ]),
  );
const splits = fc.integer({ min: 2, max: 5 });
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

function valuesOf(table: Table, name: string): ArrayLike<number> {
  const column = table.columns.find((one) => one.name === name)!;
  return column.type === 'category' ? column.codes : column.values;
}

function expectEachTestedOnce(folds: readonly Fold[], nRows: number): void {
  const tested = folds.flatMap(({ test }) => Array.from(test)).sort((a, b) => a - b);
  expect(tested).toEqual(Array.from({ length: nRows }, (_, row) => row));
  for (const { train, test } of folds) {
    expect(train.length + test.length).toBe(nRows);
    expect(new Set([...train, ...test]).size).toBe(nRows);
    expect(test.length).toBeGreaterThan(0);
  }
}

const groupsOf = (table: Table) => new Set(Array.from(valuesOf(table, 'group')));

describe('k-fold', () => {
  it('tests every row once, in parts that differ by one row at most', () => {
    fc.assert(
      fc.property(tables, splits, seeds, (table, nSplits, randomState) => {
        const folds = foldsOf(table, 'y', { kind: 'kfold', nSplits, randomState });
        expectEachTestedOnce(folds, table.nRows);
        const sizes = folds.map(({ test }) => test.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it('repeats with other folds each time', () => {
    const table = createTable([{ name: 'y', type: 'number', values: new Float64Array(40) }]);
    const folds = foldsOf(table, 'y', { kind: 'kfold', nSplits: 4, nRepeats: 3, randomState: 1 });
    expect(folds).toHaveLength(12);
    for (const repeat of [0, 4, 8]) expectEachTestedOnce(folds.slice(repeat, repeat + 4), 40);
    expect(folds[0]).not.toEqual(folds[4]);
  });
});

describe('stratified k-fold', () => {
  it('has in every part of every class as many rows as in the others, but for one', () => {
    fc.assert(
      fc.property(tables, splits, seeds, (table, nSplits, randomState) => {
        const folds = foldsOf(table, 'y', { kind: 'stratified', nSplits, randomState });
        expectEachTestedOnce(folds, table.nRows);
        const classes = valuesOf(table, 'y');
        for (let letter = 0; letter < LETTERS.length; letter++) {
          const counts = folds.map(({ test }) => test.filter((row) => classes[row] === letter).length);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 100, seed: 2 },
    );
  });
});

describe.each(['group', 'stratified_group'] as const)('%s k-fold', (kind) => {
  it('has no group in both parts, and tests every row once', () => {
    fc.assert(
      fc.property(tables, seeds, (table, randomState) => {
        fc.pre(groupsOf(table).size >= 3);
        const folds = foldsOf(table, 'y', { kind, nSplits: 3, groupColumn: 'group', randomState });
        expectEachTestedOnce(folds, table.nRows);
        const groups = valuesOf(table, 'group');
        for (const { train, test } of folds) {
          const trained = new Set(Array.from(train, (row) => groups[row]));
          for (const row of test) expect(trained.has(groups[row])).toBe(false);
        }
      }),
      { numRuns: 100, seed: 3 },
    );
  });

  it('says when there are fewer groups than folds, and which column is none', () => {
    const table = createTable([
      categoryColumn('y', ['a', 'b', 'a', 'b']),
      { name: 'group', type: 'number', values: Float64Array.of(1, 1, 2, Number.NaN) },
    ]);
    expect(() =>
      foldsOf(table, 'y', { kind, nSplits: 4, groupColumn: 'group', randomState: 1 }),
    ).toThrowError(
      expect.objectContaining({ code: 'TOO_FEW_GROUPS', message: expect.stringContaining('n_groups=3') }),
    );
    expect(() =>
      foldsOf(table, 'y', { kind, nSplits: 2, groupColumn: 'grupo', randomState: 1 }),
    ).toThrowError(
      expect.objectContaining({ code: 'COLUMN_NOT_FOUND', message: expect.stringContaining('"grupo"') }),
    );
  });
});

describe('group k-fold', () => {
  it('spreads the rows as evenly as its groups allow', () => {
    const groups = [...'aaaaaabbbbbcccccdde'];
    const table = createTable([categoryColumn('group', groups)]);
    const splitter = { kind: 'group', nSplits: 3, groupColumn: 'group', randomState: 1 } as const;
    const sizes = foldsOf(table, 'group', splitter).map(({ test }) => test.length);
    expect(sizes.sort()).toEqual([6, 6, 7]);
  });
});

describe('stratified group k-fold', () => {
  it('keeps a rare class from falling into one part', () => {
    // 12 groups of 10 rows; each of the first 6 has 5 rows of the rare class.
    const groups = Array.from({ length: 120 }, (_, row) => `g${Math.floor(row / 10)}`);
    const classes = Array.from({ length: 120 }, (_, row) => (row < 60 && row % 10 < 5 ? 'rare' : 'common'));
    const table = createTable([categoryColumn('y', classes), categoryColumn('group', groups)]);
    const folds = foldsOf(table, 'y', {
      kind: 'stratified_group',
      nSplits: 3,
      groupColumn: 'group',
      randomState: 5,
    });
    const rare = folds.map(({ test }) => Array.from(test).filter((row) => classes[row] === 'rare').length);
    expect(rare).toEqual([10, 10, 10]);
  });
});

describe('time-ordered folds', () => {
  it('have no future in the train part, and test the last rows in order, each once', () => {
    fc.assert(
      fc.property(tables, splits, fc.integer({ min: 0, max: 2 }), (table, nSplits, gap) => {
        const folds = foldsOf(table, 'y', { kind: 'time', nSplits, timeColumn: 'time', gap });
        const times = valuesOf(table, 'time');
        const tested = folds.flatMap(({ test }) => Array.from(test));
        expect(new Set(tested).size).toBe(tested.length);
        expect(tested.length).toBe(nSplits * Math.floor(table.nRows / (nSplits + 1)));
        for (const { train, test } of folds) {
          const newest = Math.max(...Array.from(train, (row) => times[row]!));
          const oldest = Math.min(...Array.from(test, (row) => times[row]!));
          expect(newest).toBeLessThanOrEqual(oldest);
        }
        // The window expands.
        expect(folds.map(({ train }) => train.length)).toEqual(
          folds.map((_, i) => folds[0]!.train.length + i * folds[0]!.test.length),
        );
      }),
      { numRuns: 100, seed: 4 },
    );
  });

  it('are those of scikit-learn, with gap, longest train part and test size', () => {
    const table = createTable([{ name: 'y', type: 'number', values: new Float64Array(12) }]);
    const shown = (options: object) =>
      foldsOf(table, 'y', { kind: 'time', nSplits: 3, ...options }).map(({ train, test }) => [
        Array.from(train).join(' '),
        Array.from(test).join(' '),
      ]);
    // TimeSeriesSplit(n_splits=3) of 12 rows, and with gap=1, max_train_size=2, test_size=2.
    expect(shown({})).toEqual([
      ['0 1 2', '3 4 5'],
      ['0 1 2 3 4 5', '6 7 8'],
      ['0 1 2 3 4 5 6 7 8', '9 10 11'],
    ]);
    expect(shown({ gap: 1, maxTrainSize: 2, testSize: 2 })).toEqual([
      ['3 4', '6 7'],
      ['5 6', '8 9'],
      ['7 8', '10 11'],
    ]);
  });

  it('are refused without rows before the gap, over text, and over missing times', () => {
    const table = createTable([
      { name: 'y', type: 'number', values: new Float64Array(6) },
      { name: 'when', type: 'date', values: Float64Array.of(1, 2, Number.NaN, 4, 5, 6) },
      categoryColumn('text', [...'abcdef']),
    ]);
    const attempt = (options: object) => () => foldsOf(table, 'y', { kind: 'time', nSplits: 2, ...options });
    const code = (name: string) => expect.objectContaining({ code: name });
    expect(attempt({ gap: 2 })).toThrowError(code('INSUFFICIENT_SAMPLES'));
    expect(attempt({ timeColumn: 'text' })).toThrowError(code('TIME_NOT_ORDERED'));
    expect(attempt({ timeColumn: 'when' })).toThrowError(code('TIME_MISSING'));
    expect(attempt({ gap: -1 })).toThrowError(code('VALIDATION_FAILED'));
  });
});

describe('shuffled holdouts', () => {
  it('have the asked share, in proportion to the classes when asked, each drawn anew', () => {
    const classes = Array.from({ length: 100 }, (_, row) => (row < 20 ? 'rare' : 'common'));
    const table = createTable([categoryColumn('y', classes)]);
    const splitter: Splitter = {
      kind: 'shuffle',
      nSplits: 4,
      testSize: 0.25,
      randomState: 1,
      isStratified: true,
    };
    const folds = foldsOf(table, 'y', splitter);
    for (const { train, test } of folds) {
      expect([train.length, test.length]).toEqual([75, 25]);
      expect(Array.from(test).filter((row) => classes[row] === 'rare')).toHaveLength(5);
      expect(new Set([...train, ...test]).size).toBe(100);
    }
    expect(new Set(folds.map(({ test }) => test.join())).size).toBe(4);
  });
});

describe('every splitter', () => {
  const table = createTable([
    categoryColumn(
      'y',
      Array.from({ length: 60 }, (_, row) => LETTERS[row % 3]!),
    ),
    { name: 'group', type: 'number', values: Float64Array.from({ length: 60 }, (_, row) => row % 12) },
  ]);
  const common = { nSplits: 3, randomState: 7 };
  it.each<Splitter>([
    { kind: 'kfold', ...common },
    { kind: 'stratified', ...common },
    { kind: 'group', groupColumn: 'group', ...common },
    { kind: 'stratified_group', groupColumn: 'group', ...common },
    { kind: 'shuffle', testSize: 0.2, ...common },
  ])('gives the same folds for the same seed and others for another: $kind', (splitter) => {
    expect(foldsOf(table, 'y', splitter)).toEqual(foldsOf(table, 'y', splitter));
    expect(foldsOf(table, 'y', splitter)).not.toEqual(
      foldsOf(table, 'y', { ...splitter, randomState: 8 } as Splitter),
    );
  });

  it.each([0, 1, 2.5, 101, Number.NaN])('refuses %d splits', (nSplits) => {
    expect(() => foldsOf(table, 'y', { kind: 'kfold', nSplits, randomState: 1 })).toThrowError(/n_splits=/);
  });

  it('says when there are fewer rows than folds', () => {
    const two = createTable([{ name: 'y', type: 'number', values: new Float64Array(2) }]);
    expect(() => foldsOf(two, 'y', { kind: 'kfold', nSplits: 3, randomState: 1 })).toThrowError(
      expect.objectContaining({ code: 'INSUFFICIENT_SAMPLES' }),
    );
  });
});
