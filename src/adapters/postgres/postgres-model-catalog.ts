import type { JSONValue, TransactionSql } from 'postgres';
import type { ModelStage, ModelVersion } from '../../contracts/models.ts';
import type { ModelName } from '../../contracts/names.ts';
import {
  type AliasName,
  type CreateModelVersionRequest,
  type ModelAlias,
  type ModelUpdate,
  maxTags,
  type StageTransition,
  type VersionUpdate,
} from '../../contracts/registry.ts';
import {
  AliasHidesVersionError,
  AliasNotFoundError,
  type ModelCatalog,
  ModelDeployedError,
  StageNeedsDeploymentError,
  TooManyTagsError,
  VersionNumberTakenError,
} from '../../registry/model-catalog.ts';
import { type Expected, PreconditionFailedError, VersionInUseError } from '../../registry/model-registry.ts';
import { checkMetrics } from '../../registry/registered-metrics.ts';
import { checkGivenVersion, compareVersions, nextVersion } from '../../registry/semantic-version.ts';
import { checkTransition } from '../../registry/stage-transition.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { versionPage } from './model-pages.ts';
import { moveStage, recordAudit } from './registry-changes.ts';
import { servingEnvironments, usesOf } from './registry-environments.ts';
import { existingModel, existingVersion, lockedModel, type ModelRow } from './registry-rows.ts';
import type { TenantDatabase } from './tenant-database.ts';
import { modelVersionOf, type VersionRow } from './version-row.ts';

type Described = Pick<ModelRow, 'description' | 'notes' | 'tags'>;

/** What is said of models and versions in Postgres. Row level security holds every statement to the tenant. */
export class PostgresModelCatalog implements ModelCatalog {
  readonly #database: TenantDatabase;

  constructor(database: TenantDatabase) {
    this.#database = database;
  }

  versions(tenant: TenantContext, name: ModelName, page: Parameters<ModelCatalog['versions']>[2]) {
    return this.#database.transaction(tenant, (sql) => versionPage(sql, name, page));
  }

