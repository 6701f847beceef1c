import { describe, expect, it } from 'vitest';
import { Kernel } from '../../../../src/ml/kernel/kernel.ts';
import { MemoryPlan } from '../../../../src/ml/kernel/memory-plan.ts';
import { Random } from '../../../../src/ml/random.ts';
import { thresholdsOf } from '../../../../src/ml/tree/bin-mapper.ts';
import {
  binColumns,
  planBinnedMatrix,
  planBinningRoom,
  type TreeColumn,
} from '../../../../src/ml/tree/binned-matrix.ts';
import { categoryColumnOf, numericColumn } from '../support/tree-columns.ts';

function binned(columns: TreeColumn[], nRows: number, maxBins = 255, isLearnt?: Uint8Array) {
  const plan = new MemoryPlan();
  const place = planBinnedMatrix(plan, nRows, columns.length);
  const room = planBinningRoom(plan, nRows);
  const kernel = new Kernel(plan.totalBytes);
  const matrix = binColumns(kernel, columns, nRows, maxBins, 0, place, room, isLearnt);
  const binsOf = (feature: number) => {
    const start = matrix.address + Math.floor(feature / 8) * nRows * 8 + (feature % 8);
    const bytes = kernel.bytes(start, (nRows - 1) * 8 + 1);
    return Array.from({ length: nRows }, (_, row) => bytes[row * 8]!);
  };
  return { matrix, binsOf };
}

describe('bins', () => {
  it('separate all distinct values when there are few, the missing ones behind them', () => {
    const { matrix, binsOf } = binned([numericColumn([3, 1, Number.NaN, 2, 1])], 5);
    expect(Array.from(matrix.features[0]!.thresholds)).toEqual([1.5, 2.5]);
    expect(binsOf(0)).toEqual([2, 0, 3, 1, 0]);
  });

  it('hold about the same number of rows when there are many distinct values', () => {
    const random = new Random(1);
    const values = Float32Array.from({ length: 10_000 }, () => random.nextFloat() ** 4);
    const { matrix, binsOf } = binned([numericColumn(values)], 10_000, 16);
    expect(matrix.features[0]!.thresholds).toHaveLength(15);
    const bins = binsOf(0);
    for (let bin = 0; bin < 16; bin++) {
      expect(Math.abs(bins.filter((one) => one === bin).length - 625)).toBeLessThan(5);
    }
  });

  it('are the number of thresholds below the value, for negative, huge, tiny and equal ones, in any block', () => {
    const random = new Random(7);
    const nRows = 3_000;
    const columns = Array.from({ length: 19 }, (_, j) =>
      Float32Array.from({ length: nRows }, () => {
        if (random.nextFloat() < 0.1) return Number.NaN;
        const size = 10 ** (random.nextInt(70) - 37);
        return (random.nextFloat() - 0.5) * (j % 3 === 0 ? 10 : size) + (random.nextInt(3) === 0 ? 0 : -0);
      }),
    );
    const { matrix, binsOf } = binned(columns.map(numericColumn), nRows, 40);
    expect(matrix.features).toHaveLength(19);
    for (const [position, { column, thresholds, nBins }] of matrix.features.entries()) {
      expect(Array.from(thresholds)).toEqual(Array.from(thresholds).sort((a, b) => a - b));
      const expected = Array.from(columns[column]!, (value) =>
        Number.isNaN(value) ? nBins : thresholds.filter((threshold) => threshold < value).length,
      );
      expect(binsOf(position)).toEqual(expected);
    }
  });

  it('are the codes of categories', () => {
    const { matrix, binsOf } = binned([categoryColumnOf([2, 0, Number.NaN, 1], 3)], 4);
    expect(matrix.features[0]).toMatchObject({ kind: 'category', nBins: 3 });
    expect(binsOf(0)).toEqual([2, 0, 3, 1]);
  });

  it('leave out constant columns and those that are missing throughout', () => {
    const columns = [
      [5, 5, 5],
      [Number.NaN, Number.NaN, Number.NaN],
      [1, Number.NaN, 1],
      [1, 2, 3],
    ];
    const { matrix } = binned(columns.map(numericColumn), 3);
    expect(matrix.features.map(({ column }) => column)).toEqual([2, 3]);
  });

  it('are cut by the rows that are learnt from', () => {
    const values = Float32Array.from({ length: 100 }, (_, i) => i);
    const learnt = Uint8Array.from({ length: 100 }, (_, i) => (i < 10 ? 1 : 0));
    const { matrix } = binned([numericColumn(values)], 100, 255, learnt);
    expect(Math.max(...matrix.features[0]!.thresholds)).toBe(8.5);
  });
});

describe('thresholds', () => {
  it('lie at or above the value below and under the value above, also between neighbours of float32', () => {
    const low = 1;
    const high = Math.fround(1 + 2 ** -23);
    const [threshold] = thresholdsOf(Float32Array.of(low, high), 255);
    expect(threshold! >= low && threshold! < high).toBe(true);
  });

  it('leave no empty bin above the largest value', () => {
    const values = Float32Array.from({ length: 1_000 }, (_, i) => Math.min(i, 600));
    expect(Math.max(...thresholdsOf(values, 100))).toBeLessThan(600);
  });
});
