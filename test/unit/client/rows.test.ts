import { describe, expect, it } from 'vitest';
import { rowsOf } from '../../../src/client/rows.ts';

describe('rowsOf', () => {
  const rows = [
    { x0: 1, x1: 'a' },
    { x0: 2, x1: 'b' },
  ];
  it.each([
    ['records', rows],
    [
      'a matrix',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    ['columns', { x0: Float64Array.of(1, 2), x1: ['a', 'b'] }],
  ])('reads %s', (_name, table) => {
    expect(rowsOf(table as never)).toEqual(rows);
  });

  it('reads typed arrays as rows of a matrix, and no rows as no rows', () => {
    expect(rowsOf([Float32Array.of(0.5, 1), Float32Array.of(2, 3)])).toEqual([
      { x0: 0.5, x1: 1 },
      { x0: 2, x1: 3 },
    ]);
    expect([rowsOf([]), rowsOf({})]).toEqual([[], []]);
  });

  it('writes dates as RFC 3339, and NaN and undefined as missing', () => {
    expect(rowsOf([{ a: new Date(0), b: Number.NaN, c: undefined, d: null, e: true }])).toEqual([
      { a: '1970-01-01T00:00:00.000Z', b: null, c: null, d: null, e: true },
    ]);
  });

  it.each<[string, unknown, RegExp]>([
    ['Infinity', [{ a: 1 }, { a: Number.POSITIVE_INFINITY }], /a of row 1 must be .*, not Infinity/],
    ['an object as value', [{ a: {} }], /a of row 0 .* not object/],
    ['a bigint', [{ a: 10n }], /not 10/],
    ['a date that is none', [{ a: new Date(Number.NaN) }], /invalid Date/],
    ['columns of different lengths', { a: [1, 2], b: [1] }, /column b has 1 values and a 2/],
    ['a single row', { a: 1 }, /column a must be a list .*given as \[row\]/],
    ['rows of different lengths', [[1, 2], [1]], /row 1 has 1 values and the first row 2/],
    ['records among lists', [[1], { a: 1 }], /row 1 has no values/],
    ['lists among records', [{ a: 1 }, [1]], /row 1 must be a record/],
    ['a list of numbers', [1, 2], /row 0 must be a record .*, not 1/],
    ['text', 'a,b', /not string/],
    ['nothing', null, /not null/],
  ])('refuses %s', (_name, table, message) => {
    expect(() => rowsOf(table as never)).toThrow(message);
  });
});
