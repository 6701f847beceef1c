import { type Clock, isoAt } from '../clock.ts';
import type { Dataset } from '../contracts/datasets.ts';
import type { JobId } from '../contracts/names.ts';
import { type Job, type ModelTrainingRequest, Task, terminalStatuses } from '../contracts/training.ts';
import { DatasetNotFoundError } from '../data/dataset-store.ts';
import { type FieldError, MLFrameworkError, ValidationError } from '../errors.ts';
import { algorithmNamed, checkAlgorithmFitsTask, resolveHyperparameters } from '../ml/algorithms.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { Executions } from './executions.ts';
import type { JobStore, Page, StoredJob } from './job-store.ts';
import { checkSelection } from './selection-request.ts';

export class JobNotFoundError extends MLFrameworkError {
  constructor(jobId: string) {
    super('JOB_NOT_FOUND', `no job ${jobId}; GET /api/v1/ml/jobs lists yours`);
  }
}

export class JobAlreadyEndedError extends MLFrameworkError {
  constructor(job: Job) {
    super(
      'JOB_ALREADY_ENDED',
      `job ${job.job_id} is ${job.status}; only a queued or running job can be cancelled`,
    );
  }
}

/** A queued job whose run has not begun by then is started again; a start can be repeated. */
const restartQueuedAfterMs = 60_000;
/** How long after its deadline a job that nobody closed is closed by whoever looks at it. */
const closeAfterDeadlineMs = 10 * 60_000;

export interface TrainingParts {
  readonly jobs: JobStore;
  readonly executions: Executions;
  /** Starts the run of a batch prediction again. */
  readonly restartBatch?: (job: StoredJob) => Promise<void>;
  readonly dataset: (tenant: TenantContext, request: ModelTrainingRequest) => Promise<Dataset | undefined>;
  readonly newJobId: () => JobId;
  readonly clock: Clock;
  readonly timeoutMinutes: number;
  /** What the tenant gives a training, where that is less. @default - nobody gives less */
  readonly ownTimeoutMinutes?: (tenant: TenantContext) => Promise<number | undefined>;
}

/** Training jobs as their tenant sees them: start, follow, cancel. */
export class TrainingJobs {
  readonly #parts: TrainingParts;

  constructor(parts: TrainingParts) {
    this.#parts = parts;
  }

  /**
   * Checks what can be checked without reading the data, and starts the job.
   * @throws {DatasetNotFoundError}
   * @throws {ValidationError} an unknown column or hyperparameter, or an algorithm that does not fit the task
   */
  async start(
    tenant: TenantContext,
    request: ModelTrainingRequest,
    as: { readonly jobId?: JobId; readonly trigger: Job['trigger'] } = { trigger: 'request' },
  ): Promise<StoredJob> {
    const dataset = await this.#parts.dataset(tenant, request);
    if (dataset === undefined) throw new DatasetNotFoundError(request.dataset_id);
    checkColumns(request, dataset);
    const model_type = checkedTask(request, dataset);
    checkSelection(request, model_type, dataset);
    if (model_type === 'regression') checkNumericTarget(request, dataset);
    // Who may not deploy trains all the same: the version waits for someone who may.
    const auto_promote = request.auto_promote && tenant.may('models:deploy');
    return this.startChecked(tenant, { ...request, model_type, auto_promote }, as.trigger, as.jobId);
  }

  /** Starts the job of a request that was checked before: of a schedule. */
  async startChecked(
    tenant: TenantContext,
    request: ModelTrainingRequest,
    trigger: Job['trigger'],
    jobId?: JobId,
  ): Promise<StoredJob> {
    const { jobs, clock, newJobId, timeoutMinutes, ownTimeoutMinutes } = this.#parts;
    const own = await ownTimeoutMinutes?.(tenant);
    const minutes = Math.min(timeoutMinutes, own ?? timeoutMinutes);
    const nowMs = clock.nowMs();
    const job: StoredJob = {
      job_id: jobId ?? newJobId(),
      kind: 'training',
      status: 'queued',
      progress: 0,
      trigger,
      model_name: request.model_name,
      dataset_id: request.dataset_id,
      actor: tenant.actor,
      request,
      created_at: isoAt(nowMs),
      updated_at: isoAt(nowMs),
      deadline: isoAt(nowMs + minutes * 60_000),
    };
    await jobs.create(tenant, job);
    await this.#run(job);
    return job;
  }

