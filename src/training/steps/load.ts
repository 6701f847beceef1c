import { DatasetNotFoundError } from '../../data/dataset-store.ts';
import { TrainingError } from '../../errors.ts';
import { candidatesOf, columnsOf } from '../selection-request.ts';
import {
  capacityBytes,
  dataOfDataset,
  estimatedTrainingBytes,
  mebibyte,
  sizeFor,
} from '../training-memory.ts';
import type { Step } from './step.ts';

/**
 * Finds the dataset and chooses the size of function for the steps to come.
 * @throws {TrainingError} DATASET_TOO_LARGE
 */
export const loadStep: Step = async ({ tenant, job, datasets }) => {
  const { request } = job;
  const dataset = await datasets.get(tenant, request.dataset_id);
  if (dataset === undefined) throw new DatasetNotFoundError(request.dataset_id);
  const data = dataOfDataset(request, dataset);
  const candidates = candidatesOf(request, request.model_type!, data.nClasses);
  const estimatedBytes = estimatedTrainingBytes(candidates, data);
  const size = sizeFor(estimatedBytes);
  if (size === undefined) {
    throw new TrainingError(
      'DATASET_TOO_LARGE',
      `training on ${dataset.n_rows} rows × ${columnsOf(request)?.length ?? dataset.n_columns} columns needs about ${Math.ceil(estimatedBytes / mebibyte)} MiB, ` +
        `the largest function holds ${capacityBytes.large / mebibyte} MiB; choose fewer features or sample the rows`,
    );
  }
  return { estimated_bytes: estimatedBytes, size };
};
