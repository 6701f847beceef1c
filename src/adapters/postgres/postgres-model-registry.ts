import type { TransactionSql } from 'postgres';
import type { ModelDetail, ModelSummary, ModelVersion } from '../../contracts/models.ts';
import type { ModelName } from '../../contracts/names.ts';
import type { ServingConfiguration, ServingConfigurationRequest } from '../../contracts/serving.ts';
import {
  CanaryIsChampionError,
  type Deployment,
  type ModelRegistry,
  NothingDeployedError,
  type Registration,
  type Traffic,
  VersionDeployedError,
  VersionNotVerifiedError,
} from '../../registry/model-registry.ts';
import { nextVersion, schemaHash } from '../../registry/semantic-version.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import {
  existingModel,
  existingVersion,
  lockedModel,
  type ModelRow,
  verifiedVersion,
  versionsOf,
} from './registry-rows.ts';
import { trafficOf, withoutAnyTraffic, withoutTraffic } from './registry-traffic.ts';
import type { TenantDatabase } from './tenant-database.ts';
import { artifactOf, metadataOf, modelVersionOf, type VersionRow } from './version-row.ts';

interface Change {
  readonly action: 'deploy' | 'withdraw' | 'configure';
  readonly version: string | null;
}

/** The registry in Postgres. Row level security holds every statement to the tenant; no WHERE names it. */
export class PostgresModelRegistry implements ModelRegistry {
  readonly #database: TenantDatabase;

  constructor(database: TenantDatabase) {
    this.#database = database;
  }

