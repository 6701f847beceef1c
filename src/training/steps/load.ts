import { DatasetNotFoundError } from '../../data/dataset-store.ts';
import { TrainingError } from '../../errors.ts';
import { columnsOf } from '../selection-request.ts';
import type { Step } from './step.ts';

/** Bytes in memory for one value while a model is fitted: float64 column, float32 matrix, bins, and room. */
const bytesPerValue = 32;
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

/**
 * Finds the dataset and chooses the size of function for the steps to come.
 * @throws {TrainingError} DATASET_TOO_LARGE
 */
export const loadStep: Step = async ({ tenant, job, datasets }) => {
  const { dataset_id } = job.request;
  const dataset = await datasets.get(tenant, dataset_id);
  if (dataset === undefined) throw new DatasetNotFoundError(dataset_id);
  const nColumns = columnsOf(job.request)?.length ?? dataset.n_columns;
  const estimatedBytes = dataset.n_rows * nColumns * bytesPerValue;
  const size = sizeFor(estimatedBytes);
  if (size === undefined) {
    throw new TrainingError(
      'DATASET_TOO_LARGE',
      `training on ${dataset.n_rows} rows × ${nColumns} columns needs about ${Math.ceil(estimatedBytes / mebibyte)} MiB, ` +
        `the largest function holds ${capacityBytes.large / mebibyte} MiB; choose fewer features or sample the rows`,
    );
  }
  return { estimated_bytes: estimatedBytes, size };
};
