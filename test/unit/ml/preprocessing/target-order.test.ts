import { describe, expect, it } from 'vitest';
import type { CategoryFeature } from '../../../../src/ml/preprocessing/feature-columns.ts';
import { fitTargetOrder, orderedValues } from '../../../../src/ml/preprocessing/target-order.ts';

function feature(codes: readonly number[], nCategories: number): CategoryFeature {
  const categories = Array.from({ length: nCategories }, (_, code) => `c${code}`);
  return {
    kind: 'category',
    spec: { name: 'x', type: 'category', categories },
    codes: Int32Array.from(codes),
  };
}

describe('categories in the order of their target', () => {
  it('rank by the mean of the target', () => {
    const order = fitTargetOrder(feature([0, 0, 1, 1, 2, 2], 3), 0, [Float64Array.of(5, 6, 1, 1, 3, 2)]);
    expect(order.rankOfCategory).toEqual([2, 0, 1]);
  });

  it('leave a category of one row out, and give NaN to it, to missing and to unknown', () => {
    const order = fitTargetOrder(feature([0, 0, 1, 2, 2, -1], 3), 0, [Float64Array.of(2, 2, 9, 1, 1, 5)]);
    expect(order.rankOfCategory).toEqual([1, null, 0]);
    const { NaN: nan } = Number;
    expect(Array.from(orderedValues(Int32Array.of(0, 1, 2, -1, -2), order))).toEqual([1, nan, 0, nan, nan]);
  });

  it('rank along the main difference in class shares with several classes', () => {
    // Categories 0 and 2 are mostly class 0, categories 1 and 3 mostly class 2; class 1 is everywhere the same.
    const codes: number[] = [];
    const classes: number[] = [];
    const rows = [
      [8, 2, 0],
      [0, 2, 8],
      [6, 2, 2],
      [2, 2, 6],
    ];
    rows.forEach((counts, code) => {
      counts.forEach((count, k) => {
        for (let i = 0; i < count; i++) {
          codes.push(code);
          classes.push(k);
        }
      });
    });
    const targets = [0, 1, 2].map((k) => Float64Array.from(classes, (index) => (index === k ? 1 : 0)));
    const { rankOfCategory } = fitTargetOrder(feature(codes, 4), 0, targets);
    expect([
      [0, 3, 1, 2],
      [3, 0, 2, 1],
    ]).toContainEqual(rankOfCategory);
  });
});
