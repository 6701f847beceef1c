import { describe, expect, it } from 'vitest';
import { categoryNumbers, ordinalNumbers } from '../../../../src/ml/preprocessing/category-numbers.ts';
import type { CategoryFeature } from '../../../../src/ml/preprocessing/feature-columns.ts';
import { fitTargetEncodings, foldsOf } from '../../../../src/ml/preprocessing/target-encoding.ts';

function feature(codes: readonly number[], nCategories: number): CategoryFeature {
  const categories = Array.from({ length: nCategories }, (_, code) => `c${code}`);
  return {
    kind: 'category',
    spec: { name: 'x', type: 'category', categories },
    codes: Int32Array.from(codes),
  };
}

describe('folds', () => {
  it('are of equal size, the same for the same seed and others for another', () => {
    const folds = foldsOf(23, 4);
    const sizes = [0, 1, 2, 3, 4].map((fold) => folds.filter((one) => one === fold).length);
    expect(sizes).toEqual([5, 5, 5, 4, 4]);
    expect(foldsOf(23, 4)).toEqual(folds);
    expect(foldsOf(23, 5)).not.toEqual(folds);
  });
});

describe('target encoding', () => {
  const codes = [0, 0, 0, 0, 1, 1, 1, 1, -1, -1, 2];
  const target = Float64Array.of(1, 3, 5, 7, 10, 10, 10, 10, 0, 6, 100);
  const folds = Uint8Array.of(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 4);
  const prior = target.reduce((sum, value) => sum + value, 0) / target.length;

  it('predicts by smoothed means: of categories, of rare ones with unknown, of missing', () => {
    const [{ numbers }] = fitTargetEncodings(feature(codes, 3), [target], {
      minCategoryRows: 2,
      smoothing: 2,
      folds,
    }) as [ReturnType<typeof fitTargetEncodings>[0]];
    const expected = {
      ofCategory: [(16 + 2 * prior) / 6, (40 + 2 * prior) / 6, (100 + 2 * prior) / 3],
      ofMissing: (6 + 2 * prior) / 4,
      ofUnknown: (100 + 2 * prior) / 3,
    };
    expect(numbers).toEqual({
      ofCategory: expected.ofCategory.map(Math.fround),
      ofMissing: Math.fround(expected.ofMissing),
      ofUnknown: Math.fround(expected.ofUnknown),
    });
    expect(categoryNumbers(Int32Array.of(1, -1, -2), numbers)).toEqual(
      Float32Array.of(expected.ofCategory[1]!, expected.ofMissing, expected.ofUnknown),
    );
  });

  it('trains on the means of other folds, so that no row sees its own target', () => {
    const options = { minCategoryRows: 2, smoothing: 0, folds };
    const [{ training }] = fitTargetEncodings(feature(codes, 3), [target], options) as [
      ReturnType<typeof fitTargetEncodings>[0],
    ];
    // The last row is alone in its group: without smoothing only the overall mean is left.
    const expected = [15 / 3, 13 / 3, 11 / 3, 9 / 3, 10, 10, 10, 10, 6, 0, prior];
    expect(training).toEqual(Float32Array.from(expected));
  });

  it('has one column per target, and none where all rows are alike', () => {
    const options = { minCategoryRows: 2, smoothing: 1, folds };
    expect(
      fitTargetEncodings(feature(codes, 3), [target, target.map((value) => -value)], options),
    ).toHaveLength(2);
    const identifiers = feature([...codes.keys()], codes.length);
    expect(fitTargetEncodings(identifiers, [target], options)).toEqual([]);
  });

  it('gives a category that training did not see the overall mean where nothing was rare', () => {
    const options = { minCategoryRows: 1, smoothing: 1, folds: Uint8Array.of(0, 1, 0, 1) };
    const [{ numbers }] = fitTargetEncodings(
      feature([0, 0, 1, 1], 2),
      [Float64Array.of(0, 1, 1, 1)],
      options,
    ) as [ReturnType<typeof fitTargetEncodings>[0]];
    expect(numbers).toMatchObject({ ofMissing: 0.75, ofUnknown: 0.75 });
  });
});

describe('ordinal encoding', () => {
  it('is the position in the sorted list, NaN for missing and unknown', () => {
    const column = feature([2, 0, -1], 3);
    expect(categoryNumbers(Int32Array.of(2, 0, -1, -2), ordinalNumbers(column))).toEqual(
      Float32Array.of(2, 0, Number.NaN, Number.NaN),
    );
  });
});
