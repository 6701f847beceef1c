import type { JobId } from '../../contracts/names.ts';
import { objectKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import {
  type WorkFile,
  WorkFileDamagedError,
  type WorkFileRef,
  type WorkFiles,
} from '../../training/work-files.ts';
import { type S3Objects, sha256Hex } from './s3-objects.ts';

export class StagingWorkFiles implements WorkFiles {
  readonly #objects: S3Objects;

  constructor(objects: S3Objects) {
    this.#objects = objects;
  }

  async put(tenant: TenantContext, job: JobId, file: WorkFile, bytes: Uint8Array): Promise<WorkFileRef> {
    // Named by its content: a late writer of a repeated step changes nothing that another run refers to.
    const sha256 = sha256Hex(bytes);
    await this.#objects.putBytes(tenant, objectKeys.jobFile(tenant, job, file, sha256), bytes);
    return { file, sha256, bytes: bytes.byteLength };
  }

  async get(tenant: TenantContext, job: JobId, ref: WorkFileRef): Promise<Uint8Array> {
    const bytes = await this.#objects.getBytes(tenant, objectKeys.jobFile(tenant, job, ref.file, ref.sha256));
    if (bytes === undefined || sha256Hex(bytes) !== ref.sha256) throw new WorkFileDamagedError(ref);
    return bytes;
  }
}
