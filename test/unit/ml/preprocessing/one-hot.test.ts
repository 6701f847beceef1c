import { describe, expect, it } from 'vitest';
import {
  type CategoryFeature,
  MISSING_CODE,
  UNKNOWN_CODE,
} from '../../../../src/ml/preprocessing/feature-columns.ts';
import { fitOneHot, oneHotCodes } from '../../../../src/ml/preprocessing/one-hot.ts';

function feature(counts: readonly number[], nMissing = 0): CategoryFeature {
  const codes = [
    ...counts.flatMap((count, code) => new Array<number>(count).fill(code)),
    ...new Array(nMissing).fill(-1),
  ];
  const categories = counts.map((_, code) => `c${code}`);
  return {
    kind: 'category',
    spec: { name: 'x', type: 'category', categories },
    codes: Int32Array.from(codes),
  };
}

const fitted = (column: CategoryFeature, maxCategories = 100) =>
  fitOneHot(column, { minCategoryRows: 5, maxCategories });

const every = (nCategories: number) =>
  Int32Array.from([...Array(nCategories).keys(), MISSING_CODE, UNKNOWN_CODE]);

describe('one-hot levels', () => {
  it('give each category its own, missing counts as the most frequent, unknown as none', () => {
    const levels = fitted(feature([5, 9, 6]))!;
    expect(levels.nLevels).toBe(3);
    expect(Array.from(oneHotCodes(every(3), levels))).toEqual([0, 1, 2, 1, -1]);
  });

  it('give missing its own level when training saw it', () => {
    const levels = fitted(feature([5, 9], 3))!;
    expect(levels.nLevels).toBe(3);
    expect(Array.from(oneHotCodes(every(2), levels))).toEqual([0, 1, 2, -1]);
  });

  it('put rare categories together, and unknown ones with them', () => {
    const levels = fitted(feature([1, 9, 4, 6]))!;
    expect(levels.nLevels).toBe(3);
    expect(Array.from(oneHotCodes(every(4), levels))).toEqual([2, 0, 2, 1, 0, 2]);
  });

  it('keep no more than the cap', () => {
    const levels = fitted(feature([7, 9, 6, 8]), 2)!;
    expect(Array.from(oneHotCodes(every(4), levels))).toEqual([2, 0, 2, 1, 0, 2]);
  });

  it('are none where all rows are the same', () => {
    expect(fitted(feature([50]))).toBeUndefined();
    expect(fitted(feature([1, 1, 1, 1]))).toBeUndefined();
    expect(fitted(feature([], 20))).toBeUndefined();
  });
});
