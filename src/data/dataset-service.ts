import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, isoAt } from '../clock.ts';
import {
  type Dataset,
  type DatasetRequest,
  type DatasetUpload,
  maxInlineBytes,
} from '../contracts/datasets.ts';
import type { JobId, UploadId } from '../contracts/names.ts';
import { MLFrameworkError, ValidationError } from '../errors.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { Executions } from '../training/executions.ts';
import type { JobStore, StoredJob } from '../training/job-store.ts';
import type { DatasetStore } from './dataset-store.ts';
import { ingestFile } from './ingest.ts';
import type { ParseOptions, TabularEngine } from './tabular-engine.ts';
import { type Upload, UploadNotFoundError, type UploadStore } from './upload-store.ts';
import { inWorkFolder } from './work-folder.ts';

/** The file of an upload has not arrived whole. */
export class UploadNotArrivedError extends MLFrameworkError {
  constructor(expected: number, arrived: number | undefined) {
    super(
      'UPLOAD_INCOMPLETE',
      `the file has ${arrived ?? 0} of ${expected} bytes; PUT it to the upload's url first`,
    );
  }
}

export interface DatasetParts {
  readonly datasets: DatasetStore;
  readonly uploads: UploadStore;
  readonly jobs: JobStore;
  readonly executions: Executions;
  /** Opens an engine that may touch the folder only. */
  readonly openEngine: (folder: string) => Promise<TabularEngine>;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly ingestTimeoutMinutes: number;
}

/** Data on its way in: inline, or by an upload that an ingest job reads. */
export class DatasetService {
  readonly #parts: DatasetParts;

  constructor(parts: DatasetParts) {
    this.#parts = parts;
  }

  create(tenant: TenantContext, request: DatasetRequest): Promise<Dataset | DatasetUpload> {
    if ('upload' in request) return this.#upload(tenant, request);
    if ('csv' in request) {
      const { csv, delimiter, name } = request;
      return this.#inline(tenant, name, csv, { format: 'csv', compression: 'none', delimiter });
    }
    const lines = request.rows.map((row) => JSON.stringify(row)).join('\n');
    return this.#inline(tenant, request.name, lines, { format: 'jsonl', compression: 'none' });
  }

  /**
   * Starts the ingest of an upload that has arrived; asked again it answers with the same job.
   * @throws {UploadNotFoundError}
   * @throws {UploadNotArrivedError}
   */
  async complete(tenant: TenantContext, uploadId: UploadId): Promise<JobId> {
    const { uploads, jobs, executions, clock, ingestTimeoutMinutes } = this.#parts;
    const upload = await uploads.get(tenant, uploadId);
    if (upload === undefined || 'import' in upload) throw new UploadNotFoundError(uploadId);
    const arrived = await uploads.arrivedBytes(tenant, upload);
    if (upload.jobId === undefined && arrived !== upload.sizeBytes)
      throw new UploadNotArrivedError(upload.sizeBytes, arrived);
    const jobId = await uploads.claim(tenant, uploadId, this.#parts.newId() as JobId);
    const nowMs = clock.nowMs();
    const deadline = isoAt(nowMs + ingestTimeoutMinutes * 60_000);
    if ((await jobs.get(tenant, jobId)) === undefined) {
      const job: StoredJob = {
        job_id: jobId,
        kind: 'ingest',
        status: 'queued',
        progress: 0,
        trigger: 'request',
        actor: tenant.actor,
        upload_id: uploadId,
        created_at: isoAt(nowMs),
        updated_at: isoAt(nowMs),
        deadline,
      };
      // A call beside this one may have created it meanwhile.
      await jobs.create(tenant, job).catch(async (error: unknown) => {
        if ((await jobs.get(tenant, jobId)) === undefined) throw error;
      });
    }
    await executions.start(jobId, { job_id: jobId, deadline, timeout_seconds: ingestTimeoutMinutes * 60 });
    return jobId;
  }

  async #inline(
    tenant: TenantContext,
    name: string | undefined,
    text: string,
    parse: ParseOptions,
  ): Promise<Dataset> {
    const bytes = Buffer.byteLength(text);
    if (bytes > maxInlineBytes) {
      throw new ValidationError(
        `the data is ${bytes} bytes; inline data is at most ${maxInlineBytes}. Ask for an upload instead`,
        {
          code: 'PAYLOAD_TOO_LARGE',
        },
      );
    }
    return inWorkFolder(this.#parts.openEngine, async (folder, engine) => {
      const file = join(folder, 'source');
      await writeFile(file, text);
      return ingestFile(tenant, { file, name, parse }, folder, { ...this.#parts, engine });
    });
  }

  async #upload(
    tenant: TenantContext,
    request: Extract<DatasetRequest, { upload: unknown }>,
  ): Promise<DatasetUpload> {
    const { format, compression, size_bytes, delimiter } = request.upload;
    if (format === 'parquet' && compression !== 'none') {
      throw new ValidationError('Parquet is compressed inside; send it with compression "none"', {
        errors: [{ pointer: '/upload/compression', detail: 'must be "none" for Parquet' }],
      });
    }
    const upload: Upload = {
      uploadId: this.#parts.newId() as UploadId,
      name: request.name,
      sizeBytes: size_bytes,
      format,
      compression,
      delimiter,
    };
    const put = await this.#parts.uploads.create(tenant, upload);
    return {
      upload_id: upload.uploadId,
      url: put.url,
      method: 'PUT',
      headers: { ...put.headers },
      expires_at: isoAt(put.expiresAtMs),
      complete_path: `/api/v1/ml/datasets/${upload.uploadId}/complete`,
    };
  }
}
