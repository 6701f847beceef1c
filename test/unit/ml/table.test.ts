import { describe, expect, it } from 'vitest';
import { categoryColumn, columnNamed, createTable, tableBytes, takeRows } from '../../../src/ml/table.ts';

const table = createTable([
  { name: 'n', type: 'number', values: Float64Array.of(1, Number.NaN, 3) },
  categoryColumn('c', ['b', null, 'a']),
]);

describe('a table', () => {
  it('codes categories by their place in sorted order, missing as -1', () => {
    expect(columnNamed(table, 'c')).toMatchObject({ categories: ['a', 'b'], codes: Int32Array.of(1, -1, 0) });
  });

  it('takes rows in the asked order, repeated if asked', () => {
    const taken = takeRows(table, Int32Array.of(2, 0, 2));
    expect(taken.nRows).toBe(3);
    expect(columnNamed(taken, 'n')).toMatchObject({ values: Float64Array.of(3, 1, 3) });
    expect(columnNamed(taken, 'c')).toMatchObject({ codes: Int32Array.of(0, 1, 0), categories: ['a', 'b'] });
  });

  it('has no column of another name', () => {
    expect(columnNamed(table, 'N')).toBeUndefined();
  });

  it('counts the bytes of its buffers and category text', () => {
    // 3 doubles, 3 codes of 4 bytes, 2 categories of one UTF-16 unit.
    expect(tableBytes(table)).toBe(24 + 12 + 4);
  });

  it('refuses columns of unequal length and a name given twice', () => {
    const n = table.columns[0]!;
    expect(() => createTable([n, categoryColumn('c', ['a'])])).toThrowError(
      /"c" has 1 rows but the first column has 3/,
    );
    expect(() => createTable([n, n])).toThrowError(/"n" appears twice/);
  });
});
