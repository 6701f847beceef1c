import type { JobId, UploadId } from '../contracts/names.ts';
import { MLFrameworkError } from '../errors.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { ParseOptions } from './tabular-engine.ts';

export class UploadNotFoundError extends MLFrameworkError {
  constructor(uploadId: string) {
    super('UPLOAD_NOT_FOUND', `no upload ${uploadId}, or it has expired; ask for a new one`);
  }
}

export interface Upload extends ParseOptions {
  readonly uploadId: UploadId;
  readonly name?: string | undefined;
  readonly sizeBytes: number;
  /** Set by the call that completed it. */
  readonly jobId?: JobId | undefined;
}

export interface PresignedPut {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAtMs: number;
}

/** Uploads on their way; an abandoned one expires after a day. */
export interface UploadStore {
  create(tenant: TenantContext, upload: Upload): Promise<PresignedPut>;
  get(tenant: TenantContext, uploadId: UploadId): Promise<Upload | undefined>;
  /** @returns the size of the file that has arrived, `undefined` when none has */
  arrivedBytes(tenant: TenantContext, upload: Upload): Promise<number | undefined>;
  /**
   * Gives the upload to a job, once.
   * @returns the job that has it
   * @throws {UploadNotFoundError}
   */
  claim(tenant: TenantContext, uploadId: UploadId, jobId: JobId): Promise<JobId>;
  fetch(tenant: TenantContext, upload: Upload, toFile: string): Promise<void>;
  discard(tenant: TenantContext, upload: Upload): Promise<void>;
}
