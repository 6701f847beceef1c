import type postgres from 'postgres';

/**
 * Fills the registry of a tenant as a superuser: so many models with so many versions each, one in a hundred versions
 * in Staging, the newest of each model deployed and the oldest in the environment staging, with history and audit.
 */
export async function fillRegistry(
  admin: postgres.Sql,
  tenant: string,
  { nModels, nVersions }: { readonly nModels: number; readonly nVersions: number },
): Promise<void> {
  await admin`
    INSERT INTO ml_models (tenant_id, model_name, last_mlflow_version, last_version, last_schema_hash, revision,
      champion_version, tags)
    SELECT ${tenant}, 'model-' || lpad(m::text, 5, '0'), ${nVersions}, '1.' || ${nVersions - 1}::int || '.0', 'h', 2,
      '1.' || ${nVersions - 1}::int || '.0', jsonb_build_object('team', 'team-' || m % 7)
    FROM generate_series(1, ${nModels}::int) m`;
  await admin`
    INSERT INTO ml_model_versions (tenant_id, model_name, version, mlflow_version, build_id, stage, task, algorithm,
      metrics, manifest, artifact_key, artifact_sha256, artifact_bytes, manifest_key, manifest_sha256, dataset_id,
      schema_hash, job_id, verified_at, created_by)
    SELECT ${tenant}, 'model-' || lpad(m::text, 5, '0'), '1.' || v - 1 || '.0', v, 'build-' || m || '-' || v,
      CASE WHEN v = ${nVersions}::int THEN 'Production' WHEN (m + v) % 100 = 0 THEN 'Staging' ELSE 'Archived' END,
      CASE WHEN m % 2 = 0 THEN 'classification' ELSE 'regression' END, 'gradient_boosting',
      '{"f1_score": 0.8, "accuracy": 0.9}', ${admin.json(manifestText)}, 'k', md5(m || '/' || v) || md5('b'), 1000, 'k',
      md5('m') || md5('n'), md5(m::text) || md5('d'), 'h', 'job-' || m || '-' || v, now(), 'filler'
    FROM generate_series(1, ${nModels}::int) m, generate_series(1, ${nVersions}::int) v`;
  await admin`
    INSERT INTO ml_deployments (tenant_id, model_name, revision, version, action, actor, request_id)
    SELECT tenant_id, model_name, 1, champion_version, 'deploy', 'filler', 'r' FROM ml_models WHERE tenant_id = ${tenant}`;
  await admin`
    INSERT INTO ml_deployments (tenant_id, model_name, revision, version, action, environment, actor, request_id)
    SELECT tenant_id, model_name, 2, '1.0.0', 'deploy', 'staging', 'filler', 'r' FROM ml_models WHERE tenant_id = ${tenant}`;
  await admin`
    INSERT INTO ml_model_environments (tenant_id, model_name, environment, version)
    SELECT tenant_id, model_name, 'staging', '1.0.0' FROM ml_models WHERE tenant_id = ${tenant}`;
  await admin`
    INSERT INTO ml_audit (tenant_id, action, subject, actor, request_id)
    SELECT tenant_id, 'register', model_name || '/' || version, 'filler', 'r' FROM ml_model_versions
    WHERE tenant_id = ${tenant}`;
  await admin`ANALYZE`;
}

/** Of the size of a small real one. */
const manifestText = {
  ...{ model_name: 'm', build_id: 'b', task: 'classification', algorithm: 'gradient_boosting' },
  hyperparameters: { n_estimators: 100 },
  features: Array.from({ length: 20 }, (_, i) => ({ name: `feature_${i}`, type: 'number', input: `f${i}` })),
  metrics: { f1_score: 0.8 },
  dataset_id: 'd'.repeat(64),
  split: { kind: 'random', test_size: 0.2, random_state: 42, n_train: 80, n_test: 20 },
  artifact: { format: 'onnx', sha256: '1'.repeat(64), bytes: 1_000 },
  job_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  software: { tenantml: '0.1.0' },
  created_at: '2026-01-31T12:00:00.000Z',
};
