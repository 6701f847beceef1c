import type { Dataset } from '../../contracts/datasets.ts';
import type { ModelTrainingRequest } from '../../contracts/training.ts';
import { DatasetNotFoundError } from '../../data/dataset-store.ts';
import { TrainingError } from '../../errors.ts';
import { estimateFitBytes } from '../../ml/fit-memory.ts';
import { MAX_CLASSES } from '../../ml/training-checks.ts';
import { candidatesOf, columnsOf } from '../selection-request.ts';
import type { Step } from './step.ts';

/** Columns that a learner sees of a date: its time and its calendar parts. */
const columnsOfDate = 7;
/** What the largest function has. */
const nThreads = 2;
const mebibyte = 1024 * 1024;

/**
 * What the tables of a function of each size may take, in bytes: about half of its memory, the rest is for
 * the runtime, DuckDB and the ONNX check.
 */
export const capacityBytes = {
  small: 400 * mebibyte,
  medium: 800 * mebibyte,
  large: 1_500 * mebibyte,
} as const;

/** @returns the smallest size that holds the bytes, `undefined` when none does */
export function sizeFor(estimatedBytes: number): keyof typeof capacityBytes | undefined {
  return (['small', 'medium', 'large'] as const).find((size) => estimatedBytes <= capacityBytes[size]);
}

/** @returns what the largest of the fits that the request asks for takes at most */
export function estimatedTrainingBytes(request: ModelTrainingRequest, dataset: Dataset): number {
  const names = columnsOf(request);
  const columns = dataset.columns.filter(({ name }) => names === undefined || names.includes(name));
  const nColumns = columns.reduce((sum, { type }) => sum + (type === 'date' ? columnsOfDate : 1), 0);
  const task = request.model_type!;
  const target = dataset.columns.find(({ name }) => name === request.target);
  const nClasses = task === 'regression' ? 0 : Math.min(MAX_CLASSES, target?.n_distinct ?? 2);
  const size = { nRows: dataset.n_rows, nColumns, nClasses, nThreads };
  return Math.max(
    ...candidatesOf(request, task, nClasses).map(({ algorithm, hyperparameters }) =>
      estimateFitBytes({ ...size, algorithm, hyperparameters }),
    ),
  );
}

/**
 * Finds the dataset and chooses the size of function for the steps to come.
 * @throws {TrainingError} DATASET_TOO_LARGE
 */
export const loadStep: Step = async ({ tenant, job, datasets }) => {
  const { dataset_id } = job.request;
  const dataset = await datasets.get(tenant, dataset_id);
  if (dataset === undefined) throw new DatasetNotFoundError(dataset_id);
  const estimatedBytes = estimatedTrainingBytes(job.request, dataset);
  const size = sizeFor(estimatedBytes);
  if (size === undefined) {
    throw new TrainingError(
      'DATASET_TOO_LARGE',
      `training on ${dataset.n_rows} rows × ${columnsOf(job.request)?.length ?? dataset.n_columns} columns needs about ${Math.ceil(estimatedBytes / mebibyte)} MiB, ` +
        `the largest function holds ${capacityBytes.large / mebibyte} MiB; choose fewer features or sample the rows`,
    );
  }
  return { estimated_bytes: estimatedBytes, size };
};
