import type { Clock } from '../../clock.ts';
import type { ModelRegistry } from '../../registry/model-registry.ts';
import type { JobStore } from '../../training/job-store.ts';
import { type BatchStepEvent, beginBatchStep } from './batch-step.ts';

/**
 * Finds the version that a request names, where the serving pointer does not know it: the one step of a batch
 * prediction that asks Postgres, and it runs beside it.
 * @throws {ModelNotFoundError}
 * @throws {VersionNotFoundError}
 */
export async function resolveVersion(
  event: BatchStepEvent<'resolve-version'>,
  parts: { readonly jobs: JobStore; readonly registry: ModelRegistry; readonly clock: Clock },
  requestId: string,
): Promise<object> {
  const { tenant, job } = await beginBatchStep(parts, event, requestId);
  const found = await parts.registry.version(tenant, job.batch.model_name, job.batch.version);
  const { version, artifactKey, artifactSha256, artifactBytes, manifestKey, manifestSha256, signature } =
    found;
  await parts.jobs.record(tenant, job.job_id, {
    model_version: version,
    pinned: {
      version,
      artifact_key: artifactKey,
      artifact_sha256: artifactSha256,
      artifact_bytes: artifactBytes,
      manifest_key: manifestKey,
      manifest_sha256: manifestSha256,
      ...(signature === undefined ? {} : { signature }),
      ...(found.origin === 'imported' ? { origin: 'imported' } : {}),
    },
  });
  return {};
}
