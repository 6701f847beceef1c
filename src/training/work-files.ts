import type { JobId } from '../contracts/names.ts';
import { MLFrameworkError } from '../errors.ts';
import type { WorkFileName } from '../tenancy/keys.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';

export type WorkFile = WorkFileName;

/** What steps pass each other: where the bytes are and what they hash to, never the bytes. */
export interface WorkFileRef {
  readonly file: WorkFile;
  readonly sha256: string;
  readonly bytes: number;
}

/** What a step wrote is gone or is not what it was. */
export class WorkFileDamagedError extends MLFrameworkError {
  constructor(ref: WorkFileRef) {
    super('WORK_FILE_DAMAGED', `${ref.file} of the job is gone or changed since it was written; train again`);
  }
}

/** Files that the steps of one job leave for each other; gone after a day. */
export interface WorkFiles {
  put(tenant: TenantContext, job: JobId, file: WorkFile, bytes: Uint8Array): Promise<WorkFileRef>;
  /** @throws {WorkFileDamagedError} */
  get(tenant: TenantContext, job: JobId, ref: WorkFileRef): Promise<Uint8Array>;
}
