import type { Clock } from '../../clock.ts';
import type { JobId } from '../../contracts/names.ts';
import type { BatchFiles, ResultFormat, ResultManifest } from '../../serving/batch/batch-files.ts';
import type { RowRange } from '../../serving/batch/parts.ts';
import { objectKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { S3Objects } from './s3-objects.ts';

const linkSeconds = 15 * 60;

const contentTypes = {
  parquet: 'application/vnd.apache.parquet',
  csv: 'text/csv; charset=utf-8',
  json: 'application/json',
} as const;

/** Parts and rows in the staging bucket, results in the bucket of results; each expires by its bucket's rule. */
export class S3BatchFiles implements BatchFiles {
  readonly #staging: () => S3Objects;
  readonly #results: () => S3Objects;
  readonly #clock: Clock;

  /** @param buckets asked for when they are needed: not every function has both */
  constructor(buckets: { staging: () => S3Objects; results: () => S3Objects }, clock: Clock) {
    this.#staging = buckets.staging;
    this.#results = buckets.results;
    this.#clock = clock;
  }

  async hasPart(tenant: TenantContext, job: JobId, range: RowRange): Promise<boolean> {
    return (await this.#staging().sizeOf(tenant, objectKeys.batchPart(tenant, job, range))) !== undefined;
  }

  putPart(tenant: TenantContext, job: JobId, range: RowRange, file: string): Promise<void> {
    return this.#staging().putFile(tenant, objectKeys.batchPart(tenant, job, range), file);
  }

  fetchPart(tenant: TenantContext, job: JobId, range: RowRange, toFile: string): Promise<boolean> {
    return this.#staging().getFile(tenant, objectKeys.batchPart(tenant, job, range), toFile);
  }

  putRows(tenant: TenantContext, job: JobId, rows: Uint8Array): Promise<void> {
    return this.#staging().putBytes(tenant, objectKeys.batchRows(tenant, job), rows, 'application/json');
  }

  rows(tenant: TenantContext, job: JobId): Promise<Uint8Array | undefined> {
    return this.#staging().getBytes(tenant, objectKeys.batchRows(tenant, job));
  }

  async putResult(tenant: TenantContext, manifest: ResultManifest, file: string): Promise<void> {
    const { job_id, format } = manifest;
    await this.#results().putFile(tenant, objectKeys.batchResult(tenant, job_id, format), file);
    await this.#results().putBytes(
      tenant,
      objectKeys.batchManifest(tenant, job_id),
      JSON.stringify(manifest),
      'application/json',
    );
  }

  async result(tenant: TenantContext, job: JobId): Promise<ResultManifest | undefined> {
    const bytes = await this.#results().getBytes(tenant, objectKeys.batchManifest(tenant, job));
    return bytes === undefined
      ? undefined
      : (JSON.parse(Buffer.from(bytes).toString('utf8')) as ResultManifest);
  }

  link(tenant: TenantContext, job: JobId, format: ResultFormat) {
    const time = { nowMs: this.#clock.nowMs(), seconds: linkSeconds };
    return this.#results().linkToGet(tenant, objectKeys.batchResult(tenant, job, format), time, {
      ResponseContentType: contentTypes[format],
      ResponseContentDisposition: `attachment; filename="${job}.${format}"`,
    });
  }
}
