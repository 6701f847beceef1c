import type { TransactionSql } from 'postgres';
import { isEnvironment } from '../../contracts/environment-names.ts';
import type { ModelName } from '../../contracts/names.ts';
import type { ServingSettings } from '../../contracts/serving.ts';
import {
  type Expected,
  ModelHasNoVersionError,
  ModelNotFoundError,
  PreconditionFailedError,
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
  description: string;
  notes: string;
  tags: Record<string, string>;
  archived_at: Date | null;
  deleted_at: Date | null;
  row_version: string;
  created_at: Date;
  updated_at: Date;
}

export async function existingModel(sql: TransactionSql, name: ModelName): Promise<ModelRow> {
  const [model] = await sql<
    ModelRow[]
  >`SELECT * FROM ml_models WHERE model_name = ${name} AND deleted_at IS NULL`;
  if (model === undefined) throw new ModelNotFoundError(name);
  return model;
}

/**
 * Changes of one model wait for each other here, so that its revisions are a line.
 * @throws {ModelNotFoundError} @throws {PreconditionFailedError}
 */
export async function lockedModel(
  sql: TransactionSql,
  name: ModelName,
  { ifMatch, ifRevision }: Expected = {},
): Promise<ModelRow> {
  const [model] = await sql<ModelRow[]>`
    SELECT * FROM ml_models WHERE model_name = ${name} AND deleted_at IS NULL FOR UPDATE`;
  if (model === undefined) throw new ModelNotFoundError(name);
  if (ifMatch !== undefined && String(ifMatch) !== model.row_version)
    throw new PreconditionFailedError(`model ${name}`, ifMatch, Number(model.row_version));
  if (ifRevision !== undefined && String(ifRevision) !== model.revision)
    throw new PreconditionFailedError(`the deployment of model ${name}`, ifRevision, Number(model.revision));
  return model;
}

/**
 * Semver, MLflow's integer, build id, sha256, alias, `champion` or an environment: any name of a version finds it;
 * without one, the newest.
 */
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
  if (version === 'champion' || version === 'production') {
    const [champion] = await sql<VersionRow[]>`
      SELECT v.* FROM ml_models m JOIN ml_model_versions v ON v.model_name = m.model_name AND v.version = m.champion_version
      WHERE m.model_name = ${name}`;
    if (champion === undefined) throw new VersionNotFoundError(name, version);
    return champion;
  }
  if (isEnvironment(version)) {
    const [served] = await sql<VersionRow[]>`
      SELECT v.* FROM ml_model_environments e JOIN ml_model_versions v ON v.model_name = e.model_name AND v.version = e.version
      WHERE e.model_name = ${name} AND e.environment = ${version}`;
    if (served === undefined) throw new VersionNotFoundError(name, version);
    return served;
  }
  const mlflowVersion = /^\d{1,9}$/.test(version) ? Number(version) : -1;
  const [row] = await sql<VersionRow[]>`
    SELECT * FROM ml_model_versions WHERE model_name = ${name}
    AND (version = ${version} OR mlflow_version = ${mlflowVersion} OR build_id = ${version} OR artifact_sha256 = ${version})
    -- A number is this version's alone; what was taken in from a document may say anything of build and bytes.
    ORDER BY version = ${version} DESC, mlflow_version = ${mlflowVersion} DESC, mlflow_version DESC LIMIT 1`;
  if (row !== undefined) return row;
  const [aliased] = await sql<VersionRow[]>`
    SELECT v.* FROM ml_model_aliases a JOIN ml_model_versions v ON v.model_name = a.model_name AND v.version = a.version
    WHERE a.model_name = ${name} AND a.alias = ${version}`;
  if (aliased === undefined) throw new VersionNotFoundError(name, version);
  return aliased;
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
