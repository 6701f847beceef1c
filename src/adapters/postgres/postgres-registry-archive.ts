import { ModelManifest } from '../../contracts/models.ts';
import type { ExportedModel, ExportedVersion } from '../../contracts/registry.ts';
import type { ImportedVersion, RegistryArchive } from '../../registry/registry-archive.ts';
import { compareVersions, schemaHash } from '../../registry/semantic-version.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { deploymentView } from './postgres-registry-history.ts';
import { recordAudit } from './registry-changes.ts';
import { lockedModel, type ModelRow } from './registry-rows.ts';
import type { TenantDatabase } from './tenant-database.ts';
import type { VersionRow } from './version-row.ts';

export class PostgresRegistryArchive implements RegistryArchive {
  readonly #database: TenantDatabase;

  constructor(database: TenantDatabase) {
    this.#database = database;
  }

  export(tenant: TenantContext, { limit, cursor }: { limit: number; cursor?: string | undefined }) {
    const after = cursor === undefined ? '' : decodeCursor(cursor, /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
    return this.#database.transaction(tenant, async (sql) => {
      const rows = await sql<ModelRow[]>`
        SELECT * FROM ml_models WHERE model_name > ${after} AND deleted_at IS NULL
        ORDER BY model_name LIMIT ${limit + 1}`;
      const models: ExportedModel[] = [];
      for (const model of rows.slice(0, limit)) {
        const name = model.model_name;
        const versions = await sql<VersionRow[]>`
          SELECT * FROM ml_model_versions WHERE model_name = ${name} ORDER BY mlflow_version`;
        const aliases = await sql<{ alias: never; version: string }[]>`
          SELECT alias, version FROM ml_model_aliases WHERE model_name = ${name} ORDER BY alias`;
        const deployments = await sql<Parameters<typeof deploymentView>[0][]>`
          SELECT * FROM ml_deployments WHERE model_name = ${name} ORDER BY revision`;
        models.push({
          model_name: name as never,
          ...{ description: model.description, notes: model.notes, tags: model.tags },
          archived: model.archived_at !== null,
          ...(model.champion_version === null ? {} : { champion_version: model.champion_version }),
          versions: versions.map(exportedVersion),
          aliases: [...aliases],
          deployments: deployments.map(deploymentView),
        });
      }
      return rows.length > limit
        ? { models, nextCursor: encodeCursor(models.at(-1)!.model_name) }
        : { models };
    });
  }

  add(tenant: TenantContext, model: ExportedModel, versions: readonly ImportedVersion[]) {
    const name = model.model_name;
    return this.#database.transaction(tenant, async (sql) => {
      const [made] = await sql<{ model_name: string }[]>`
        INSERT INTO ml_models (tenant_id, model_name, description, notes, tags, archived_at)
        VALUES (${tenant.tenantId}, ${name}, ${model.description}, ${model.notes}, ${sql.json(model.tags)},
          ${model.archived ? sql`now()` : null})
        ON CONFLICT (tenant_id, model_name) DO UPDATE SET deleted_at = NULL, created_at = now()
        WHERE ml_models.deleted_at IS NOT NULL RETURNING model_name`;
      const row = await lockedModel(sql, name);
      const there = await sql<{ version: string; mlflow_version: number; build_id: string }[]>`
        SELECT version, mlflow_version, build_id FROM ml_model_versions WHERE model_name = ${name}`;
      const added: string[] = [];
      const skipped: string[] = [];
      for (const { version: one, build } of versions) {
        const isTaken = there.some(
          (other) => other.version === one.version || other.mlflow_version === one.mlflow_version,
        );
        // Numbers that were given before, to what is deleted now, stay theirs.
        const isPast = row.last_version !== null && compareVersions(one.version, row.last_version) <= 0;
        if (isTaken || isPast || one.mlflow_version <= row.last_mlflow_version) {
          skipped.push(one.version);
          continue;
        }
        const columns = { tenant_id: tenant.tenantId, ...rowOf(one, build), ...json(one, build, sql.json) };
        // The job may have made a version of another model here.
        const [inserted] = await sql`
          INSERT INTO ml_model_versions ${sql(columns)} ON CONFLICT DO NOTHING RETURNING version`;
        (inserted === undefined ? skipped : added).push(one.version);
      }
      for (const { alias, version } of model.aliases.filter((each) => added.includes(each.version)))
        await sql`
          INSERT INTO ml_model_aliases (tenant_id, model_name, alias, version)
          VALUES (${tenant.tenantId}, ${name}, ${alias}, ${version}) ON CONFLICT DO NOTHING`;
      const newest = versions
        .map(({ version }) => version)
        .filter(({ version }) => added.includes(version))
        .sort((a, b) => compareVersions(b.version, a.version))[0];
      if (newest !== undefined) {
        const numbers = versions.map(({ version }) => version.mlflow_version);
        await sql`
          UPDATE ml_models SET last_version = ${newest.version}, last_schema_hash = ${schemaHash(newest.manifest)},
            last_mlflow_version = ${Math.max(row.last_mlflow_version, ...numbers)}
          WHERE model_name = ${name}`;
      }
      await recordAudit(sql, tenant, 'import', name, { added, skipped });
      return { createdModel: made !== undefined, added, skipped };
    });
  }
}

const exportedVersion = (row: VersionRow): ExportedVersion => ({
  ...{ version: row.version, mlflow_version: row.mlflow_version, stage: row.stage },
  ...(row.derived_from === null ? {} : { derived_from: row.derived_from }),
  ...{ description: row.description, notes: row.notes, tags: row.tags, metrics: row.metrics },
  ...{ manifest: ModelManifest.parse(row.manifest), manifest_sha256: row.manifest_sha256 },
  ...{ created_by: row.created_by, created_at: row.created_at.toISOString() },
});

/** What serves nowhere here is not in Production here; what has no bytes can only be kept. */
function stageOf({ stage }: ExportedVersion, build: ImportedVersion['build']): string {
  if (build === undefined) return 'Archived';
  return stage === 'Production' ? 'Staging' : stage;
}

function rowOf(one: ExportedVersion, build: ImportedVersion['build']) {
  const { manifest } = one;
  return {
    model_name: manifest.model_name,
    ...{ version: one.version, mlflow_version: one.mlflow_version, stage: stageOf(one, build) },
    derived_from: one.derived_from ?? null,
    ...{ description: one.description, notes: one.notes },
    ...{ build_id: manifest.build_id, task: manifest.task, algorithm: manifest.algorithm ?? null },
    ...{ origin: manifest.origin ?? 'trained', framework: manifest.framework ?? null },
    artifact_key: build?.artifactKey ?? '',
    artifact_sha256: manifest.artifact.sha256,
    artifact_bytes: manifest.artifact.bytes,
    manifest_key: build?.manifestKey ?? '',
    manifest_sha256: one.manifest_sha256,
    dataset_id: manifest.dataset_id ?? null,
    schema_hash: schemaHash(manifest),
    job_id: manifest.job_id,
    verified_at: build === undefined ? null : new Date(manifest.created_at),
    created_by: one.created_by,
    created_at: new Date(one.created_at),
  };
}

/** Columns of JSON. */
const json = <Json>(
  { tags, metrics, manifest }: ExportedVersion,
  build: ImportedVersion['build'],
  as: (value: never) => Json,
) => ({
  ...{ tags: as(tags as never), metrics: as(metrics as never), manifest: as(manifest as never) },
  manifest_signature: build?.signature === undefined ? null : as(build.signature as never),
});
