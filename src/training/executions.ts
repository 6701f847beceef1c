/** What the run of a job begins with: no data and no tenant, which the job itself leads to. */
export interface RunInput {
  readonly job_id: string;
  readonly deadline: string;
  readonly timeout_seconds: number;
  /** Of a batch prediction: whether its version is known, so that nobody has to ask the registry. */
  readonly pinned?: boolean;
}

/** Starts and stops runs of a state machine. A run is named by its job, so that a start can be repeated. */
export interface Executions {
  /** Does nothing when the job's run was started before. */
  start(jobId: string, input: RunInput): Promise<void>;
  stop(jobId: string): Promise<void>;
}
