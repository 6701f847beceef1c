/** Row numbers of the train and test parts that a splitter asks for. */
import { TrainingError, ValidationError } from '../../errors.ts';
import { Random } from '../random.ts';
import { splitRows } from '../split.ts';
import type { Column, Table } from '../table.ts';
import {
  groupAssignment,
  randomAssignment,
  stratifiedAssignment,
  stratifiedGroupAssignment,
} from './assignments.ts';
import { existingColumn, type Fold, MAX_SPLITS, type Splitter } from './splitter.ts';
import { timeOrderedFolds } from './time-series-folds.ts';

/**
 * The same table and splitter give the same folds.
 * @param target - the column whose classes are kept in proportion.
 * @throws ValidationError for a broken splitter; TrainingError COLUMN_NOT_FOUND, or TOO_FEW_GROUPS or
 * INSUFFICIENT_SAMPLES where a part would be empty.
 */
export function foldsOf(table: Table, target: string, splitter: Splitter): Fold[] {
  const { nSplits } = splitter;
  const least = splitter.kind === 'shuffle' ? 1 : 2;
  if (!Number.isInteger(nSplits) || nSplits < least || nSplits > MAX_SPLITS) {
    throw new ValidationError(`n_splits=${nSplits} must be an integer >= ${least} and <= ${MAX_SPLITS}`);
  }
  if (splitter.kind === 'shuffle') return shuffledHoldouts(table, target, splitter);
  checkRows(table.nRows, splitter);
  if (splitter.kind === 'time') return timeOrderedFolds(table, splitter);
  if (splitter.kind === 'group' || splitter.kind === 'stratified_group') {
    const groups = keysOf(existingColumn(table, splitter.groupColumn));
    const random = new Random(splitter.randomState);
    const assignment =
      splitter.kind === 'group'
        ? groupAssignment(groups, nSplits, random)
        : stratifiedGroupAssignment(groups, keysOf(existingColumn(table, target)), nSplits, random);
    return foldsOfAssignment(assignment, nSplits);
  }
  const random = new Random(splitter.randomState);
  const classes = splitter.kind === 'stratified' ? keysOf(existingColumn(table, target)) : undefined;
  return Array.from({ length: splitter.nRepeats ?? 1 }, () =>
    classes === undefined
      ? randomAssignment(table.nRows, nSplits, random)
      : stratifiedAssignment(classes, nSplits, random),
  ).flatMap((assignment) => foldsOfAssignment(assignment, nSplits));
}

function checkRows(nRows: number, { kind, nSplits }: Splitter): void {
  const needed = kind === 'time' ? nSplits + 1 : nSplits;
  if (nRows >= needed) return;
  throw new TrainingError(
    'INSUFFICIENT_SAMPLES',
    `n_samples=${nRows} must be >= ${needed} for n_splits=${nSplits}; give more rows or fewer splits`,
    { evidence: { n_samples: nRows, n_splits: nSplits } },
  );
}

function shuffledHoldouts(
  table: Table,
  target: string,
  { nSplits, testSize, randomState, isStratified }: Extract<Splitter, { kind: 'shuffle' }>,
): Fold[] {
  const seeds = new Random(randomState);
  const stratifyBy = isStratified === true ? existingColumn(table, target) : undefined;
  return Array.from({ length: nSplits }, () =>
    splitRows(table, {
      kind: 'random',
      testSize,
      randomState: seeds.nextUint32(),
      ...(stratifyBy === undefined ? {} : { stratifyBy }),
    }),
  );
}

/** @param assignment - test fold per row. */
function foldsOfAssignment(assignment: Int32Array, nSplits: number): Fold[] {
  return Array.from({ length: nSplits }, (_, fold) => ({
    train: positionsWhere(assignment, (one) => one !== fold),
    test: positionsWhere(assignment, (one) => one === fold),
  }));
}

function positionsWhere(values: Int32Array, matches: (value: number) => boolean): Int32Array {
  return Int32Array.from(values.keys()).filter((row) => matches(values[row]!));
}

/** One number per row, equal for equal values; missing is a value of its own. */
function keysOf(column: Column): Int32Array {
  if (column.type === 'category') return column.codes;
  const keyOf = new Map<number, number>();
  return Int32Array.from(column.values, (value) => {
    let key = keyOf.get(value);
    if (key === undefined) {
      key = keyOf.size;
      keyOf.set(value, key);
    }
    return key;
  });
}
