import type { Dataset } from '../../contracts/datasets.ts';
import { DatasetNotFoundError } from '../../data/dataset-store.ts';
import type { BatchState, BatchStepContext } from './batch-step.ts';
import { checkDatasetFits } from './dataset-fit.ts';
import { inlineRows } from './inline-rows.ts';
import { nParts, planParts } from './parts.ts';
import { checkModelSize, manifestOf } from './pinned-version.ts';

/**
 * Checks the dataset against the version's features, and divides its rows.
 * @throws {DatasetNotFoundError}
 * @throws {FeatureColumnMissingError}
 * @throws {FeatureTypeMismatchError}
 * @throws {ModelTooLargeForBatchError}
 */
export async function plan(context: BatchStepContext): Promise<BatchState> {
  const { tenant, job, versions, signatures, modelLimitBytes, rowsPerPart } = context;
  checkModelSize(job.pinned, modelLimitBytes);
  if (job.batch.dataset_id === undefined) {
    const n_rows = (await inlineRows(context)).length;
    // One part, so small that the last step scores it by itself.
    return record(context, { n_rows, rows_per_part: Math.max(1, n_rows) }, []);
  }
  const dataset = await datasetOf(context);
  const where = { tenant, model: job.batch.model_name, files: versions, signatures };
  const manifest = await manifestOf(where, job.pinned);
  checkDatasetFits(manifest.features, dataset, job.batch);
  const division = planParts(dataset.n_rows, rowsPerPart);
  return record(
    context,
    division,
    Array.from({ length: nParts(division) }, (_, part) => part),
  );
}

async function record(
  { tenant, job, jobs }: BatchStepContext,
  division: { n_rows: number; rows_per_part: number },
  parts: readonly number[],
): Promise<BatchState> {
  await jobs.record(tenant, job.job_id, { parts: division });
  return { ...division, parts };
}

/** @throws {DatasetNotFoundError} */
export async function datasetOf({ tenant, job, datasets }: BatchStepContext): Promise<Dataset> {
  const dataset = await datasets.get(tenant, job.batch.dataset_id!);
  if (dataset === undefined) throw new DatasetNotFoundError(job.batch.dataset_id!);
  return dataset;
}
