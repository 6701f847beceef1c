import type { Clock } from '../../clock.ts';
import { JobId } from '../../contracts/names.ts';
import type { DatasetStore } from '../../data/dataset-store.ts';
import type { KeptDataset } from '../../data/kept-dataset.ts';
import { MLFrameworkError } from '../../errors.ts';
import { TenantContext } from '../../tenancy/tenant-context.ts';
import { JobEndedError, type JobStore, type StoredJob } from '../../training/job-store.ts';
import type { ManifestSignatures } from '../manifest-signatures.ts';
import type { BatchEngine } from './batch-engine.ts';
import type { BatchFiles, ResultFacts } from './batch-files.ts';
import type { BatchWork } from './batch-work.ts';
import type { LastModel, VersionFiles } from './pinned-version.ts';

export type BatchStepName = 'plan' | 'score' | 'assemble';

/** How far a job is when a step begins; `score` fills its share by rows. */
export const batchProgressAt = { 'resolve-version': 0.01, plan: 0.02, score: 0.05, assemble: 0.9 } as const;

/** Numbers and facts that one step leaves for the next; a few kilobytes at most. */
export interface BatchState {
  readonly n_rows?: number;
  readonly rows_per_part?: number;
  /** Numbers of the parts to score. */
  readonly parts?: readonly number[];
  /** Of one item of the Map: its part. */
  readonly part?: number;
  readonly result?: ResultFacts;
}

/** What the state machine sends to a step. */
export interface BatchStepEvent<Name extends string = BatchStepName> {
  readonly step: Name;
  readonly job_id: string;
  /** RFC 3339 */
  readonly deadline: string;
  readonly input: BatchState;
}

export interface BatchParts {
  readonly jobs: JobStore;
  readonly datasets: DatasetStore;
  readonly keptDataset: KeptDataset;
  readonly versions: VersionFiles;
  readonly signatures: ManifestSignatures;
  readonly lastModel: LastModel;
  /** What a loaded model may take of the function's memory. */
  readonly modelLimitBytes: number;
  readonly files: BatchFiles;
  /** Opens an engine that may touch the folder only. */
  readonly openEngine: (folder: string) => Promise<BatchEngine>;
  readonly clock: Clock;
  readonly resultDays: number;
  /** @default - as `planParts` has it */
  readonly rowsPerPart?: number | undefined;
}

export type BatchJob = StoredJob & { readonly batch: BatchWork };

export interface BatchStepContext extends BatchParts {
  readonly tenant: TenantContext;
  readonly job: BatchJob & { readonly pinned: NonNullable<StoredJob['pinned']> };
}

/** The job's own time is over. */
export class BatchTimedOutError extends MLFrameworkError {
  constructor(deadline: string) {
    super(
      'TIMED_OUT',
      `the job did not end by its deadline ${deadline}; score the dataset in several parts, or with a smaller model`,
    );
  }
}

/**
 * Opens the job that a step belongs to, for its tenant, and says that the step has begun.
 * @throws {JobEndedError} when the job was cancelled or closed
 * @throws {BatchTimedOutError} when its deadline has passed
 */
export async function beginBatchStep(
  { jobs, clock }: Pick<BatchParts, 'jobs' | 'clock'>,
  event: BatchStepEvent<keyof typeof batchProgressAt>,
  requestId: string,
): Promise<{ tenant: TenantContext; job: BatchJob }> {
  const tenant = await TenantContext.fromJob(jobs, event.job_id, requestId);
  const jobId = JobId.parse(event.job_id);
  if (clock.nowMs() >= Date.parse(event.deadline)) throw new BatchTimedOutError(event.deadline);
  await jobs.progress(tenant, jobId, { step: event.step, progress: batchProgressAt[event.step] });
  const job = await jobs.get(tenant, jobId);
  if (job?.batch === undefined) throw new JobEndedError(jobId);
  return { tenant, job: job as BatchJob };
}
