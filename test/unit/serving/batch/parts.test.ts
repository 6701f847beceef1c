import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  defaultRowsPerPart,
  maxParts,
  nParts,
  planParts,
  rangeOf,
  rowsDone,
} from '../../../../src/serving/batch/parts.ts';

describe('parts', () => {
  it.each([
    [1, 1, 50_000],
    [50_000, 1, 50_000],
    [50_001, 2, 50_000],
    [25_000_000, 500, 50_000],
    // 100 million rows in 500 parts.
    [100_000_000, 500, 200_000],
  ])('of %i rows are %i, of at most %i rows each', (nRows, parts, rowsPerPart) => {
    const plan = planParts(nRows);
    expect([nParts(plan), plan.rows_per_part]).toEqual([parts, rowsPerPart]);
  });

  it('hold every row once, in order, and are never more than a Map can take', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200_000_000 }),
        fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
        (nRows, rowsPerPart) => {
          const plan = planParts(nRows, rowsPerPart);
          const count = nParts(plan);
          expect(count).toBeLessThanOrEqual(maxParts);
          let next = 0;
          for (let part = 0; part < count; part++) {
            const range = rangeOf(plan, part);
            expect(range.from).toBe(next);
            expect(range.count).toBeGreaterThan(0);
            next += range.count;
          }
          expect(next).toBe(nRows);
        },
      ),
      { seed: 5, numRuns: 200 },
    );
  });

  it('that are scored count with their own rows, the last one with fewer', () => {
    const plan = planParts(defaultRowsPerPart * 2 + 10);
    expect(rowsDone(plan, [])).toBe(0);
    expect(rowsDone(plan, [2, 0])).toBe(defaultRowsPerPart + 10);
    expect(rowsDone(plan, [0, 1, 2])).toBe(plan.n_rows);
  });
});