  register(tenant: TenantContext, registration: Registration) {
    const { manifest } = registration;
    const model = manifest.model_name;
    return this.#database.transaction(tenant, async (sql) => {
      await sql`INSERT INTO ml_models (tenant_id, model_name) VALUES (${tenant.tenantId}, ${model}) ON CONFLICT DO NOTHING`;
      const { last_mlflow_version, last_version, last_schema_hash, champion_version } = await lockedModel(
        sql,
        model,
      );
      const [made] = await sql<
        VersionRow[]
      >`SELECT * FROM ml_model_versions WHERE job_id = ${manifest.job_id}`;
      if (made !== undefined) return modelVersionOf(made, champion_version);
      const schema = schemaHash(manifest);
      const version = nextVersion(last_version ?? undefined, last_schema_hash === schema ? 'minor' : 'major');
      const [row] = await sql<VersionRow[]>`
        INSERT INTO ml_model_versions ${sql({
          tenant_id: tenant.tenantId,
          model_name: model,
          version,
          mlflow_version: last_mlflow_version + 1,
          build_id: manifest.build_id,
          task: manifest.task,
          algorithm: manifest.algorithm ?? null,
          origin: manifest.origin ?? 'trained',
          framework: manifest.framework ?? null,
          metrics: sql.json(manifest.metrics),
          manifest: sql.json(manifest as never),
          artifact_key: registration.artifactKey,
          artifact_sha256: manifest.artifact.sha256,
          artifact_bytes: manifest.artifact.bytes,
          manifest_key: registration.manifestKey,
          manifest_sha256: registration.manifestSha256,
          dataset_id: manifest.dataset_id ?? null,
          schema_hash: schema,
          job_id: manifest.job_id,
          // The export step has loaded the graph and compared it with the model, the import has tried it; without that
          // there is no build.
          verified_at: new Date(manifest.created_at),
          created_by: tenant.actor,
        })} RETURNING *`;
      await sql`
        UPDATE ml_models SET last_mlflow_version = ${last_mlflow_version + 1}, last_version = ${version},
          last_schema_hash = ${schema} WHERE model_name = ${model}`;
      await audit(sql, tenant, 'register', `${model}/${version}`, { job_id: manifest.job_id });
      return modelVersionOf(row!, champion_version);
    });
  }

  list(tenant: TenantContext, page: { limit: number; cursor?: string }) {
    const after =
      page.cursor === undefined ? '' : decodeCursor(page.cursor, /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
    return this.#database.transaction(tenant, async (sql) => {
      const models = await sql<ModelRow[]>`
        SELECT * FROM ml_models WHERE model_name > ${after} ORDER BY model_name LIMIT ${page.limit + 1}`;
      const shown = models.slice(0, page.limit);
      const versions = await versionsOf(
        sql,
        shown.map(({ model_name }) => model_name),
      );
      const items = shown.map((model) => summaryOf(model, versions.get(model.model_name) ?? []));
      return models.length > page.limit
        ? { items, nextCursor: encodeCursor(shown.at(-1)!.model_name) }
        : { items };
    });
  }

  model(tenant: TenantContext, name: ModelName): Promise<ModelDetail> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await existingModel(sql, name);
      const rows = (await versionsOf(sql, [name])).get(name) ?? [];
      return {
        ...summaryOf(model, rows),
        versions: rows.map((row) => modelVersionOf(row, model.champion_version)),
      };
    });
  }

  version(tenant: TenantContext, name: ModelName, version?: string) {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await existingModel(sql, name);
      const row = await existingVersion(sql, name, version ?? model.champion_version ?? undefined);
      return metadataOf(row, model.champion_version);
    });
  }

  deploy(tenant: TenantContext, name: ModelName, version: string): Promise<Deployment> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name);
      const row = await existingVersion(sql, name, version);
      if (row.verified_at === null) throw new VersionNotVerifiedError(name, row.version);
      if (model.champion_version !== null && model.champion_version !== row.version) {
        await sql`UPDATE ml_model_versions SET stage = 'Archived' WHERE model_name = ${name} AND version = ${model.champion_version}`;
      }
      const [deployed] = await sql<VersionRow[]>`
        UPDATE ml_model_versions SET stage = 'Production' WHERE model_name = ${name} AND version = ${row.version}
        RETURNING *`;
      const change = await recordChange(sql, tenant, model, { action: 'deploy', version: row.version });
      const champion = { ...modelVersionOf(deployed!, row.version), ...artifactOf(row) };
      // A canary that becomes the champion has ended.
      const rest = await withoutTraffic(sql, model, row.version, 'canary');
      return deploymentOf(model, change, champion, await trafficOf(sql, rest));
    });
  }

  configure(tenant: TenantContext, name: ModelName, request: ServingConfigurationRequest) {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name);
      if (model.champion_version === null) throw new NothingDeployedError(name);
      const canary = await verifiedVersion(sql, name, request.canary?.version);
      if (canary?.version === model.champion_version) throw new CanaryIsChampionError(name, canary.version);
      const shadow = await verifiedVersion(sql, name, request.shadow?.version);
      const settings = request.settings ?? {};
      const [changed] = await sql<ModelRow[]>`
        UPDATE ml_models SET canary_version = ${canary?.version ?? null},
          canary_weight = ${request.canary?.weight ?? null}, shadow_version = ${shadow?.version ?? null},
          serving_settings = ${sql.json(settings)}
        WHERE model_name = ${name} RETURNING *`;
      const change = await recordChange(sql, tenant, model, {
        action: 'configure',
        version: model.champion_version,
      });
      const row = await existingVersion(sql, name, model.champion_version);
      const champion = { ...modelVersionOf(row, row.version), ...artifactOf(row) };
      return deploymentOf(model, change, champion, await trafficOf(sql, changed!));
    });
  }

  serving(tenant: TenantContext, name: ModelName): Promise<ServingConfiguration> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await existingModel(sql, name);
      const { canary_version, canary_weight, shadow_version, champion_version } = model;
      return {
        model_name: name,
        revision: Number(model.revision),
        ...(champion_version === null ? {} : { champion_version }),
        ...(canary_version === null ? {} : { canary: { version: canary_version, weight: canary_weight! } }),
        ...(shadow_version === null ? {} : { shadow: { version: shadow_version } }),
        settings: model.serving_settings,
      };
    });
  }

  deployment(tenant: TenantContext, name: ModelName): Promise<Deployment | undefined> {
    return this.#database.transaction(tenant, async (sql) => {
      const [model] = await sql<ModelRow[]>`SELECT * FROM ml_models WHERE model_name = ${name}`;
      if (model === undefined || model.revision === '0') return undefined;
      const row =
        model.champion_version === null
          ? undefined
          : await existingVersion(sql, name, model.champion_version);
      const champion =
        row === undefined ? undefined : { ...modelVersionOf(row, row.version), ...artifactOf(row) };
      const [change] = await sql<{ previous_version: string | null; created_at: Date }[]>`
        SELECT previous_version, created_at FROM ml_deployments
        WHERE model_name = ${name} AND revision = ${model.revision}`;
      return deploymentOf(
        { ...model, champion_version: change!.previous_version },
        { revision: Number(model.revision), at: change!.created_at },
        champion,
        await trafficOf(sql, model),
      );
    });
  }

  retire(tenant: TenantContext, name: ModelName, version: string, { force }: { force: boolean }) {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name);
      const row = await existingVersion(sql, name, version);
      const isChampion = row.version === model.champion_version;
      const takesPart = [model.canary_version, model.shadow_version].includes(row.version);
      if ((isChampion || takesPart) && !force) throw new VersionDeployedError(name, row.version);
      // Out of service means all of it: what stood beside the champion does not come back with the next one.
      const rest = isChampion
        ? await withoutAnyTraffic(sql, model)
        : await withoutTraffic(sql, model, row.version);
      const [retired] = await sql<VersionRow[]>`
        UPDATE ml_model_versions SET verified_at = NULL, stage = 'Archived'
        WHERE model_name = ${name} AND version = ${row.version} RETURNING *`;
      const gone = modelVersionOf(retired!, null);
      if (isChampion) {
        const change = await recordChange(sql, tenant, model, { action: 'withdraw', version: null });
        return {
          version: gone,
          deployment: deploymentOf(model, change, undefined, await trafficOf(sql, rest)),
        };
      }
      if (!takesPart || model.champion_version === null) return { version: gone, deployment: undefined };
      const change = await recordChange(sql, tenant, model, {
        action: 'configure',
        version: model.champion_version,
      });
      const serving = await existingVersion(sql, name, model.champion_version);
      const champion = { ...modelVersionOf(serving, serving.version), ...artifactOf(serving) };
      return { version: gone, deployment: deploymentOf(model, change, champion, await trafficOf(sql, rest)) };
    });
  }

  remove(tenant: TenantContext, name: ModelName, version: string): Promise<ModelVersion> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name);
      const row = await existingVersion(sql, name, version);
      if (row.version === model.champion_version) throw new VersionDeployedError(name, row.version);
      await sql`DELETE FROM ml_model_versions WHERE model_name = ${name} AND version = ${row.version}`;
      await audit(sql, tenant, 'delete', `${name}/${row.version}`, {
        build_id: row.build_id,
        sha256: row.artifact_sha256,
      });
      return modelVersionOf(row, model.champion_version);
    });
  }
}

