import type { BatchResult } from '../../contracts/batch-result.ts';
import type { JobId } from '../../contracts/names.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { RowRange } from './parts.ts';

export type ResultFormat = BatchResult['format'];

/** What is known of a result without a link to it. */
export type ResultFacts = Omit<BatchResult, 'url' | 'expires_at'>;

/** What is written beside a result, after it. */
export interface ResultManifest extends ResultFacts {
  readonly job_id: JobId;
  readonly model_name: string;
  readonly model_version: string;
  readonly artifact_sha256: string;
  readonly dataset_id?: string;
}

/** Files of batch jobs: parts and rows for a day, results for as long as the stage keeps them. */
export interface BatchFiles {
  hasPart(tenant: TenantContext, job: JobId, range: RowRange): Promise<boolean>;
  putPart(tenant: TenantContext, job: JobId, range: RowRange, file: string): Promise<void>;
  /** @returns false when there is no such part */
  fetchPart(tenant: TenantContext, job: JobId, range: RowRange, toFile: string): Promise<boolean>;
  putRows(tenant: TenantContext, job: JobId, rows: Uint8Array): Promise<void>;
  rows(tenant: TenantContext, job: JobId): Promise<Uint8Array | undefined>;
  /** Writes the file, then its manifest: a result is whole when its manifest is there. */
  putResult(tenant: TenantContext, manifest: ResultManifest, file: string): Promise<void>;
  result(tenant: TenantContext, job: JobId): Promise<ResultManifest | undefined>;
  /** @returns a presigned link to a result */
  link(
    tenant: TenantContext,
    job: JobId,
    format: ResultFormat,
  ): Promise<{ url: string; expiresAtMs: number }>;
}
