import type { Projections, TrainedJob } from '../../registry/projections.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { TenantDatabase } from './tenant-database.ts';

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
}
