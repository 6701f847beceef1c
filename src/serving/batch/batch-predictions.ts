import { type Clock, isoAt } from '../../clock.ts';
import type { BatchPredictRequest } from '../../contracts/batch.ts';
import type { JobId, ModelName } from '../../contracts/names.ts';
import { batchTimeoutMinutes } from '../../contracts/time-limits.ts';
import type { Job } from '../../contracts/training.ts';
import { DatasetNotFoundError, type DatasetStore } from '../../data/dataset-store.ts';
import { MLFrameworkError } from '../../errors.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { Executions } from '../../training/executions.ts';
import type { JobStore, StoredJob } from '../../training/job-store.ts';
import { jobView } from '../../training/job-view.ts';
import { maxRows, type Row, tooManyRows } from '../input-rows.ts';
import type { ServingPointer, ServingVariant } from '../serving-pointer.ts';
import type { BatchFiles } from './batch-files.ts';
import type { BatchWork } from './batch-work.ts';
import { checkDatasetFits } from './dataset-fit.ts';
import { manifestOf, pinnedBy, type VersionFiles } from './pinned-version.ts';

/** Nothing serves the model, and the request names no version of it. */
export class NoChampionError extends MLFrameworkError {
  constructor(model: string) {
    super(
      'MODEL_NOT_FOUND',
      `no deployed model ${model}; GET /api/v1/ml/models lists yours, and "version" names one that is not deployed`,
      { evidence: { model_id: model } },
    );
  }
}

/** Reads which version serves a model, beside Postgres. */
export interface Champions {
  /** @returns `undefined` when the model is unknown or out of service */
  read(tenant: TenantContext, model: ModelName): Promise<ServingPointer | undefined>;
}

export interface BatchPredictionParts {
  readonly jobs: JobStore;
  readonly executions: Executions;
  readonly datasets: Pick<DatasetStore, 'get'>;
  readonly champions: Champions;
  readonly versions: VersionFiles;
  readonly files: Pick<BatchFiles, 'putRows' | 'link'>;
  readonly newJobId: () => JobId;
  readonly clock: Clock;
}

/** Batch predictions as their tenant sees them: start, and read with a link to the result. */
export class BatchPredictions {
  readonly #parts: BatchPredictionParts;

  constructor(parts: BatchPredictionParts) {
    this.#parts = parts;
  }

  /**
   * Checks what can be checked without the data and without Postgres, pins the version, and starts the job. A version
   * that the serving pointer does not know is looked up by the job's first step, beside Postgres.
   * @throws {DatasetNotFoundError}
   * @throws {NoChampionError}
   * @throws {FeatureColumnMissingError}
   * @throws {FeatureTypeMismatchError}
   */
  async start(tenant: TenantContext, request: BatchPredictRequest): Promise<StoredJob> {
    const { datasets, versions } = this.#parts;
    const [dataset, pinned] = await Promise.all([
      datasets.get(tenant, request.dataset_id),
      this.#pinned(tenant, request.model_name, request.version),
    ]);
    if (dataset === undefined) throw new DatasetNotFoundError(request.dataset_id);
    if (pinned !== undefined) {
      const where = { tenant, model: request.model_name, files: versions };
      checkDatasetFits((await manifestOf(where, pinned)).features, dataset, request);
    }
    return this.#create(tenant, this.#parts.newJobId(), request, pinned);
  }

  /**
   * The same for rows that came with a predict call that is not to wait: their result is a JSON list of what an online
   * answer holds, with an error in place of a row that cannot be read.
   * @throws {NoChampionError}
   * @throws {ValidationError} TOO_MANY_ROWS
   */
  async startFromRows(
    tenant: TenantContext,
    request: {
      readonly model_name: ModelName;
      readonly version?: string;
      readonly rows: readonly Row[];
    },
  ): Promise<StoredJob> {
    const { model_name, version, rows } = request;
    if (rows.length > maxRows) throw tooManyRows('input_data', rows.length);
    const pinned = await this.#pinned(tenant, model_name, version);
    const jobId = this.#parts.newJobId();
    await this.#parts.files.putRows(tenant, jobId, Buffer.from(JSON.stringify(rows)));
    const work: BatchWork = {
      ...{ model_name, version, format: 'json' },
      ...{ include_columns: [], probabilities: true },
    };
    return this.#create(tenant, jobId, work, pinned);
  }

  /** Starts the run of a job; started again it does nothing. */
  run(job: StoredJob): Promise<void> {
    return this.#parts.executions.start(job.job_id, {
      job_id: job.job_id,
      deadline: job.deadline,
      timeout_seconds: batchTimeoutMinutes * 60,
      pinned: job.pinned !== undefined,
    });
  }

  /** @returns what the tenant sees of a job of any kind, with a link to its result while that is kept */
  async view(tenant: TenantContext, job: StoredJob): Promise<Job> {
    const view = jobView(job);
    const { result } = view;
    if (result === undefined || this.#parts.clock.nowMs() >= Date.parse(result.kept_until)) return view;
    const { url, expiresAtMs } = await this.#parts.files.link(tenant, job.job_id, result.format);
    return { ...view, result: { ...result, url, expires_at: isoAt(expiresAtMs) } };
  }

  /** @throws {NoChampionError} when no version is named and none serves */
  async #pinned(
    tenant: TenantContext,
    model: ModelName,
    version: string | undefined,
  ): Promise<ServingVariant | undefined> {
    const pointer = await this.#parts.champions.read(tenant, model);
    if (version === undefined && pointer === undefined) throw new NoChampionError(model);
    return pointer === undefined ? undefined : pinnedBy(pointer, version);
  }

  async #create(
    tenant: TenantContext,
    job_id: JobId,
    { model_name, version, dataset_id, format, include_columns, probabilities }: BatchWork,
    pinned: ServingVariant | undefined,
  ): Promise<StoredJob> {
    const { jobs, clock } = this.#parts;
    const now = isoAt(clock.nowMs());
    const batch: BatchWork = {
      ...{ model_name, format, include_columns, probabilities },
      ...(version === undefined ? {} : { version }),
      ...(dataset_id === undefined ? {} : { dataset_id }),
    };
    const job: StoredJob = {
      ...{ job_id, kind: 'batch', status: 'queued', progress: 0, trigger: 'request' },
      ...{ model_name, batch, actor: tenant.actor },
      ...(dataset_id === undefined ? {} : { dataset_id }),
      ...(pinned === undefined ? {} : { pinned, model_version: pinned.version }),
      ...{ created_at: now, updated_at: now },
      deadline: isoAt(clock.nowMs() + batchTimeoutMinutes * 60_000),
    };
    await jobs.create(tenant, job);
    await this.run(job);
    return job;
  }
}