  /** Newest first; jobs that were forgotten are mended as by `get`. */
  async list(
    tenant: TenantContext,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<Page<StoredJob>> {
    const listed = await this.#parts.jobs.list(tenant, page);
    return { ...listed, items: await Promise.all(listed.items.map((job) => this.#mended(tenant, job))) };
  }

  /** @throws {JobNotFoundError} */
  async get(tenant: TenantContext, jobId: JobId): Promise<StoredJob> {
    const job = await this.#parts.jobs.get(tenant, jobId);
    if (job === undefined) throw new JobNotFoundError(jobId);
    return this.#mended(tenant, job);
  }

  async #mended(tenant: TenantContext, job: StoredJob): Promise<StoredJob> {
    const { jobs, clock } = this.#parts;
    const jobId = job.job_id;
    if (terminalStatuses.includes(job.status)) return job;
    const nowMs = clock.nowMs();
    // Nothing may say "running" for ever: whoever looks at a job that was forgotten mends it.
    if (nowMs > Date.parse(job.deadline) + closeAfterDeadlineMs) {
      await jobs.end(tenant, jobId, {
        status: 'timed_out',
        error: { code: 'TIMED_OUT', message: `the job did not end by its deadline ${job.deadline}` },
      });
      return (await jobs.get(tenant, jobId)) ?? job;
    }
    if (job.status === 'queued' && nowMs - Date.parse(job.created_at) > restartQueuedAfterMs) {
      if (job.kind === 'training') await this.#run(job);
      if (job.kind === 'batch') await this.#parts.restartBatch?.(job);
    }
    return job;
  }

  /**
   * The job is cancelled at once; a step that still works on it stops at its next word of progress.
   * @throws {JobNotFoundError}
   * @throws {JobAlreadyEndedError}
   */
  async cancel(
    tenant: TenantContext,
    jobId: JobId,
    executions: (job: StoredJob) => Executions,
  ): Promise<StoredJob> {
    const { jobs } = this.#parts;
    const job = await jobs.get(tenant, jobId);
    if (job === undefined) throw new JobNotFoundError(jobId);
    const ended = await jobs.end(tenant, jobId, { status: 'cancelled' });
    const after = (await jobs.get(tenant, jobId)) ?? job;
    if (!ended) throw new JobAlreadyEndedError(after);
    await executions(job).stop(jobId);
    return after;
  }

  #run(job: StoredJob): Promise<void> {
    return this.#parts.executions.start(job.job_id, {
      job_id: job.job_id,
      deadline: job.deadline,
      timeout_seconds: (Date.parse(job.deadline) - Date.parse(job.created_at)) / 1000,
    });
  }
}

/** @returns the task of the request, for which its algorithm and hyperparameters are fit */
function checkedTask(request: ModelTrainingRequest, dataset: Dataset): Task {
  if (request.algorithm === 'auto') return request.model_type ?? taskOf(request, dataset, Task.options);
  resolveHyperparameters(request.algorithm, request.hyperparameters);
  const algorithm = algorithmNamed(request.algorithm);
  const task = request.model_type ?? taskOf(request, dataset, algorithm.tasks);
  checkAlgorithmFitsTask(algorithm, task);
  return task;
}

/** A number with this many distinct values or fewer is taken for a label. */
const maxDistinctLabels = 20;

/** @returns the task that the target asks for; the algorithm decides where it knows only one */
function taskOf(request: ModelTrainingRequest, dataset: Dataset, tasks: readonly Task[]): Task {
  const target = dataset.columns.find(({ name }) => name === request.target)!;
  if (tasks.length === 1) return tasks[0]!;
  return target.type === 'number' && target.n_distinct > maxDistinctLabels ? 'regression' : 'classification';
}

const held = { boolean: 'true and false', date: 'dates', category: 'text' } as const;

function checkNumericTarget(request: ModelTrainingRequest, dataset: Dataset): void {
  const type = dataset.columns.find(({ name }) => name === request.target)!.type;
  if (type === 'number') return;
  const detail = `regression needs numbers, but ${JSON.stringify(request.target)} holds ${held[type]}; choose classification or another target`;
  throw new ValidationError(detail, { code: 'TARGET_NOT_NUMERIC', errors: [{ pointer: '/target', detail }] });
}

function checkColumns(request: ModelTrainingRequest, dataset: Dataset): void {
  const names = dataset.columns.map(({ name }) => name);
  const list =
    names.length <= 30 ? names.join(', ') : `${names.slice(0, 30).join(', ')}, … (${names.length})`;
  const errors: FieldError[] = [];
  if (!names.includes(request.target)) {
    errors.push({
      pointer: '/target',
      detail: `the dataset has no column ${JSON.stringify(request.target)}; it has ${list}`,
    });
  }
  for (const [i, feature] of (request.features ?? []).entries()) {
    if (feature === request.target)
      errors.push({ pointer: `/features/${i}`, detail: 'the target cannot be a feature' });
    else if (!names.includes(feature)) {
      errors.push({
        pointer: `/features/${i}`,
        detail: `the dataset has no column ${JSON.stringify(feature)}`,
      });
    }
  }
  if (errors.length > 0) throw new ValidationError(errors[0]!.detail, { errors: errors.slice(0, 20) });
}
