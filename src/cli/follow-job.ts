import type { HttpClient } from '../client/http-client.ts';
import type { JobId } from '../contracts/names.ts';
import { type Job, terminalStatuses } from '../contracts/training.ts';
import type { ProgressBar } from './output.ts';

/** A job ended otherwise than completed. */
export class JobFailedError extends Error {
  readonly job: Job;

  constructor(job: Job) {
    const where = job.error?.step === undefined ? '' : ` in step ${job.error.step}`;
    super(
      job.error === undefined
        ? `job ${job.job_id} was ${job.status}`
        : `${job.error.code}${where}: ${job.error.message}`,
    );
    this.job = job;
  }
}

const firstPauseMs = 100;
const longestPauseMs = 1_000;

/** Waits for a job to end. @throws {JobFailedError} unless it completes */
export async function followJob(client: HttpClient, jobId: JobId, bar: ProgressBar): Promise<Job> {
  let pauseMs = firstPauseMs;
  for (;;) {
    const job = (await client.call('getJob', { params: { job_id: jobId } })) as Job;
    bar.update(job.step ?? job.status, job.progress);
    if (terminalStatuses.includes(job.status)) {
      bar.clear();
      if (job.status !== 'completed') throw new JobFailedError(job);
      return job;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(longestPauseMs, pauseMs * 1.3);
  }
}
