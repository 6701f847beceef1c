/** Starts and stops runs of a state machine. A run is named by its job, so that a start can be repeated. */
export interface Executions {
  /** Does nothing when the job's run was started before. */
  start(
    jobId: string,
    input: { readonly job_id: string; readonly deadline: string; readonly timeout_seconds: number },
  ): Promise<void>;
  stop(jobId: string): Promise<void>;
}
