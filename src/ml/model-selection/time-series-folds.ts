import { TrainingError, ValidationError } from '../../errors.ts';
import type { Table } from '../table.ts';
import { existingColumn, type Fold, type Splitter } from './splitter.ts';

/**
 * Test parts of equal size that follow each other to the last row, each after all of its train part. Rows of one time
 * keep the order of the table.
 * @throws TrainingError TIME_MISSING, TIME_NOT_ORDERED for a column of text, INSUFFICIENT_SAMPLES.
 */
export function timeOrderedFolds(table: Table, splitter: Extract<Splitter, { kind: 'time' }>): Fold[] {
  const { nSplits, gap = 0, maxTrainSize = table.nRows } = splitter;
  const { nRows } = table;
  const testSize = splitter.testSize ?? Math.floor(nRows / (nSplits + 1));
  for (const [name, value, least] of [
    ['gap', gap, 0],
    ['max_train_size', maxTrainSize, 1],
    ['test_size', testSize, 1],
  ] as const) {
    if (!Number.isInteger(value) || value < least) {
      throw new ValidationError(`${name}=${value} must be an integer >= ${least} rows`);
    }
  }
  const firstTest = nRows - nSplits * testSize;
  if (firstTest - gap < 1) {
    throw new TrainingError(
      'INSUFFICIENT_SAMPLES',
      `n_samples=${nRows} leave no row to train on before n_splits=${nSplits} tests of ${testSize} rows and a gap of ${gap}; give more rows, fewer splits or a smaller gap`,
      { evidence: { n_samples: nRows, n_splits: nSplits, gap } },
    );
  }
  const order = rowsInTime(table, splitter.timeColumn);
  return Array.from({ length: nSplits }, (_, split) => {
    const start = firstTest + split * testSize;
    const trainEnd = start - gap;
    return {
      train: order.slice(Math.max(0, trainEnd - maxTrainSize), trainEnd),
      test: order.slice(start, start + testSize),
    };
  });
}

function rowsInTime(table: Table, timeColumn: string | undefined): Int32Array {
  const rows = Int32Array.from({ length: table.nRows }, (_, row) => row);
  if (timeColumn === undefined) return rows;
  const column = existingColumn(table, timeColumn);
  if (column.type === 'category') {
    throw new TrainingError(
      'TIME_NOT_ORDERED',
      `time column "${timeColumn}" holds text, which has no order in time; give dates or numbers`,
      { evidence: { column: timeColumn } },
    );
  }
  const { values } = column;
  const missing = values.findIndex(Number.isNaN);
  if (missing >= 0) {
    throw new TrainingError(
      'TIME_MISSING',
      `time column "${timeColumn}" has no value in row ${missing}; every row needs a time to be put in order`,
      { evidence: { column: timeColumn, row: missing } },
    );
  }
  return rows.sort((a, b) => values[a]! - values[b]! || a - b);
}
