import type { Clock } from '../clock.ts';
import type { ModelManifest } from '../contracts/models.ts';
import type { RetrainRequest } from '../contracts/monitoring.ts';
import type { JobId, ModelName } from '../contracts/names.ts';
import { ModelTrainingRequest, terminalStatuses } from '../contracts/training.ts';
import { MLFrameworkError } from '../errors.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { JobStore, StoredJob } from './job-store.ts';
import type { TrainingJobs } from './training-jobs.ts';

export class RetrainingInProgressError extends MLFrameworkError {
  constructor(model: string, jobId: string) {
    super(
      'RETRAINING_IN_PROGRESS',
      `model ${model} is being retrained by job ${jobId}; wait for its end, or cancel it`,
      { evidence: { job_id: jobId } },
    );
  }
}

/** Nothing says how the version was made. */
export class NotRetrainableError extends MLFrameworkError {
  constructor(model: string, version: string) {
    super(
      'NOT_RETRAINABLE',
      `version ${version} of model ${model} was brought as a file, which cannot be trained here; import a new one, or train with POST /api/v1/ml/train`,
    );
  }
}

/** Which job retrains a model: at most one at a time. */
export interface RetrainingRuns {
  current(tenant: TenantContext, model: ModelName): Promise<RetrainingRun | undefined>;
  /** @returns false when another was faster, and nothing was changed */
  replace(
    tenant: TenantContext,
    model: ModelName,
    run: { readonly before: JobId | undefined; readonly after: RetrainingRun },
  ): Promise<boolean>;
}

export interface RetrainingRun {
  readonly jobId: JobId;
  readonly takenAtMs: number;
}

/** Within it the job of a run is written; a run without a job that is older was given up. */
const writtenWithinMs = 30_000;

/** What the deployed version was trained with, asked for again. */
export function requestOf(
  manifest: ModelManifest,
  { auto_promote, notes }: RetrainRequest,
): ModelTrainingRequest {
  const { split, features, hyperparameters = {} } = manifest;
  return ModelTrainingRequest.parse({
    ...{ model_name: manifest.model_name, dataset_id: manifest.dataset_id, target: manifest.target },
    ...{ model_type: manifest.task, algorithm: manifest.algorithm, hyperparameters, auto_promote },
    features: features.map(({ name }) => name),
    ...(split === undefined
      ? {}
      : { split: split.kind, test_size: split.test_size, random_state: split.random_state }),
    // It was enough for the version that serves.
    min_samples: Math.max(2, Math.min(100, (split?.n_train ?? 100) + (split?.n_test ?? 0))),
    ...(notes === undefined ? {} : { notes }),
  });
}

/**
 * Starts the training of the deployed version anew.
 * @throws {NotRetrainableError}
 * @throws {RetrainingInProgressError} while another one runs
 * @throws what `TrainingJobs.start` throws
 */
export async function retrain(
  tenant: TenantContext,
  deployed: { readonly version: string; readonly manifest: ModelManifest },
  request: RetrainRequest,
  parts: {
    readonly jobs: Pick<TrainingJobs, 'start'>;
    readonly store: Pick<JobStore, 'get'>;
    readonly runs: RetrainingRuns;
    readonly newJobId: () => JobId;
    readonly clock: Clock;
  },
): Promise<StoredJob> {
  const { version, manifest } = deployed;
  const model = manifest.model_name;
  if (manifest.origin === 'imported' || manifest.dataset_id === undefined)
    throw new NotRetrainableError(model, version);
  const nowMs = parts.clock.nowMs();
  const before = await parts.runs.current(tenant, model);
  if (before !== undefined) {
    const job = await parts.store.get(tenant, before.jobId);
    const isRunning =
      job === undefined ? nowMs - before.takenAtMs < writtenWithinMs : !terminalStatuses.includes(job.status);
    if (isRunning) throw new RetrainingInProgressError(model, before.jobId);
  }
  const jobId = parts.newJobId();
  const after = { jobId, takenAtMs: nowMs };
  if (!(await parts.runs.replace(tenant, model, { before: before?.jobId, after }))) {
    const winner = await parts.runs.current(tenant, model);
    throw new RetrainingInProgressError(model, winner?.jobId ?? 'unknown');
  }
  return parts.jobs.start(tenant, requestOf(manifest, request), { jobId, trigger: 'retrain' });
}
