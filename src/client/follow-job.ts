import type { JobId } from '../contracts/names.ts';
import { type Job, terminalStatuses } from '../contracts/training.ts';
import { MLFrameworkError } from '../errors.ts';
import type { HttpClient } from './http-client.ts';
import type { Progress } from './progress.ts';

/** A job ended otherwise than completed. Its code is the job's, or `JOB_CANCELLED`. */
export class JobFailedError extends MLFrameworkError {
  readonly job: Job;

  constructor(job: Job) {
    const where = job.error?.step === undefined ? '' : ` in step ${job.error.step}`;
    super(
      job.error?.code ?? `JOB_${job.status.toUpperCase()}`,
      job.error === undefined
        ? `job ${job.job_id} was ${job.status}`
        : `${job.error.code}${where}: ${job.error.message}`,
      { evidence: { job_id: job.job_id, status: job.status } },
    );
    this.job = job;
  }
}

const firstPauseMs = 100;
const longestPauseMs = 1_000;

/** Waits for a job to end. @throws {JobFailedError} unless it completes */
export async function followJob(client: HttpClient, jobId: JobId, progress?: Progress): Promise<Job> {
  let pauseMs = firstPauseMs;
  for (;;) {
    const job = (await client.call('getJob', { params: { job_id: jobId } })) as Job;
    progress?.update(job.step ?? job.status, job.progress);
    if (terminalStatuses.includes(job.status)) {
      progress?.clear?.();
      if (job.status !== 'completed') throw new JobFailedError(job);
      return job;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(longestPauseMs, pauseMs * 1.3);
  }
}
