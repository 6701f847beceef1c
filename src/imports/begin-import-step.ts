import type { Clock } from '../clock.ts';
import { JobId, type UploadId } from '../contracts/names.ts';
import { MLFrameworkError } from '../errors.ts';
import { TenantContext } from '../tenancy/tenant-context.ts';
import { JobEndedError, type JobStore, type StoredJob } from '../training/job-store.ts';
import type { ImportPlan } from './import-work.ts';

/** What steps of an import leave for each other. */
export interface ImportState {
  readonly build_id?: string;
  readonly manifest_sha256?: string;
  readonly model_version?: string;
  readonly decision?: 'deploy' | 'keep';
  readonly reasons?: readonly string[];
}

export type ImportStepName = 'inspect' | 'register-import' | 'deploy-import';

/** What the state machine sends to a step. */
export interface ImportStepEvent<Name extends ImportStepName = ImportStepName> {
  readonly step: Name;
  readonly job_id: string;
  /** RFC 3339 */
  readonly deadline: string;
  readonly input: ImportState;
}

export type ImportJob = StoredJob & { readonly import: ImportPlan; readonly upload_id: UploadId };

const progressAt: Readonly<Record<ImportStepName, number>> = {
  inspect: 0.1,
  'register-import': 0.8,
  'deploy-import': 0.9,
};

/** The job's own time is over. */
export class ImportTimedOutError extends MLFrameworkError {
  constructor(deadline: string) {
    super('TIMED_OUT', `the import did not end by its deadline ${deadline}; start it again`);
  }
}

/**
 * Opens the job that a step belongs to, for its tenant, and says that the step has begun.
 * @throws {JobEndedError} when the job was cancelled or closed
 * @throws {ImportTimedOutError}
 */
export async function beginImportStep(
  { jobs, clock }: { readonly jobs: JobStore; readonly clock: Clock },
  { job_id, step, deadline }: ImportStepEvent,
  requestId: string,
): Promise<{ tenant: TenantContext; job: ImportJob }> {
  const tenant = await TenantContext.fromJob(jobs, job_id, requestId);
  const jobId = JobId.parse(job_id);
  if (clock.nowMs() >= Date.parse(deadline)) throw new ImportTimedOutError(deadline);
  await jobs.progress(tenant, jobId, { step, progress: progressAt[step] });
  const job = await jobs.get(tenant, jobId);
  if (job?.import === undefined || job.upload_id === undefined) throw new JobEndedError(jobId);
  return { tenant, job: job as ImportJob };
}
