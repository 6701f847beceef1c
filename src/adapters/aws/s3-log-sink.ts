import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { LogBatchName, LogSink } from '../../serving/log/buffered-log.ts';
import { objectKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { SignedObjects } from './signed-objects.ts';

const gzipped = promisify(gzip);

/** One object per batch under the tenant's `predictions/`. */
export class S3LogSink implements LogSink {
  readonly #objects: SignedObjects;

  constructor(objects: SignedObjects) {
    this.#objects = objects;
  }

  async write(tenant: TenantContext, name: LogBatchName, lines: string): Promise<void> {
    const body = await gzipped(lines, { level: 3 });
    await this.#objects.put(tenant, objectKeys.predictionBatch(tenant, name), body, 'application/gzip');
  }
}