  update(tenant: TenantContext, name: ModelName, update: ModelUpdate, expected: Expected): Promise<void> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name, expected);
      const isArchived = model.archived_at !== null;
      const { archived = isArchived } = update;
      if (update.archived === true && (await servingEnvironments(sql, model)).length > 0)
        throw new ModelDeployedError(name, 'archived');
      const after = changed(model, update);
      await sql`
        UPDATE ml_models SET description = ${after.description}, notes = ${after.notes}, tags = ${sql.json(after.tags)},
          archived_at = ${archived ? (model.archived_at ?? sql`now()`) : null}
        WHERE model_name = ${name}`;
      await recordAudit(sql, tenant, 'update', name, {
        before: { ...described(model), archived: isArchived },
        after: { ...after, archived },
      });
    });
  }

  updateVersion(
    tenant: TenantContext,
    name: ModelName,
    version: string,
    update: VersionUpdate,
    expected: Expected,
  ): Promise<ModelVersion> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name);
      const row = await existingVersion(sql, name, version);
      requireRow(row, expected);
      const after = changed(row, update);
      const [updated] = await sql<VersionRow[]>`
        UPDATE ml_model_versions SET description = ${after.description}, notes = ${after.notes}, tags = ${sql.json(after.tags)}
        WHERE model_name = ${name} AND version = ${row.version} RETURNING *`;
      await recordAudit(sql, tenant, 'update', `${name}/${row.version}`, { before: described(row), after });
      return modelVersionOf(updated!, model.champion_version);
    });
  }

  create(tenant: TenantContext, name: ModelName, request: CreateModelVersionRequest): Promise<ModelVersion> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name);
      const from = await existingVersion(sql, name, request.from_version);
      const latest = model.last_version!;
      const version = request.version_string ?? nextVersion(latest, 'patch');
      if (request.version_string !== undefined) checkGivenVersion(version);
      if (compareVersions(version, latest) <= 0) throw new VersionNumberTakenError(version, latest);
      const metrics = { ...from.metrics, ...request.metrics };
      checkMetrics(metrics);
      const { champion_version, last_mlflow_version } = model;
      const [made] = await sql<VersionRow[]>`
        INSERT INTO ml_model_versions (tenant_id, model_name, version, mlflow_version, stage, derived_from, description, notes,
          tags, metrics, created_by, build_id, task, algorithm, origin, framework, manifest, artifact_key, artifact_sha256,
          artifact_bytes, manifest_key, manifest_sha256, manifest_signature, dataset_id, schema_hash, job_id, verified_at)
        SELECT tenant_id, model_name, ${version}, ${last_mlflow_version + 1}, 'Development', version,
          ${request.description ?? from.description}, ${request.notes ?? from.notes},
          ${sql.json(request.tags ?? from.tags)}, ${sql.json(metrics)}, ${tenant.actor}, build_id, task, algorithm, origin,
          framework, manifest, artifact_key, artifact_sha256, artifact_bytes, manifest_key, manifest_sha256, manifest_signature, dataset_id,
          schema_hash, job_id, verified_at
        FROM ml_model_versions WHERE model_name = ${name} AND version = ${from.version} RETURNING *`;
      await sql`
        UPDATE ml_models SET last_mlflow_version = ${last_mlflow_version + 1}, last_version = ${version}
        WHERE model_name = ${name}`;
      await recordAudit(sql, tenant, 'create-version', `${name}/${version}`, {
        after: { derived_from: from.version, metrics },
      });
      return modelVersionOf(made!, champion_version);
    });
  }

  transition(
    tenant: TenantContext,
    name: ModelName,
    version: string,
    to: { stage: Exclude<ModelStage, 'Production'>; force: boolean; reason: string } & Expected,
  ): Promise<ModelVersion> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name, { ifRevision: to.ifRevision });
      const row = await existingVersion(sql, name, version);
      requireRow(row, to);
      if (row.version === model.champion_version) throw new StageNeedsDeploymentError(name, row.version);
      const { forced } = checkTransition(row.version, row.stage, to.stage, to);
      const uses = await usesOf(sql, model, row.version);
      const endsUse = ['Archived', 'Failed'].includes(to.stage) && row.stage !== to.stage;
      if (endsUse && uses.length > 0) throw new VersionInUseError(name, row.version, uses, to.stage);
      await moveStage(sql, tenant, row, to.stage, { forced, reason: to.reason });
      await recordAudit(sql, tenant, 'transition', `${name}/${row.version}`, {
        ...{ before: { stage: row.stage }, after: { stage: to.stage } },
        ...(forced ? { forced } : {}),
        ...(to.reason === '' ? {} : { reason: to.reason }),
      });
      return modelVersionOf(await existingVersion(sql, name, row.version), model.champion_version);
    });
  }

  transitions(tenant: TenantContext, name: ModelName, version: string): Promise<StageTransition[]> {
    return this.#database.transaction(tenant, async (sql) => {
      await existingModel(sql, name);
      const row = await existingVersion(sql, name, version);
      const rows = await sql<(Omit<StageTransition, 'at'> & { created_at: Date })[]>`
        SELECT version, from_stage, to_stage, forced, reason, actor, request_id, created_at FROM ml_stage_transitions
        WHERE model_name = ${name} AND version = ${row.version} ORDER BY transition_id`;
      return rows.map(({ created_at, ...rest }) => ({ ...rest, at: created_at.toISOString() }));
    });
  }

  archiveOldVersions(tenant: TenantContext, name: ModelName, { keepLatest }: { keepLatest: number }) {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name);
      const rows = await sql<(Pick<VersionRow, 'model_name' | 'version' | 'stage'> & { aliased: boolean })[]>`
        SELECT model_name, version, stage, EXISTS (SELECT FROM ml_model_aliases a
          WHERE a.model_name = v.model_name AND a.version = v.version) AS aliased
        FROM ml_model_versions v WHERE model_name = ${name} AND stage <> 'Archived' ORDER BY mlflow_version DESC`;
      const inUse = [
        ...[model.canary_version, model.shadow_version],
        ...(await servingEnvironments(sql, model)).map(({ version }) => version),
      ];
      const isKept = ({ version, aliased, stage }: (typeof rows)[number], place: number) =>
        place < keepLatest || aliased || stage === 'Production' || inUse.includes(version);
      const old = rows.filter((row, place) => !isKept(row, place));
      const reason = `older than the newest ${keepLatest}`;
      for (const row of old) await moveStage(sql, tenant, row, 'Archived', { reason });
      const archived = old.map(({ version }) => version);
      if (archived.length > 0)
        await recordAudit(sql, tenant, 'archive-old-versions', name, { keep_latest: keepLatest, archived });
      const kept = rows.filter((row) => !old.includes(row)).map(({ version }) => version);
      return { archived, kept };
    });
  }

  aliases(tenant: TenantContext, name: ModelName): Promise<ModelAlias[]> {
    return this.#database.transaction(tenant, async (sql) => {
      const { champion_version, updated_at } = await existingModel(sql, name);
      const rows = await sql<{ alias: string; version: string; updated_at: Date }[]>`
        SELECT alias, version, updated_at FROM ml_model_aliases WHERE model_name = ${name} ORDER BY alias`;
      const champion =
        champion_version === null ? [] : [{ alias: 'champion', version: champion_version, updated_at }];
      return [...champion, ...rows].map((row) => ({ ...row, updated_at: row.updated_at.toISOString() }));
    });
  }

  setAlias(tenant: TenantContext, name: ModelName, alias: AliasName, version: string, expected: Expected) {
    return this.#database.transaction(tenant, async (sql) => {
      await lockedModel(sql, name, expected);
      const row = await existingVersion(sql, name, version);
      const [hidden] = await sql`
        SELECT FROM ml_model_versions WHERE model_name = ${name} AND build_id = ${alias} LIMIT 1`;
      if (hidden !== undefined) throw new AliasHidesVersionError(alias);
      const before = await aliasOf(sql, name, alias);
      const [set] = await sql<{ updated_at: Date }[]>`
        INSERT INTO ml_model_aliases (tenant_id, model_name, alias, version)
        VALUES (${tenant.tenantId}, ${name}, ${alias}, ${row.version})
        ON CONFLICT (tenant_id, model_name, alias) DO UPDATE SET version = EXCLUDED.version RETURNING updated_at`;
      await touchModel(sql, name);
      await recordAudit(sql, tenant, 'set-alias', `${name}/${row.version}`, {
        ...{ alias, before: { version: before ?? null }, after: { version: row.version } },
      });
      return { alias, version: row.version, updated_at: set!.updated_at.toISOString() };
    });
  }

  removeAlias(tenant: TenantContext, name: ModelName, alias: string, expected: Expected): Promise<void> {
    return this.#database.transaction(tenant, async (sql) => {
      await lockedModel(sql, name, expected);
      const before = await aliasOf(sql, name, alias);
      if (before === undefined) throw new AliasNotFoundError(name, alias);
      await sql`DELETE FROM ml_model_aliases WHERE model_name = ${name} AND alias = ${alias}`;
      await touchModel(sql, name);
      await recordAudit(sql, tenant, 'remove-alias', `${name}/${before}`, {
        ...{ alias, before: { version: before }, after: { version: null } },
      });
    });
  }

  removeModel(tenant: TenantContext, name: ModelName): Promise<void> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name);
      const [left] = await sql`SELECT FROM ml_model_versions WHERE model_name = ${name} LIMIT 1`;
      if (left !== undefined) throw new ModelDeployedError(name, 'deleted');
      await sql`
        UPDATE ml_models SET deleted_at = now(), description = '', notes = '', tags = '{}', archived_at = NULL,
          serving_settings = '{}'
        WHERE model_name = ${name}`;
      await recordAudit(sql, tenant, 'delete', name, {
        before: { ...described(model), last_version: model.last_version },
      });
    });
  }
}

