import type { TransactionSql } from 'postgres';
import type { ModelName } from '../../contracts/names.ts';
import type { ServingSettings } from '../../contracts/serving.ts';
import {
  ModelHasNoVersionError,
  ModelNotFoundError,
  VersionNotFoundError,
  VersionNotVerifiedError,
} from '../../registry/model-registry.ts';
import type { VersionRow } from './version-row.ts';

/** A row of `ml_models`. */
export interface ModelRow {
  model_name: string;
  last_mlflow_version: number;
  last_version: string | null;
  last_schema_hash: string | null;
  revision: string;
  champion_version: string | null;
  canary_version: string | null;
  canary_weight: number | null;
  shadow_version: string | null;
  serving_settings: ServingSettings;
  created_at: Date;
  updated_at: Date;
}

export async function existingModel(sql: TransactionSql, name: ModelName): Promise<ModelRow> {
  const [model] = await sql<ModelRow[]>`SELECT * FROM ml_models WHERE model_name = ${name}`;
  if (model === undefined) throw new ModelNotFoundError(name);
  return model;
}

/** Changes of one model wait for each other here, so that its revisions are a line. */
export async function lockedModel(sql: TransactionSql, name: ModelName): Promise<ModelRow> {
  const [model] = await sql<ModelRow[]>`SELECT * FROM ml_models WHERE model_name = ${name} FOR UPDATE`;
  if (model === undefined) throw new ModelNotFoundError(name);
  return model;
}

/** Semver, MLflow's integer, build id or sha256: any name of a version finds it; without one, the newest. */
export async function existingVersion(
  sql: TransactionSql,
  name: ModelName,
  version: string | undefined,
): Promise<VersionRow> {
  if (version === undefined) {
    const [newest] = await sql<VersionRow[]>`
      SELECT * FROM ml_model_versions WHERE model_name = ${name} ORDER BY mlflow_version DESC LIMIT 1`;
    if (newest === undefined) throw new ModelHasNoVersionError(name);
    return newest;
  }
  const mlflowVersion = /^\d{1,9}$/.test(version) ? Number(version) : -1;
  const [row] = await sql<VersionRow[]>`
    SELECT * FROM ml_model_versions WHERE model_name = ${name}
    AND (version = ${version} OR mlflow_version = ${mlflowVersion} OR build_id = ${version} OR artifact_sha256 = ${version})
    ORDER BY mlflow_version DESC LIMIT 1`;
  if (row === undefined) throw new VersionNotFoundError(name, version);
  return row;
}

/** @throws {VersionNotFoundError} @throws {VersionNotVerifiedError} */
export async function verifiedVersion(
  sql: TransactionSql,
  name: ModelName,
  version: string | undefined,
): Promise<VersionRow | undefined> {
  if (version === undefined) return undefined;
  const row = await existingVersion(sql, name, version);
  if (row.verified_at === null) throw new VersionNotVerifiedError(name, row.version);
  return row;
}

/** @returns the versions of each model, newest first; without manifests, which may hold hundreds of kilobytes each */
export async function versionsOf(
  sql: TransactionSql,
  names: readonly string[],
): Promise<Map<string, VersionRow[]>> {
  const byName = new Map<string, VersionRow[]>(names.map((name) => [name, []]));
  if (names.length === 0) return byName;
  const rows = await sql<VersionRow[]>`
    SELECT model_name, version, mlflow_version, build_id, stage, task, algorithm, origin, framework, metrics, artifact_sha256,
      artifact_bytes, dataset_id, job_id, created_by, created_at, updated_at
    FROM ml_model_versions WHERE model_name IN ${sql(names)} ORDER BY model_name, mlflow_version DESC`;
  for (const row of rows) byName.get(row.model_name)!.push(row);
  return byName;
}
