import { type Clock, isoAt } from '../clock.ts';
import { type ImportRequest, type ImportUpload, maxImportBytes } from '../contracts/imports.ts';
import type { JobId, ModelName, UploadId } from '../contracts/names.ts';
import { importTimeoutMinutes } from '../contracts/time-limits.ts';
import { UploadNotArrivedError } from '../data/dataset-service.ts';
import { UploadNotFoundError, type UploadStore } from '../data/upload-store.ts';
import { ValidationError } from '../errors.ts';
import { requireScope } from '../tenancy/scopes.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { Executions } from '../training/executions.ts';
import type { JobStore, StoredJob } from '../training/job-store.ts';

export interface ImportParts {
  readonly uploads: UploadStore;
  readonly jobs: JobStore;
  readonly executions: Executions;
  readonly newId: () => string;
  readonly clock: Clock;
}

const mebibyte = 1024 * 1024;

/** Models on their way in: an upload, then a job that looks at the file before anybody runs it. */
export class ImportService {
  readonly #parts: ImportParts;

  constructor(parts: ImportParts) {
    this.#parts = parts;
  }

  /**
   * @throws {ValidationError} PAYLOAD_TOO_LARGE
   * @throws {ScopeMissingError} to deploy is more than to bring
   */
  async create(tenant: TenantContext, model: ModelName, request: ImportRequest): Promise<ImportUpload> {
    const { size_bytes } = request;
    if (request.deploy) requireScope(tenant, 'models:deploy');
    if (size_bytes > maxImportBytes) {
      throw new ValidationError(
        `the file has ${size_bytes} bytes, and at most ${maxImportBytes} (${maxImportBytes / mebibyte} MiB) are taken, of which a session in the environment of imported graphs takes six times as much; export a smaller model, or serve it from an endpoint of SageMaker`,
        { code: 'PAYLOAD_TOO_LARGE', errors: [{ pointer: '/size_bytes', detail: 'too large' }] },
      );
    }
    const uploadId = this.#parts.newId() as UploadId;
    const put = await this.#parts.uploads.create(tenant, {
      ...{ uploadId, sizeBytes: size_bytes },
      import: { ...request, model_name: model },
    });
    return {
      ...{ upload_id: uploadId, url: put.url, method: 'PUT', headers: { ...put.headers } },
      expires_at: isoAt(put.expiresAtMs),
      complete_path: `/api/v1/ml/models/${model}/imports/${uploadId}/complete`,
    };
  }

  /**
   * Starts the import of an upload that has arrived; asked again it answers with the same job.
   * @throws {UploadNotFoundError} also for an upload of a dataset, or of another model
   * @throws {UploadNotArrivedError}
   */
  async complete(tenant: TenantContext, model: ModelName, uploadId: UploadId): Promise<JobId> {
    const { uploads, jobs, executions, clock } = this.#parts;
    const upload = await uploads.get(tenant, uploadId);
    if (upload === undefined || !('import' in upload) || upload.import.model_name !== model)
      throw new UploadNotFoundError(uploadId);
    const arrived = await uploads.arrivedBytes(tenant, upload);
    if (upload.jobId === undefined && arrived !== upload.sizeBytes)
      throw new UploadNotArrivedError(upload.sizeBytes, arrived);
    const jobId = await uploads.claim(tenant, uploadId, this.#parts.newId() as JobId);
    const known = await jobs.get(tenant, jobId);
    const nowMs = clock.nowMs();
    const deadline = known?.deadline ?? isoAt(nowMs + importTimeoutMinutes * 60_000);
    if (known === undefined) {
      const job: StoredJob = {
        ...{ job_id: jobId, kind: 'import', status: 'queued', progress: 0, trigger: 'request' },
        ...{ model_name: model, actor: tenant.actor, upload_id: uploadId },
        import: { model_name: model, deploy: upload.import.deploy },
        ...{ created_at: isoAt(nowMs), updated_at: isoAt(nowMs), deadline },
      };
      // A call beside this one may have created it meanwhile.
      await jobs.create(tenant, job).catch(async (error: unknown) => {
        if ((await jobs.get(tenant, jobId)) === undefined) throw error;
      });
    }
    await executions.start(jobId, { job_id: jobId, deadline, timeout_seconds: importTimeoutMinutes * 60 });
    return jobId;
  }
}
