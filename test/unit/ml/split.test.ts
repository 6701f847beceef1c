import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitRows } from '../../../src/ml/split.ts';
import { categoryColumn, createTable, type Table } from '../../../src/ml/table.ts';

function tableOf(nRows: number): Table {
  return createTable([{ name: 'x', type: 'number', values: new Float64Array(nRows) }]);
}

function countsOf(codes: Int32Array, rows: Int32Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(codes[row]!, (counts.get(codes[row]!) ?? 0) + 1);
  return counts;
}

describe('splitRows', () => {
  it('puts rows 4, 9, 14, … into the test part for every_5th', () => {
    const { train, test } = splitRows(tableOf(12), { kind: 'every_5th' });
    expect(Array.from(test)).toEqual([4, 9]);
    expect(Array.from(train)).toEqual([0, 1, 2, 3, 5, 6, 7, 8, 10, 11]);
  });

  it('puts the last rows into the test part for last, as many as the share says', () => {
    const { train, test } = splitRows(tableOf(12), { kind: 'last', testSize: 0.25 });
    expect(Array.from(test)).toEqual([9, 10, 11]);
    expect(Array.from(train)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('takes exactly the rows that were put last, however many there are of each', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4_000 }), fc.integer({ min: 1, max: 4_000 }), (nTrain, nTest) => {
        const { test } = splitRows(tableOf(nTrain + nTest), {
          kind: 'last',
          testSize: nTest / (nTrain + nTest),
        });
        expect([test.length, test[0]]).toEqual([nTest, nTrain]);
      }),
    );
  });

  it('refuses last rows of which none would be left', () => {
    expect(() => splitRows(tableOf(3), { kind: 'last', testSize: 0.1 })).toThrow(/test part .* empty/);
    expect(() => splitRows(tableOf(3), { kind: 'last', testSize: 1 })).toThrow(/test_size=1/);
  });

  it('holds every row once, in ascending order, with the asked share in the test part', () => {
    const { train, test } = splitRows(tableOf(101), { kind: 'random', testSize: 0.2, randomState: 42 });
    expect(test.length).toBe(20);
    expect(Array.from(train)).toEqual(Array.from(train).sort((a, b) => a - b));
    expect([...train, ...test].sort((a, b) => a - b)).toEqual(Array.from({ length: 101 }, (_, i) => i));
  });

  it('is the same for the same seed and another for another', () => {
    const split = (randomState: number) =>
      splitRows(tableOf(200), { kind: 'random', testSize: 0.25, randomState });
    expect(split(1)).toEqual(split(1));
    expect(split(1)).not.toEqual(split(2));
  });

  it('has every class of two rows or more in both parts, in proportion within one row', () => {
    const labels = fc.array(fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: null }), {
      minLength: 8,
      maxLength: 80,
    });
    fc.assert(
      fc.property(labels, fc.integer(), (values, randomState) => {
        const column = categoryColumn('y', values);
        const split = { kind: 'random', testSize: 0.25, randomState, stratifyBy: column } as const;
        const { train, test } = splitRows(createTable([column]), split);
        expect(train.length + test.length).toBe(values.length);
        const whole = countsOf(column.codes, Int32Array.from(values.keys()));
        for (const [code, count] of whole) {
          const tested = countsOf(column.codes, test).get(code) ?? 0;
          if (count < 2) continue;
          expect(tested).toBeGreaterThanOrEqual(1);
          expect(tested).toBeLessThan(count);
          expect(Math.abs(tested - count * 0.25)).toBeLessThanOrEqual(1.5);
        }
      }),
      { numRuns: 200, seed: 11 },
    );
  });

  it('rejects a test size outside (0, 1)', () => {
    for (const testSize of [0, 1, -0.1, Number.NaN]) {
      expect(() => splitRows(tableOf(10), { kind: 'random', testSize, randomState: 1 })).toThrowError(
        /test_size/,
      );
    }
  });

  it('says INSUFFICIENT_SAMPLES when a part would be empty', () => {
    expect(() => splitRows(tableOf(4), { kind: 'every_5th' })).toThrowError(
      expect.objectContaining({ code: 'INSUFFICIENT_SAMPLES' }),
    );
    expect(() => splitRows(tableOf(1), { kind: 'random', testSize: 0.2, randomState: 1 })).toThrowError(
      expect.objectContaining({ code: 'INSUFFICIENT_SAMPLES' }),
    );
  });
});
