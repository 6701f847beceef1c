import type { JobId, UploadId } from '../contracts/names.ts';
import { MLFrameworkError } from '../errors.ts';
import type { ImportWork } from '../imports/import-work.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { ParseOptions } from './tabular-engine.ts';

export class UploadNotFoundError extends MLFrameworkError {
  constructor(uploadId: string) {
    super('UPLOAD_NOT_FOUND', `no upload ${uploadId}, or it has expired; ask for a new one`);
  }
}

/** A file on its way, whatever it is for. */
export interface PendingUpload {
  readonly uploadId: UploadId;
  readonly sizeBytes: number;
  /** Set by the call that completed it. */
  readonly jobId?: JobId | undefined;
}

/** Rows on their way to be a dataset. */
export interface Upload extends PendingUpload, ParseOptions {
  readonly name?: string | undefined;
}

/** A model on its way to be a version. */
export interface ModelUpload extends PendingUpload {
  readonly import: ImportWork;
}

export interface PresignedPut {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAtMs: number;
}

/** Uploads on their way; an abandoned one expires after a day. */
export interface UploadStore {
  create(tenant: TenantContext, upload: Upload | ModelUpload): Promise<PresignedPut>;
  get(tenant: TenantContext, uploadId: UploadId): Promise<Upload | ModelUpload | undefined>;
  /** @returns the size of the file that has arrived, `undefined` when none has */
  arrivedBytes(tenant: TenantContext, upload: PendingUpload): Promise<number | undefined>;
  /**
   * Gives the upload to a job, once.
   * @returns the job that has it
   * @throws {UploadNotFoundError}
   */
  claim(tenant: TenantContext, uploadId: UploadId, jobId: JobId): Promise<JobId>;
  fetch(tenant: TenantContext, upload: PendingUpload, toFile: string): Promise<void>;
  /** @returns the file as it is */
  read(tenant: TenantContext, upload: PendingUpload): Promise<Uint8Array>;
  discard(tenant: TenantContext, upload: PendingUpload): Promise<void>;
}
