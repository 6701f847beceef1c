import { describe, expect, it } from 'vitest';
import { type Column, categoryColumn, createTable, type NumericColumn } from '../../../src/ml/table.ts';
import { checkTrainable } from '../../../src/ml/training-checks.ts';

const nRows = 120;
const numbers = (name: string, value: (i: number) => number): NumericColumn => ({
  name,
  type: 'number',
  values: Float64Array.from({ length: nRows }, (_, i) => value(i)),
});
const x = numbers('x', (i) => i);

function codeOf(
  columns: Column[],
  requirements: Partial<Parameters<typeof checkTrainable>[1]>,
): [string, string] {
  try {
    checkTrainable(createTable(columns), {
      task: 'regression',
      target: 'y',
      minSamples: 100,
      ...requirements,
    });
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return [code, message];
  }
  return ['passed', ''];
}

describe('checkTrainable', () => {
  it('passes a table that can be learnt from', () => {
    expect(codeOf([x, numbers('y', (i) => i % 7)], {})[0]).toBe('passed');
    expect(
      codeOf(
        [
          x,
          categoryColumn(
            'y',
            Array.from({ length: nRows }, (_, i) => `${i % 3}`),
          ),
        ],
        { task: 'classification' },
      )[0],
    ).toBe('passed');
  });

  it('lists the columns when the target is none of them', () => {
    const [code, message] = codeOf([x, numbers('z', (i) => i)], {});
    expect(code).toBe('TARGET_NOT_FOUND');
    expect(message).toContain('"x", "z"');
  });

  it('names a feature that is no column, or is the target', () => {
    const columns = [x, numbers('y', (i) => i)];
    expect(codeOf(columns, { features: ['x', 'w'] })).toEqual([
      'FEATURE_NOT_FOUND',
      expect.stringContaining('"w"'),
    ]);
    expect(codeOf(columns, { features: ['y'] })).toEqual([
      'FEATURE_NOT_FOUND',
      expect.stringContaining('is the target'),
    ]);
  });

  it('counts only rows that have a target', () => {
    const [code, message] = codeOf([x, numbers('y', (i) => (i < 99 ? i : Number.NaN))], {});
    expect(code).toBe('INSUFFICIENT_SAMPLES');
    expect(message).toContain('n_samples=99');
    expect(message).toContain('min_samples=100');
  });

  it('refuses a constant target', () => {
    expect(codeOf([x, numbers('y', (i) => (i % 2 ? 5 : Number.NaN))], { minSamples: 2 })[0]).toBe(
      'CONSTANT_TARGET',
    );
    expect(codeOf([x, numbers('y', () => Number.NaN)], { minSamples: 0 })[0]).toBe('CONSTANT_TARGET');
  });

  it('refuses features without a single value, but not one empty feature among others', () => {
    const empty = numbers('x', () => Number.NaN);
    const y = numbers('y', (i) => i % 7);
    const blank = categoryColumn('c', new Array(nRows).fill(null));
    expect(codeOf([empty, blank, y], {})[0]).toBe('ALL_FEATURES_MISSING');
    expect(codeOf([y], {})[0]).toBe('ALL_FEATURES_MISSING');
    expect(codeOf([empty, numbers('z', (i) => i), y], {})[0]).toBe('passed');
    expect(codeOf([empty, numbers('z', (i) => i), y], { features: ['x'] })[0]).toBe('ALL_FEATURES_MISSING');
  });

  it('refuses regression on a category', () => {
    const labels = categoryColumn(
      'y',
      Array.from({ length: nRows }, (_, i) => `${i % 3}`),
    );
    expect(codeOf([x, labels], {})[0]).toBe('TARGET_NOT_NUMERIC');
  });

  it.each(['regression', 'classification'] as const)('refuses %s on a date, with the remedy', (task) => {
    expect(codeOf([x, { ...numbers('y', (i) => i % 7), type: 'date' }], { task })).toEqual([
      'TARGET_IS_DATE',
      expect.stringContaining('make a column of it'),
    ]);
  });

  it('refuses a class label with NUL or half of a surrogate pair, which the registry cannot store', () => {
    const labels = (text: string) => [
      x,
      categoryColumn(
        'y',
        Array.from({ length: nRows }, (_, i) => (i % 2 ? 'plain' : text)),
      ),
    ];
    expect(codeOf(labels('a\0b'), { task: 'classification' })).toEqual([
      'LABEL_NOT_STORABLE',
      expect.stringContaining('"a\\u0000b"'),
    ]);
    expect(codeOf(labels('a\ud800'), { task: 'classification' })).toEqual([
      'LABEL_NOT_STORABLE',
      expect.stringContaining('half of a surrogate pair'),
    ]);
    expect(codeOf(labels('a\tb'), { task: 'classification' })[0]).toBe('passed');
  });

  it('refuses a regression whose amounts are one as float32', () => {
    for (const value of [(i: number) => i * 1e-60, (i: number) => 1e9 + i / 100]) {
      expect(codeOf([x, numbers('y', value)], {})).toEqual([
        'CONSTANT_TARGET',
        expect.stringContaining('1 distinct value(s) as float32'),
      ]);
    }
    expect(codeOf([x, numbers('y', (i) => 1e9 + i)], {})[0]).toBe('passed');
  });

  it('refuses a category with NUL, at which a runtime of graphs ends its text, where a row holds it', () => {
    const category = categoryColumn(
      'c',
      Array.from({ length: nRows }, (_, i) => (i === 3 ? 'a\0b' : 'a')),
    );
    const y = numbers('y', (i) => i);
    expect(codeOf([category, y], {})).toEqual([
      'CATEGORY_NOT_STORABLE',
      expect.stringMatching(/"c" holds "a\\u0000b" in row 3; .*remove/),
    ]);
    const unused = { ...category, codes: new Int32Array(nRows) };
    expect(codeOf([unused, y], {})[0]).toBe('passed');
    expect(codeOf([x, category, y], { features: ['x'] })[0]).toBe('passed');
  });

  it('refuses a class label beyond 2^53, which is another number by then, but not a regression on it', () => {
    for (const sign of [1, -1]) {
      const of = (large: number) => [x, numbers('y', (i) => sign * (i % 2 ? large : 1))];
      expect(codeOf(of(2 ** 53), { task: 'classification' })).toEqual([
        'LABEL_TOO_LARGE',
        expect.stringMatching(/9007199254740992.*as text/),
      ]);
      expect(codeOf(of(2 ** 53 - 1), { task: 'classification' })[0]).toBe('passed');
      expect(codeOf(of(2 ** 53), { task: 'regression' })[0]).toBe('passed');
    }
  });

  it('refuses classification of a nearly unique target or of more than 1,000 classes', () => {
    expect(codeOf([x, numbers('y', (i) => i)], { task: 'classification' })[0]).toBe('TOO_MANY_CLASSES');
    const values = Float64Array.from({ length: 4000 }, (_, i) => i % 1001);
    const many = [
      { ...x, values },
      { ...x, name: 'y', values },
    ];
    expect(codeOf(many, { task: 'classification' })[0]).toBe('TOO_MANY_CLASSES');
  });

  it('refuses an infinite target, naming the row', () => {
    const [code, message] = codeOf([x, numbers('y', (i) => (i === 7 ? Number.NEGATIVE_INFINITY : i))], {});
    expect(code).toBe('INFINITE_VALUE');
    expect(message).toContain('row 7');
  });
});
