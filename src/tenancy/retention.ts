import type { Clock } from '../clock.ts';
import type { Retention as RetentionDays } from '../contracts/tenant.ts';
import { type JobOwners, TenantContext } from './tenant-context.ts';

/** A store whose things grow old. */
export interface AgingStore {
  /** Removes what is of before then. @returns how much */
  removeBefore(tenant: TenantContext, beforeMs: number, hasTime: () => boolean): Promise<number>;
}

/** Tenants who keep less than the platform does: the row of their settings, which an admin wrote, says who they are. */
export interface RetentionWishes extends JobOwners {
  wishes(): Promise<readonly { readonly reference: string; readonly days: RetentionDays }[]>;
}

export interface RetentionParts {
  readonly wishes: RetentionWishes;
  readonly stores: Readonly<Record<keyof RetentionDays, AgingStore>>;
  readonly clock: Clock;
  readonly onFailure: (reference: string, error: unknown) => void;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Removes what is older than its tenant keeps it; what is as old as the platform keeps anything goes by itself. A tenant
 * with whom it fails keeps no other from it, and what is not done today is done tomorrow.
 * @returns what was removed
 */
export async function removeAged(
  { wishes, stores, clock, onFailure }: RetentionParts,
  requestId: string,
  hasTime: () => boolean,
): Promise<Record<keyof RetentionDays, number>> {
  const removed = { prediction_log_days: 0, job_days: 0 };
  for (const { reference, days } of await wishes.wishes()) {
    try {
      const tenant = await TenantContext.fromJob(wishes, reference, requestId);
      for (const name of ['prediction_log_days', 'job_days'] as const) {
        const kept = days[name];
        if (kept === undefined || !hasTime()) continue;
        const beforeMs = clock.nowMs() - kept * dayMs;
        removed[name] += await stores[name].removeBefore(tenant, beforeMs, hasTime);
      }
    } catch (error) {
      onFailure(reference, error);
    }
  }
  return removed;
}
