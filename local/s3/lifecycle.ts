import type { DeployedResource } from '../template/deployed-template.ts';
import type { ObjectStore } from './object-store.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

interface LifecycleRule {
  readonly Status?: string;
  readonly Prefix?: string;
  readonly ExpirationInDays?: number;
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays?: number };
}

/** Applies the lifecycle rules of a bucket once; S3 does it about daily. Returns how many versions went. */
export function applyLifecycle(store: ObjectStore, bucket: DeployedResource, nowMs: number): number {
  const configuration = bucket.properties.LifecycleConfiguration as { Rules?: LifecycleRule[] } | undefined;
  const name = bucket.physicalId;
  let removed = 0;
  for (const rule of configuration?.Rules ?? []) {
    if (rule.Status !== 'Enabled') continue;
    const prefix = rule.Prefix ?? '';
    if (rule.ExpirationInDays !== undefined) {
      for (const record of store.records(
        'SELECT * FROM objects WHERE bucket = ? AND is_latest = 1 AND is_delete_marker = 0 AND modified_ms < ?',
        [name, nowMs - rule.ExpirationInDays * DAY_MS],
      )) {
        if (record.key.startsWith(prefix)) {
          store.delete(name, record.key);
          removed += 1;
        }
      }
    }
    const noncurrentDays = rule.NoncurrentVersionExpiration?.NoncurrentDays;
    if (noncurrentDays !== undefined) {
      for (const record of store.records(
        'SELECT * FROM objects WHERE bucket = ? AND is_latest = 0 AND modified_ms < ?',
        [name, nowMs - noncurrentDays * DAY_MS],
      )) {
        if (record.key.startsWith(prefix)) {
          store.deleteVersion(name, record.key, record.versionId);
          removed += 1;
        }
      }
    }
  }
  return removed;
}
