import type { JobId, ModelName } from '../contracts/names.ts';
import type { DailyPerformance } from '../monitoring/daily-performance.ts';
import type { Feedback } from '../monitoring/feedback.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';

/** A job that has made a version, as the registry's database shows it. */
export interface TrainedJob {
  readonly jobId: JobId;
  readonly modelName: ModelName;
  readonly modelVersion: string;
  readonly trigger: string;
  readonly datasetId: string | undefined;
  readonly metrics: Readonly<Record<string, number>>;
  readonly actor: string;
  readonly startedAt: string;
}

/**
 * What DynamoDB holds the truth of, projected into the registry's database for whoever asks it in SQL. It is written
 * when the database is awake anyway, and may lag or be lost.
 */
export interface Projections {
  /** Said again it changes nothing; also forgets what is older than the retention. */
  trained(tenant: TenantContext, job: TrainedJob): Promise<void>;
  /** How a version that serves does; said again for a prediction or a day it takes the place of what was said. */
  watched(
    tenant: TenantContext,
    of: { readonly modelName: ModelName; readonly modelVersion: string },
    seen: { readonly feedback: readonly Feedback[]; readonly days: readonly DailyPerformance[] },
  ): Promise<void>;
}
