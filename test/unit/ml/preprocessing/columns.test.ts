import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  imputed,
  median,
  missingIndicator,
  mostFrequent,
  replacementOf,
} from '../../../../src/ml/preprocessing/imputation.ts';
import { fitScale, scaled } from '../../../../src/ml/preprocessing/scaling.ts';
import { balancedWeights, classTarget, rowsWithTarget } from '../../../../src/ml/preprocessing/target.ts';
import { categoryColumn } from '../../../../src/ml/table.ts';

const { NaN: nan } = Number;

describe('imputation', () => {
  it('takes the middle value, or the mean of the two middle ones', () => {
    expect(median(Float32Array.of(9, nan, 1, 3))).toBe(3);
    expect(median(Float32Array.of(9, 1, 3, 4))).toBe(3.5);
    expect(median(Float32Array.of(nan))).toBeUndefined();
  });

  it('takes the middle value of any numbers', () => {
    const number = fc
      .float({ noNaN: true, noDefaultInfinity: true, min: -8, max: 8 })
      .map((value) => value + 0);
    fc.assert(
      fc.property(fc.array(fc.oneof(number, fc.integer({ min: 0, max: 2 })), { minLength: 1 }), (numbers) => {
        const sorted = Float32Array.from(numbers).sort();
        const middle = sorted.length >> 1;
        const expected =
          sorted.length % 2 === 1
            ? sorted[middle]!
            : Math.fround((sorted[middle - 1]! + sorted[middle]!) / 2);
        expect(median(Float32Array.from(numbers))).toBe(expected);
      }),
      { numRuns: 500, seed: 42 },
    );
  });

  it('takes the mean', () => {
    expect(replacementOf(Float32Array.of(1, nan, 3, 8), 'mean')).toBe(4);
    expect(replacementOf(Float32Array.of(nan), 'mean')).toBeUndefined();
  });

  it('takes the most frequent value, the smallest of equals', () => {
    expect(mostFrequent(Float32Array.of(1, 0, nan, 1, 0))).toBe(0);
    expect(mostFrequent(Float32Array.of(1, nan, nan))).toBe(1);
    expect(mostFrequent(Float32Array.of(nan))).toBeUndefined();
  });

  it('replaces and marks missing values only', () => {
    expect(imputed(Float32Array.of(1, nan, 3), 7)).toEqual(Float32Array.of(1, 7, 3));
    expect(missingIndicator(Float32Array.of(1, nan, 3))).toEqual(Float64Array.of(0, 1, 0));
  });
});

describe('scaling', () => {
  it('standard gives mean 0 and population variance 1', () => {
    const scale = fitScale(Float32Array.of(1, 2, 3, 6), 'standard');
    expect(scale).toEqual({ center: 3, scale: Math.sqrt(3.5) });
    expect(scaled(Float32Array.of(3), scale)).toEqual(Float64Array.of(0));
  });

  it('minmax gives 0 to 1, robust the median and the interquartile range, none the units of the values', () => {
    const values = Float32Array.of(1, 2, 3, 4, 100);
    expect(fitScale(values, 'minmax')).toEqual({ center: 1, scale: 99 });
    expect(fitScale(values, 'robust')).toEqual({ center: 3, scale: 2 });
    expect(fitScale(values, 'none')).toEqual({ center: 22, scale: 1 });
  });

  it('robust takes the standard deviation where half of the values are the same', () => {
    expect(fitScale(Float32Array.of(0, 0, 0, 0, 5), 'robust')).toEqual({ center: 0, scale: 2 });
  });

  it.each(['standard', 'minmax', 'robust', 'none'] as const)(
    '%s sees a constant column behind a large offset',
    (scaling) => {
      expect(fitScale(new Float32Array(1000).fill(1.6e12), scaling).scale).toBe(0);
    },
  );
});

describe('targets', () => {
  it('sort classes and index rows, missing as -1', () => {
    expect(classTarget(categoryColumn('y', ['b', null, 'a', 'b']))).toEqual({
      classes: ['a', 'b'],
      indices: Int32Array.of(1, -1, 0, 1),
    });
    expect(classTarget({ name: 'y', type: 'number', values: Float64Array.of(10, 9, nan, 10) })).toEqual({
      classes: [9, 10],
      indices: Int32Array.of(1, 0, -1, 1),
    });
    expect(classTarget({ name: 'y', type: 'boolean', values: Float64Array.of(1, 0) }).classes).toEqual([
      false,
      true,
    ]);
  });

  it('index into given classes, and leave out others', () => {
    expect(classTarget(categoryColumn('y', ['c', 'a']), ['a', 'b']).indices).toEqual(Int32Array.of(-1, 0));
    expect(
      classTarget({ name: 'y', type: 'boolean', values: Float64Array.of(1, 0) }, [false, true]).indices,
    ).toEqual(Int32Array.of(1, 0));
  });

  it('do not list categories that no row has', () => {
    const column = { ...categoryColumn('y', ['a', 'b', 'c']), codes: Int32Array.of(2, 0, 2) };
    expect(classTarget(column).classes).toEqual(['a', 'c']);
  });

  it('are rows with a value only', () => {
    expect(rowsWithTarget(categoryColumn('y', ['b', null, 'a']))).toEqual(Int32Array.of(0, 2));
    expect(rowsWithTarget({ name: 'y', type: 'number', values: Float64Array.of(nan, 0) })).toEqual(
      Int32Array.of(1),
    );
  });

  it('balance classes to the same total weight', () => {
    expect(balancedWeights(Int32Array.of(0, 0, 0, 1), 2)).toEqual(Float64Array.of(4 / 6, 4 / 6, 4 / 6, 2));
  });
});