const described = ({ description, notes, tags }: Described): Record<string, JSONValue> => ({
  ...{ description, notes, tags },
});

/** RFC 7396: what is left out stays, a tag of null goes. */
function changed(
  before: Described,
  update: VersionUpdate,
): { description: string; notes: string; tags: Record<string, string> } {
  const tags: Record<string, string | null> = { ...before.tags, ...update.tags };
  const kept = Object.entries(tags).filter((entry): entry is [string, string] => entry[1] !== null);
  // Those that have more, from before there was a bound, can have fewer, and everything else.
  if (kept.length > Math.max(maxTags, Object.keys(before.tags).length))
    throw new TooManyTagsError(kept.length);
  return {
    description: update.description ?? before.description,
    notes: update.notes ?? before.notes,
    tags: Object.fromEntries(kept),
  };
}

function requireRow(row: VersionRow, { ifMatch }: Expected): void {
  if (ifMatch !== undefined && String(ifMatch) !== row.row_version)
    throw new PreconditionFailedError(
      `version ${row.version} of model ${row.model_name}`,
      ifMatch,
      Number(row.row_version),
    );
}

async function aliasOf(sql: TransactionSql, name: ModelName, alias: string): Promise<string | undefined> {
  const [row] = await sql<{ version: string }[]>`
    SELECT version FROM ml_model_aliases WHERE model_name = ${name} AND alias = ${alias}`;
  return row?.version;
}

/** Aliases are part of what the model's ETag stands for. */
async function touchModel(sql: TransactionSql, name: ModelName): Promise<void> {
  await sql`UPDATE ml_models SET updated_at = now() WHERE model_name = ${name}`;
}
