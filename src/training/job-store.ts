import type { JobId, UploadId } from '../contracts/names.ts';
import type { Job, JobStatus, ModelTrainingRequest } from '../contracts/training.ts';
import { MLFrameworkError } from '../errors.ts';
import type { ImportPlan } from '../imports/import-work.ts';
import type { BatchWork } from '../serving/batch/batch-work.ts';
import type { ServingVariant } from '../serving/serving-pointer.ts';
import type { JobOwners, TenantContext } from '../tenancy/tenant-context.ts';

/** How long a job is kept after it was created. */
export const jobRetentionSeconds = 90 * 24 * 60 * 60;

/** A job as it is stored: what a caller sees, and what its steps work from. */
export interface StoredJob extends Job {
  readonly actor: string;
  /** Of a training job. */
  readonly request?: ModelTrainingRequest;
  /** Of an ingest job and of an import. */
  readonly upload_id?: UploadId;
  readonly import?: ImportPlan;
  /** Of a batch prediction. */
  readonly batch?: BatchWork;
  /** The version that scores all rows of it. */
  readonly pinned?: ServingVariant;
  /** How its rows are divided. */
  readonly parts?: { readonly n_rows: number; readonly rows_per_part: number };
  /** Numbers of the parts that are scored. */
  readonly parts_done?: readonly number[];
}

/** What a job ends with. */
export interface JobEnd {
  readonly status: Exclude<JobStatus, 'queued' | 'running'>;
  readonly error?: Job['error'];
  readonly modelVersion?: string;
  readonly datasetId?: string;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly promotion?: Job['promotion'];
  readonly result?: Job['result'];
}

/** What is known of a job before it ends. */
export type JobFindings = Partial<
  Pick<
    StoredJob,
    | 'algorithm'
    | 'leaderboard'
    | 'cross_validation'
    | 'baselines'
    | 'model_version'
    | 'pinned'
    | 'parts'
    | 'inspection'
    | 'refusal'
  >
>;

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

/** The job was cancelled or closed while a step worked on it; the step stops. */
export class JobEndedError extends MLFrameworkError {
  constructor(jobId: string) {
    super('JOB_ENDED', `job ${jobId} has ended; its work stops`);
  }
}

/**
 * Live jobs. States: queued → running → completed | failed | timed_out | cancelled, and queued → any end.
 * An end is final: every write is conditional on the job not having ended.
 */
export interface JobStore extends JobOwners {
  /** Writes the owner item first, then the job: a job that can be seen can be worked on. */
  create(tenant: TenantContext, job: StoredJob): Promise<void>;
  get(tenant: TenantContext, jobId: JobId): Promise<StoredJob | undefined>;
  /** Newest first. */
  list(tenant: TenantContext, page: { limit: number; cursor?: string | undefined }): Promise<Page<StoredJob>>;
  /**
   * Marks the job running and says how far it is; it never goes back, whichever of parallel steps speaks last.
   * @throws {JobEndedError} when it has ended meanwhile
   */
  progress(tenant: TenantContext, jobId: JobId, at: { step: string; progress: number }): Promise<void>;
  /**
   * Keeps what was found out so far.
   * @throws {JobEndedError} when it has ended meanwhile
   */
  record(tenant: TenantContext, jobId: JobId, findings: JobFindings): Promise<void>;
  /**
   * Says that a part of a batch prediction is scored; said again it is counted once.
   * @returns the numbers of all parts that are scored
   * @throws {JobEndedError} when it has ended meanwhile
   */
  finishPart(tenant: TenantContext, jobId: JobId, part: number): Promise<readonly number[]>;
  /** @returns false when the job had ended before */
  end(tenant: TenantContext, jobId: JobId, end: JobEnd): Promise<boolean>;
}
