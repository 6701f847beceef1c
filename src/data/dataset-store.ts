import type { Dataset, DatasetSummary } from '../contracts/datasets.ts';
import type { DatasetId } from '../contracts/names.ts';
import { MLFrameworkError } from '../errors.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';

export class DatasetNotFoundError extends MLFrameworkError {
  constructor(id: string) {
    super('DATASET_NOT_FOUND', `no dataset ${id}; GET /api/v1/ml/datasets lists yours`, {
      evidence: { dataset_id: id },
    });
  }
}

export class DatasetDamagedError extends MLFrameworkError {
  constructor(id: string) {
    super('DATASET_DAMAGED', `the stored file of dataset ${id} is not the one that was written; report it`, {
      evidence: { dataset_id: id },
    });
  }
}

/** Immutable dataset versions. The manifest is the truth: a dataset exists when its manifest does. */
export interface DatasetStore {
  get(tenant: TenantContext, id: DatasetId): Promise<Dataset | undefined>;
  list(
    tenant: TenantContext,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<{ items: readonly DatasetSummary[]; nextCursor?: string }>;
  /** Writes the Parquet first, then the manifest. A version that exists already stays as it is and is returned. */
  put(tenant: TenantContext, dataset: Dataset, parquetFile: string): Promise<Dataset>;
  /**
   * @returns the bytes written to the file
   * @throws {DatasetNotFoundError}
   * @throws {DatasetDamagedError} when the file is not the one that the manifest speaks of
   */
  fetchParquet(tenant: TenantContext, dataset: Dataset, toFile: string): Promise<number>;
}
