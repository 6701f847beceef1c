/** Ways to divide rows into train and test parts several times over, as data; `folds.ts` carries them out. */
import { TrainingError } from '../../errors.ts';
import { type Column, columnNamed, type Table } from '../table.ts';

export type Splitter =
  /** Every row is tested once; rows in random order. */
  | {
      readonly kind: 'kfold';
      readonly nSplits: number;
      readonly randomState: number;
      readonly nRepeats?: number;
    }
  /** As kfold, with the classes of the target in proportion in every fold. */
  | {
      readonly kind: 'stratified';
      readonly nSplits: number;
      readonly randomState: number;
      readonly nRepeats?: number;
    }
  /** Rows of one group are never in both parts; missing is a group. */
  | {
      readonly kind: 'group';
      readonly nSplits: number;
      readonly groupColumn: string;
      readonly randomState: number;
    }
  /** As group, with the classes as near to proportion as whole groups allow. */
  | {
      readonly kind: 'stratified_group';
      readonly nSplits: number;
      readonly groupColumn: string;
      readonly randomState: number;
    }
  /** Trains on what was before the test part; the test parts follow each other to the end. */
  | {
      readonly kind: 'time';
      readonly nSplits: number;
      /** Rows are ordered by it. @default - the order of the table */
      readonly timeColumn?: string;
      /** Rows left out between the parts. @default 0 */
      readonly gap?: number;
      /** @default - all rows before the gap: an expanding window */
      readonly maxTrainSize?: number;
      /** @default - nRows / (nSplits + 1) */
      readonly testSize?: number;
    }
  /** Independent random holdouts. */
  | {
      readonly kind: 'shuffle';
      readonly nSplits: number;
      /** Share of rows in each test part. */
      readonly testSize: number;
      readonly randomState: number;
      readonly isStratified?: boolean;
    };

/** Row numbers, ascending; in time order for `time`. */
export interface Fold {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

export const MAX_SPLITS = 100;

/** @throws TrainingError COLUMN_NOT_FOUND */
export function existingColumn(table: Table, name: string): Column {
  const column = columnNamed(table, name);
  if (column !== undefined) return column;
  throw new TrainingError(
    'COLUMN_NOT_FOUND',
    `column "${name}", by which rows are to be split, is not a column; the columns are ${table.columns.map((one) => `"${one.name}"`).join(', ')}`,
    { evidence: { column: name } },
  );
}
