/** What a training takes of a function's memory, known before it starts. */
import type { Dataset } from '../contracts/datasets.ts';
import type { ModelTrainingRequest, Task } from '../contracts/training.ts';
import { estimateFitBytes } from '../ml/fit-memory.ts';
import type { Candidate } from '../ml/model-selection/candidate.ts';
import type { Table } from '../ml/table.ts';
import { MAX_CLASSES } from '../ml/training-checks.ts';
import { columnsOf } from './selection-request.ts';

/** Columns that a learner sees of a date: its time and its calendar parts. */
const columnsOfDate = 7;
/** What the largest function has. */
const nThreads = 2;
export const mebibyte = 1024 * 1024;

/**
 * What the tables of a function of each size may take, in bytes: about half of its memory, the rest is for
 * the runtime, DuckDB and the ONNX check.
 */
export const capacityBytes = {
  small: 400 * mebibyte,
  medium: 800 * mebibyte,
  large: 1_500 * mebibyte,
} as const;

export type FunctionSize = keyof typeof capacityBytes;

/** @returns the smallest size that holds the bytes, `undefined` when none does */
export function sizeFor(estimatedBytes: number): FunctionSize | undefined {
  return (['small', 'medium', 'large'] as const).find((size) => estimatedBytes <= capacityBytes[size]);
}

export interface TrainingData {
  readonly nRows: number;
  /** As learners see them. */
  readonly nColumns: number;
  /** 0 for regression. */
  readonly nClasses: number;
}

export function dataOfDataset(request: ModelTrainingRequest, dataset: Dataset): TrainingData {
  const names = columnsOf(request);
  const columns = dataset.columns.filter(({ name }) => names === undefined || names.includes(name));
  const target = dataset.columns.find(({ name }) => name === request.target);
  return {
    nRows: dataset.n_rows,
    nColumns: learntColumns(columns),
    nClasses: request.model_type === 'regression' ? 0 : Math.min(MAX_CLASSES, target?.n_distinct ?? 2),
  };
}

export const dataOfTable = (table: Table, task: Task, nClasses: number): TrainingData => ({
  nRows: table.nRows,
  nColumns: learntColumns(table.columns),
  nClasses: task === 'regression' ? 0 : nClasses,
});

const learntColumns = (columns: readonly { readonly type: string }[]): number =>
  columns.reduce((sum, { type }) => sum + (type === 'date' ? columnsOfDate : 1), 0);

export const bytesOf = ({ algorithm, hyperparameters }: Candidate, data: TrainingData): number =>
  estimateFitBytes({ ...data, nThreads, algorithm, hyperparameters });

/**
 * @returns what the largest of the fits takes that the largest function can hold; what it cannot hold is left out of
 * a race, unless nothing but baselines would be left in it
 */
export function estimatedTrainingBytes(candidates: readonly Candidate[], data: TrainingData): number {
  const contenders = candidates.filter(({ role }) => role === 'candidate');
  const bytes = (some: readonly Candidate[]) => some.map((candidate) => bytesOf(candidate, data));
  const fits = (one: number) => one <= capacityBytes.large;
  const needed = bytes(contenders.length > 0 ? contenders : candidates);
  return needed.some(fits) ? Math.max(...bytes(candidates).filter(fits)) : Math.min(...needed);
}
