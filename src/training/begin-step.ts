import type { Clock } from '../clock.ts';
import { JobId } from '../contracts/names.ts';
import { MLFrameworkError } from '../errors.ts';
import { TenantContext } from '../tenancy/tenant-context.ts';
import { JobEndedError, type JobStore, type StoredJob } from './job-store.ts';
import { progressAt, type StepEvent } from './steps/step.ts';

/** The job's own time is over. */
export class JobTimedOutError extends MLFrameworkError {
  constructor(deadline: string) {
    super(
      'TIMED_OUT',
      `the job did not end by its deadline ${deadline}; train on less data or raise ML_TRAINING_TIMEOUT_MINUTES`,
    );
  }
}

/**
 * Opens the job that a step belongs to, for its tenant, and says that the step has begun.
 * @throws {JobEndedError} when the job was cancelled or closed
 * @throws {JobTimedOutError} when its deadline has passed
 */
export async function beginStep(
  jobs: JobStore,
  clock: Clock,
  event: StepEvent<keyof typeof progressAt>,
  requestId: string,
) {
  const tenant = await TenantContext.fromJob(jobs, event.job_id, requestId);
  const jobId = JobId.parse(event.job_id);
  if (clock.nowMs() >= Date.parse(event.deadline)) throw new JobTimedOutError(event.deadline);
  await jobs.progress(tenant, jobId, { step: event.step, progress: progressAt[event.step] });
  const job = await jobs.get(tenant, jobId);
  if (job?.request === undefined) throw new JobEndedError(jobId);
  return { tenant, job: job as StoredJob & { request: NonNullable<StoredJob['request']> } };
}
