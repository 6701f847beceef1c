import type { ModelName } from '../../contracts/names.ts';
import type { DailyPerformance } from '../../monitoring/daily-performance.ts';
import type { Feedback } from '../../monitoring/feedback.ts';
import type { Projections, TrainedJob } from '../../registry/projections.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { TenantDatabase } from './tenant-database.ts';

/** Eight parameters each; a statement takes 65,535. */
const rowsAtATime = 1_000;

export class PostgresProjections implements Projections {
  readonly #database: TenantDatabase;
  readonly #keptDays: number;

  constructor(database: TenantDatabase, keptDays: number) {
    this.#database = database;
    this.#keptDays = keptDays;
  }

  async trained(tenant: TenantContext, job: TrainedJob): Promise<void> {
    await this.#database.transaction(tenant, async (sql) => {
      await sql`
        INSERT INTO model_training_jobs ${sql({
          ...{ tenant_id: tenant.tenantId, job_id: job.jobId, model_name: job.modelName },
          ...{ status: 'completed', trigger: job.trigger, dataset_id: job.datasetId ?? null },
          ...{ model_version: job.modelVersion, metrics: sql.json(job.metrics), actor: job.actor },
          started_at: job.startedAt,
        })} ON CONFLICT (tenant_id, job_id) DO NOTHING`;
      await sql`SELECT * FROM forget_projections(${this.#keptDays})`;
    });
  }

  async watched(
    tenant: TenantContext,
    { modelName, modelVersion }: { readonly modelName: ModelName; readonly modelVersion: string },
    {
      feedback,
      days,
    }: { readonly feedback: readonly Feedback[]; readonly days: readonly DailyPerformance[] },
  ): Promise<void> {
    if (feedback.length === 0) return;
    const of = { tenant_id: tenant.tenantId, model_name: modelName, model_version: modelVersion };
    await this.#database.transaction(tenant, async (sql) => {
      for (let i = 0; i < feedback.length; i += rowsAtATime)
        await sql`
          INSERT INTO model_feedback ${sql(
            feedback.slice(i, i + rowsAtATime).map((one) => ({
              ...{ ...of, prediction_id: one.predictionId, actor: one.actor, predicted_at: one.predictedAt },
              ...{ predicted: sql.json(one.predicted), actual: sql.json(one.actual) },
            })),
          )} ON CONFLICT (tenant_id, prediction_id) DO UPDATE SET actual = EXCLUDED.actual, actor = EXCLUDED.actor
          WHERE (model_feedback.actual, model_feedback.actor) IS DISTINCT FROM (EXCLUDED.actual, EXCLUDED.actor)`;
      await sql`
        INSERT INTO model_performance ${sql(
          days.map((day) => ({
            ...{ ...of, window_start: day.windowStart, window_end: day.windowEnd },
            ...{ n_samples: day.nSamples, metrics: sql.json(day.metrics) },
          })),
        )} ON CONFLICT (tenant_id, model_name, model_version, window_start)
        DO UPDATE SET n_samples = EXCLUDED.n_samples, metrics = EXCLUDED.metrics`;
    });
  }
}
