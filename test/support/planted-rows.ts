import type postgres from 'postgres';

/** Rows of the tables that are written in batches elsewhere. */
export async function plantProjections(admin: postgres.Sql, tenant: string): Promise<void> {
  const of = { tenant_id: tenant, model_name: 'income' };
  const at = new Date('2026-01-31T12:00:00Z');
  const rows: Record<string, Record<string, postgres.ParameterOrJSON<never>>> = {
    model_training_jobs: {
      ...{ ...of, job_id: 'J', status: 'completed', trigger: 'request', actor: 'user', started_at: at },
    },
    model_feedback: {
      ...{
        ...of,
        prediction_id: 'P',
        model_version: '1.0.0',
        predicted: '"a"',
        actual: '"b"',
        predicted_at: at,
        actor: 'user',
      },
    },
    model_performance: {
      ...{
        ...of,
        model_version: '1.0.0',
        window_start: at,
        window_end: new Date(+at + 1),
        n_samples: 1,
        metrics: '{}',
      },
    },
    model_alerts: { ...of, alert_id: 'A', kind: 'drift', severity: 'info', message: 'said' },
  };
  for (const [table, row] of Object.entries(rows)) await admin`INSERT INTO ${admin(table)} ${admin(row)}`;
}
