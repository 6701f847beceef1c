/** Train and test rows of a table: seeded, stratified when asked, the same for the same input. */
import { TrainingError, ValidationError } from '../errors.ts';
import { Random } from './random.ts';
import type { Column, Table } from './table.ts';

export type Split =
  | {
      readonly kind: 'random';
      /** Share of rows in the test part, in (0, 1). */
      readonly testSize: number;
      readonly randomState: number;
      /** Keeps this column's classes in proportion; every class with two rows or more is in both parts. */
      readonly stratifyBy?: Column;
    }
  /** Test if i % 5 == 4, in file order. */
  | { readonly kind: 'every_5th' }
  /** The last rows in file order are the test part: rows ordered by time, or test rows that were put there. */
  | { readonly kind: 'last'; readonly testSize: number };

export interface SplitRows {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/**
 * Row numbers of the train and test part, each ascending, together every row once.
 * @throws ValidationError when testSize is not in (0, 1); TrainingError INSUFFICIENT_SAMPLES when a part would be empty.
 */
export function splitRows(table: Table, split: Split): SplitRows {
  const rows = partition(testRows(table.nRows, split));
  if (rows.train.length === 0 || rows.test.length === 0) {
    throw new TrainingError(
      'INSUFFICIENT_SAMPLES',
      `n_samples=${table.nRows} leaves the ${rows.train.length === 0 ? 'train' : 'test'} part of the split empty; give more rows`,
      { evidence: { n_samples: table.nRows } },
    );
  }
  return rows;
}

/** One flag a row. */
function testRows(nRows: number, split: Split): Uint8Array {
  if (split.kind === 'every_5th')
    return Uint8Array.from({ length: nRows }, (_, row) => (row % 5 === 4 ? 1 : 0));
  if (!(split.testSize > 0 && split.testSize < 1)) {
    throw new ValidationError(`test_size=${split.testSize} must be > 0 and < 1; 0.2 is usual`);
  }
  if (split.kind === 'random') return drawTestRows(nRows, split);
  return new Uint8Array(nRows).fill(1, nRows - Math.round(nRows * split.testSize));
}

function drawTestRows(nRows: number, split: Extract<Split, { kind: 'random' }>): Uint8Array {
  const { testSize, randomState, stratifyBy } = split;
  const random = new Random(randomState);
  const strata = stratifyBy === undefined ? [rowNumbers(nRows)] : strataOf(stratifyBy);
  const counts = testCounts(
    strata.map((rows) => rows.length),
    Math.min(nRows - 1, Math.max(1, Math.round(nRows * testSize))),
    nRows,
    stratifyBy !== undefined,
  );
  const inTest = new Uint8Array(nRows);
  for (let s = 0; s < strata.length; s++) {
    const rows = random.shuffle(strata[s]!);
    for (let i = 0; i < counts[s]!; i++) inTest[rows[i]!] = 1;
  }
  return inTest;
}

function rowNumbers(nRows: number): Int32Array {
  return Int32Array.from({ length: nRows }, (_, row) => row);
}

/** Rows of each class in ascending order of the class; missing is a class of its own. */
function strataOf(column: Column): Int32Array[] {
  const keys: ArrayLike<number> = column.type === 'category' ? column.codes : column.values;
  const byKey = new Map<number, number[]>();
  for (let row = 0; row < keys.length; row++) {
    const rows = byKey.get(keys[row]!);
    if (rows === undefined) byKey.set(keys[row]!, [row]);
    else rows.push(row);
  }
  return [...byKey.entries()].sort(([a], [b]) => a - b).map(([, rows]) => Int32Array.from(rows));
}

/** Test rows per stratum by largest remainder; a stratum of one row stays in train. */
function testCounts(sizes: readonly number[], nTest: number, nRows: number, stratified: boolean): number[] {
  const ideal = sizes.map((size) => (size * nTest) / nRows);
  const counts = sizes.map((size, s) => {
    if (!stratified) return Math.floor(ideal[s]!);
    return size < 2 ? 0 : Math.min(size - 1, Math.max(1, Math.floor(ideal[s]!)));
  });
  let missing = nTest - counts.reduce((sum, count) => sum + count, 0);
  const byRemainder = sizes
    .map((_, s) => s)
    .sort((a, b) => ideal[b]! - counts[b]! - (ideal[a]! - counts[a]!) || a - b);
  for (const s of byRemainder) {
    if (missing <= 0) break;
    if (counts[s]! < sizes[s]! - 1) {
      counts[s]!++;
      missing--;
    }
  }
  return counts;
}

function partition(inTest: Uint8Array): SplitRows {
  const nTest = inTest.reduce((sum, flag) => sum + flag, 0);
  const train = new Int32Array(inTest.length - nTest);
  const test = new Int32Array(nTest);
  let nextTrain = 0;
  let nextTest = 0;
  for (let row = 0; row < inTest.length; row++) {
    if (inTest[row] === 1) test[nextTest++] = row;
    else train[nextTrain++] = row;
  }
  return { train, test };
}
