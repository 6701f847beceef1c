import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunksOf, isManyRows, rowList, wireRow } from '../../../src/client/prediction-input.ts';

describe('what is predicted for', () => {
  it.each([
    ['a record', { a: 1, b: 'x' }, false],
    ['values in feature order', [1, 'x'], false],
    ['a typed array', Float32Array.of(1, 2), false],
    ['an empty list', [], false],
    ['records', [{ a: 1 }], true],
    ['a matrix', [[1], [2]], true],
    ['typed arrays', [Float32Array.of(1)], true],
    ['columns', { a: [1, 2] }, true],
    ['dates in feature order', [new Date(0)], false],
  ])('is one row or many: %s', (_name, input, expected) => {
    expect(isManyRows(input as never)).toBe(expected);
  });

  it('goes out as records without what is undefined, or as lists', () => {
    expect(wireRow({ a: 1, b: undefined, c: Number.NaN, d: new Date(0) })).toEqual({
      ...{ a: 1, c: null, d: '1970-01-01T00:00:00.000Z' },
    });
    expect(wireRow(Float64Array.of(1, Number.NaN))).toEqual([1, null]);
    expect(rowList({ a: [1, 2], b: ['x', 'y'] })).toEqual([
      { a: 1, b: 'x' },
      { a: 2, b: 'y' },
    ]);
    expect(() => wireRow(3, 4)).toThrow(/row 4 must be a record/);
  });

  it('is divided into calls that hold every row once, in order, within both limits', () => {
    const row = fc.string({ maxLength: 30 }).map((text) => ({ text }));
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (rows, maxRows) => {
        const maxBytes = 100;
        const chunks = chunksOf(
          rows.map((one, i) => [i + 5, one] as const),
          { maxRows, maxBytes },
        );
        expect(chunks.flatMap((chunk) => chunk.rows)).toEqual(rows);
        expect(chunks.flatMap(({ places }) => places)).toEqual(rows.map((_, i) => i + 5));
        for (const chunk of chunks) {
          expect(chunk.rows.length).toBeLessThanOrEqual(maxRows);
          if (chunk.rows.length > 1)
            expect(Buffer.byteLength(JSON.stringify(chunk.rows))).toBeLessThanOrEqual(maxBytes + 1);
        }
      }),
    );
  });
});