const aboutShown = ({ origin, task, algorithm, framework, metrics }: ModelVersion) => ({
  ...{ origin, task, metrics },
  ...(algorithm === undefined ? {} : { algorithm }),
  ...(framework === undefined ? {} : { framework }),
});

function summaryOf(model: ModelRow, versions: readonly VersionRow[]): ModelSummary {
  const name = model.model_name as ModelName;
  const shown = versions.find(({ version }) => version === model.champion_version) ?? versions[0];
  return {
    model_name: name,
    model_id: name,
    ...(model.champion_version === null ? {} : { champion_version: model.champion_version }),
    ...(versions[0] === undefined ? {} : { latest_version: versions[0].version }),
    n_versions: versions.length,
    ...(shown === undefined ? {} : aboutShown(modelVersionOf(shown, null))),
    created_at: model.created_at.toISOString(),
    updated_at: model.updated_at.toISOString(),
  };
}

interface RecordedChange {
  readonly revision: number;
  readonly at: Date;
}

async function recordChange(
  sql: TransactionSql,
  tenant: TenantContext,
  model: ModelRow,
  change: Change,
): Promise<RecordedChange> {
  const revision = Number(model.revision) + 1;
  await sql`
    UPDATE ml_models SET revision = ${revision}, champion_version = ${change.version} WHERE model_name = ${model.model_name}`;
  const [row] = await sql<{ created_at: Date }[]>`
    INSERT INTO ml_deployments ${sql({
      tenant_id: tenant.tenantId,
      model_name: model.model_name,
      revision,
      version: change.version,
      previous_version: model.champion_version,
      action: change.action,
      actor: tenant.actor,
      request_id: tenant.requestId,
    })} RETURNING created_at`;
  await audit(sql, tenant, change.action, `${model.model_name}/${change.version ?? model.champion_version}`, {
    revision,
    previous_version: model.champion_version,
  });
  return { revision, at: row!.created_at };
}

async function audit(
  sql: TransactionSql,
  tenant: TenantContext,
  action: string,
  subject: string,
  detail: Record<string, string | number | null>,
): Promise<void> {
  await sql`
    INSERT INTO ml_audit ${sql({
      tenant_id: tenant.tenantId,
      action,
      subject,
      actor: tenant.actor,
      request_id: tenant.requestId,
      detail: sql.json(detail),
    })}`;
}

const deploymentOf = (
  model: ModelRow,
  change: RecordedChange,
  champion: Deployment['champion'],
  traffic: Traffic,
): Deployment => ({
  modelName: model.model_name as ModelName,
  revision: change.revision,
  champion,
  previousVersion: model.champion_version ?? undefined,
  deployedAt: change.at.toISOString(),
  traffic,
});
