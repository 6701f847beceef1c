import { describe, expect, it } from 'vitest';
import { Random } from '../../src/ml/random.ts';
import { mannWhitneyP } from '../support/mann-whitney.ts';

describe('the Mann-Whitney test', () => {
  it('gives the p of scipy 1.10 (method asymptotic) for values with ties', () => {
    // scipy.stats.mannwhitneyu(a, b, method="asymptotic").pvalue
    const [a, b] = [
      [1, 2, 2, 3, 4, 5, 5, 6],
      [2, 3, 5, 6, 7, 8, 8, 9],
    ];
    expect(mannWhitneyP(a!, b!)).toBeCloseTo(0.050136633, 6);
  });

  it('sees a shift of a tenth of the spread in 2,000 pairs, and none where there is none', () => {
    const random = new Random(3);
    const values = (shift: number) =>
      Array.from(
        { length: 2_000 },
        () => shift + Array.from({ length: 12 }, () => random.nextFloat()).reduce((x, y) => x + y, -6),
      );
    expect(mannWhitneyP(values(0), values(0.2))).toBeLessThan(0.001);
    expect(mannWhitneyP(values(0), values(0))).toBeGreaterThan(0.001);
  });
});
