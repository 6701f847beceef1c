import { describe, expect, it } from 'vitest';
import { tableFromRecords } from '../../../src/ml/table-from-records.ts';

describe('a table from records', () => {
  it('finds the type of each column', () => {
    const { columns, nRows } = tableFromRecords([
      { n: 1, b: true, d: '2026-01-02', t: 'x', mixed: 1, big: 12n, when: new Date(5) },
      { n: 2.5, b: false, d: '2026-01-02T03:04:05Z', t: '', mixed: 'one', big: 3n, when: new Date(7) },
    ]);
    expect(nRows).toBe(2);
    expect(columns.map(({ name, type }) => [name, type])).toEqual([
      ['n', 'number'],
      ['b', 'boolean'],
      ['d', 'date'],
      ['t', 'category'],
      ['mixed', 'category'],
      ['big', 'number'],
      ['when', 'date'],
    ]);
    expect(columns[2]).toMatchObject({
      values: Float64Array.of(Date.UTC(2026, 0, 2), Date.UTC(2026, 0, 2, 3, 4, 5)),
    });
    expect(columns[3]).toMatchObject({ codes: Int32Array.of(0, -1), categories: ['x'] });
  });

  it('takes null, undefined, NaN, an invalid Date and a missing key for missing', () => {
    const { columns } = tableFromRecords([
      { a: null, d: new Date(Number.NaN) },
      { a: undefined, d: new Date(1) },
      { a: Number.NaN },
      { a: 4, d: null },
    ]);
    expect(columns[0]).toMatchObject({
      type: 'number',
      values: Float64Array.of(Number.NaN, Number.NaN, Number.NaN, 4),
    });
    expect(columns[1]).toMatchObject({
      type: 'date',
      values: Float64Array.of(Number.NaN, 1, Number.NaN, Number.NaN),
    });
  });

  it('does not guess dates from texts that only look like some', () => {
    const { columns } = tableFromRecords([
      { a: '2026-13-45', b: '2026', c: '01/02/2026', d: '2026-01-02T03:04' },
    ]);
    expect(columns.map(({ type }) => type)).toEqual(['category', 'category', 'category', 'category']);
  });

  it('refuses what is no value, naming the column', () => {
    expect(() => tableFromRecords([{ a: [1] as never }])).toThrowError(
      expect.objectContaining({
        code: 'INVALID_VALUE',
        message: expect.stringContaining('"a" holds a value of type array'),
      }),
    );
  });
});
