import { isoAt } from '../../clock.ts';
import type { BatchPredictRequest } from '../../contracts/batch.ts';
import type { Job } from '../../contracts/training.ts';
import { DatasetNotFoundError, type DatasetStore } from '../../data/dataset-store.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { StoredJob } from '../../training/job-store.ts';
import { jobView } from '../../training/job-view.ts';
import type { ManifestSignatures } from '../manifest-signatures.ts';
import type { BatchFiles } from './batch-files.ts';
import { BatchStarter, type BatchStarterParts } from './batch-starter.ts';
import { checkDatasetFits } from './dataset-fit.ts';
import { manifestOf, type VersionFiles } from './pinned-version.ts';

export interface BatchPredictionParts extends BatchStarterParts {
  readonly datasets: Pick<DatasetStore, 'get'>;
  readonly versions: VersionFiles;
  readonly signatures: ManifestSignatures;
  readonly files: Pick<BatchFiles, 'putRows' | 'link'>;
}

/** Batch predictions as their tenant sees them: start, and read with a link to the result. */
export class BatchPredictions {
  readonly #parts: BatchPredictionParts;
  readonly #starter: BatchStarter;

  constructor(parts: BatchPredictionParts) {
    this.#parts = parts;
    this.#starter = new BatchStarter(parts);
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
    const { datasets, versions, signatures } = this.#parts;
    const [dataset, pinned] = await Promise.all([
      datasets.get(tenant, request.dataset_id),
      this.#starter.pinned(tenant, request.model_name, request.version),
    ]);
    if (dataset === undefined) throw new DatasetNotFoundError(request.dataset_id);
    if (pinned !== undefined) {
      const where = { tenant, model: request.model_name, files: versions, signatures };
      checkDatasetFits((await manifestOf(where, pinned)).features, dataset, request);
    }
    return this.#starter.create(tenant, request, pinned);
  }

  /** Starts the run of a job; started again it does nothing. */
  run(job: StoredJob): Promise<void> {
    return this.#starter.run(job);
  }

  /** @returns what the tenant sees of a job of any kind, with a link to its result while that is kept */
  async view(tenant: TenantContext, job: StoredJob): Promise<Job> {
    const view = jobView(job);
    const { result } = view;
    if (result === undefined || this.#parts.clock.nowMs() >= Date.parse(result.kept_until)) return view;
    const { url, expiresAtMs } = await this.#parts.files.link(tenant, job.job_id, result.format);
    return { ...view, result: { ...result, url, expires_at: isoAt(expiresAtMs) } };
  }
}
