/** No schema library here: the predict path may load this file. */
import { type Clock, isoAt } from '../../clock.ts';
import { isTrialEnvironment, type TrialEnvironment } from '../../contracts/environment-names.ts';
import type { JobId, ModelName } from '../../contracts/names.ts';
import { batchTimeoutMinutes } from '../../contracts/time-limits.ts';
import { MLFrameworkError } from '../../errors.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { Executions } from '../../training/executions.ts';
import type { JobStore, StoredJob } from '../../training/job-store.ts';
import { InvalidInputError, maxRows, type Row, tooManyRows } from '../input-rows.ts';
import { VersionNotServedError } from '../served-model.ts';
import type { ServingPointer, ServingVariant } from '../serving-pointer.ts';
import { variantOfVersion, versionsOf } from '../traffic.ts';
import type { BatchFiles } from './batch-files.ts';
import type { BatchWork } from './batch-work.ts';
import { pinnedBy } from './pinned-version.ts';

/** Nothing serves the model, and the request names no version of it. */
export class NoChampionError extends MLFrameworkError {
  constructor(model: string, environment?: TrialEnvironment) {
    const where = environment === undefined ? '' : ` in ${environment}`;
    super(
      'MODEL_NOT_FOUND',
      `no deployed model ${model}${where}; GET /api/v1/ml/models lists yours, and "version" names one that is not deployed`,
      { evidence: { model_id: model } },
    );
  }
}

/** Reads which version serves a model, beside Postgres. */
export interface Champions {
  /** @returns `undefined` when the model is unknown or out of service there */
  read(
    tenant: TenantContext,
    model: ModelName,
    environment?: TrialEnvironment,
  ): Promise<ServingPointer | undefined>;
}

export interface BatchStarterParts {
  readonly jobs: Pick<JobStore, 'create'>;
  readonly executions: Pick<Executions, 'start'>;
  readonly champions: Champions;
  readonly files: Pick<BatchFiles, 'putRows'>;
  readonly newJobId: () => JobId;
  readonly clock: Clock;
}

/** @throws {InvalidInputError} for values that lie deeper than can be written */
function bytesOf(rows: readonly Row[]): Buffer {
  try {
    return Buffer.from(JSON.stringify(rows));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InvalidInputError('input_data is nested too deeply; a row holds numbers, texts and booleans', [
      { pointer: '/input_data', detail: 'nested too deeply' },
    ]);
  }
}

/** What starts jobs of the batch machine. */
export class BatchStarter {
  readonly #parts: BatchStarterParts;

  constructor(parts: BatchStarterParts) {
    this.#parts = parts;
  }

  /**
   * Starts a job for rows that came with a predict call that is not to wait: the result is a JSON list of what an
   * online answer holds, with an error in place of a row that cannot be read.
   * @param request.environment production when left out
   * @param request.version one that serves there, as for a call that waits
   * @throws {NoChampionError}
   * @throws {VersionNotServedError}
   * @throws {ValidationError} TOO_MANY_ROWS
   */
  async startFromRows(
    tenant: TenantContext,
    request: {
      readonly model_name: ModelName;
      readonly environment?: TrialEnvironment | undefined;
      readonly version?: string | undefined;
      readonly rows: readonly Row[];
    },
  ): Promise<StoredJob> {
    const { model_name, environment, rows } = request;
    if (rows.length > maxRows) throw tooManyRows('input_data', rows.length);
    const bytes = bytesOf(rows);
    const pinned = await this.#served(tenant, model_name, request);
    const version = request.version ?? environment;
    const jobId = this.#parts.newJobId();
    await this.#parts.files.putRows(tenant, jobId, bytes);
    const work: BatchWork = {
      ...{ model_name, version, format: 'json' },
      ...{ include_columns: [], probabilities: true },
    };
    return this.create(tenant, work, pinned, jobId);
  }

  async #served(
    tenant: TenantContext,
    model: ModelName,
    {
      environment,
      version,
    }: { readonly environment?: TrialEnvironment | undefined; readonly version?: string | undefined },
  ): Promise<ServingVariant | undefined> {
    const pointer = await this.#parts.champions.read(tenant, model, environment);
    if (pointer === undefined) throw new NoChampionError(model, environment);
    if (version !== undefined && variantOfVersion(pointer, version) === undefined)
      throw new VersionNotServedError(model, version, versionsOf(pointer));
    return pinnedBy(pointer, version);
  }

  /**
   * @returns `undefined` for a version that the serving pointer does not know: the job's first step looks it up
   * @throws {NoChampionError} when no version is named, or an environment, and none serves there
   */
  async pinned(
    tenant: TenantContext,
    model: ModelName,
    version: string | undefined,
  ): Promise<ServingVariant | undefined> {
    if (version === undefined || version === 'production') return this.#served(tenant, model, {});
    if (isTrialEnvironment(version)) return this.#served(tenant, model, { environment: version });
    const pointer = await this.#parts.champions.read(tenant, model);
    return pointer === undefined ? undefined : pinnedBy(pointer, version);
  }

  /** Stores a job and starts its run. */
  async create(
    tenant: TenantContext,
    { model_name, version, dataset_id, format, include_columns, probabilities }: BatchWork,
    pinned: ServingVariant | undefined,
    job_id = this.#parts.newJobId(),
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

  /** Starts the run of a job; started again it does nothing. */
  run(job: StoredJob): Promise<void> {
    return this.#parts.executions.start(job.job_id, {
      job_id: job.job_id,
      deadline: job.deadline,
      timeout_seconds: batchTimeoutMinutes * 60,
      pinned: job.pinned !== undefined,
    });
  }
}
