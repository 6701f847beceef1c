import type { TransactionSql } from 'postgres';
import type { TrialEnvironment } from '../../contracts/environment-names.ts';
import type { ModelVersion } from '../../contracts/models.ts';
import type { ModelName } from '../../contracts/names.ts';
import type { ServingConfiguration, ServingConfigurationRequest } from '../../contracts/serving.ts';
import {
  CanaryIsChampionError,
  type Deployment,
  type DeployOptions,
  type EnvironmentChange,
  EnvironmentEmptyError,
  type ModelFilter,
  type ModelRegistry,
  NothingDeployedError,
  NothingToRollBackToError,
  type Registration,
  type RollbackOptions,
  VersionDeployedError,
  VersionNotVerifiedError,
} from '../../registry/model-registry.ts';
import { checkMetrics } from '../../registry/registered-metrics.ts';
import { nextVersion, schemaHash } from '../../registry/semantic-version.ts';
import { checkTransition } from '../../registry/stage-transition.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { besideChampion, modelDetail, modelPage } from './model-pages.ts';
import { moveStage, type RecordedChange, recordAudit, recordDeployment } from './registry-changes.ts';
import { environmentList, environmentRows, servedIn } from './registry-environments.ts';
import {
  existingModel,
  existingVersion,
  lockedModel,
  type ModelRow,
  verifiedVersion,
} from './registry-rows.ts';
import { trafficOf, withoutAnyTraffic, withoutTraffic } from './registry-traffic.ts';
import type { TenantDatabase } from './tenant-database.ts';
import { artifactOf, metadataOf, modelVersionOf, type VersionRow } from './version-row.ts';

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
      // One of this name that was deleted begins anew, with the next numbers.
      await sql`
        INSERT INTO ml_models (tenant_id, model_name) VALUES (${tenant.tenantId}, ${model})
        ON CONFLICT (tenant_id, model_name) DO UPDATE SET deleted_at = NULL, created_at = now()
        WHERE ml_models.deleted_at IS NOT NULL`;
      const { last_mlflow_version, last_version, last_schema_hash, champion_version } = await lockedModel(
        sql,
        model,
      );
      const [made] = await sql<
        VersionRow[]
      >`SELECT * FROM ml_model_versions WHERE job_id = ${manifest.job_id} AND derived_from IS NULL`;
      if (made !== undefined) return modelVersionOf(made, champion_version);
      checkMetrics(manifest.metrics);
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
          manifest_signature: registration.signature === undefined ? null : sql.json(registration.signature),
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
      await recordAudit(sql, tenant, 'register', `${model}/${version}`, { job_id: manifest.job_id });
      return modelVersionOf(row!, champion_version);
    });
  }

  list(tenant: TenantContext, page: { limit: number; cursor?: string | undefined } & ModelFilter) {
    return this.#database.transaction(tenant, (sql) => modelPage(sql, page));
  }

  model(tenant: TenantContext, name: ModelName) {
    return this.#database.transaction(tenant, (sql) => modelDetail(sql, name));
  }

  version(tenant: TenantContext, name: ModelName, version?: string) {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await existingModel(sql, name);
      const row = await existingVersion(sql, name, version ?? model.champion_version ?? undefined);
      return metadataOf(row, model.champion_version);
    });
  }

  deploy(
    tenant: TenantContext,
    name: ModelName,
    version: string,
    options: DeployOptions = {},
  ): Promise<Deployment> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name, options);
      const row = await existingVersion(sql, name, version);
      if (row.verified_at === null) throw new VersionNotVerifiedError(name, row.version);
      const { reason = '', action = 'deploy', heedStage = false } = options;
      // What has failed comes back by being tried again, not by the way.
      const step =
        heedStage || row.stage === 'Failed'
          ? checkTransition(row.version, row.stage, 'Production', { force: options.forced === true })
          : undefined;
      const forced = step?.forced ?? options.forced === true;
      if (model.champion_version !== null && model.champion_version !== row.version) {
        const before = await existingVersion(sql, name, model.champion_version);
        await moveStage(sql, tenant, before, 'Archived', { reason: `${row.version} was deployed` });
      }
      if (row.stage !== 'Production') {
        // A verified version passes Staging by itself, unless it was sent to Production past it.
        if (row.stage !== 'Staging' && !forced) await moveStage(sql, tenant, row, 'Staging', { reason });
        const from = forced ? row.stage : 'Staging';
        await moveStage(sql, tenant, { ...row, stage: from }, 'Production', { forced, reason });
      }
      const change = await recordDeployment(sql, tenant, model, {
        ...{ action, version: row.version, forced, reason },
      });
      // A canary that becomes the champion has ended.
      const rest = await withoutTraffic(sql, model, row.version, 'canary');
      return deploymentOf(sql, { ...rest, champion_version: row.version }, change);
    });
  }

  deployTo(
    tenant: TenantContext,
    name: ModelName,
    environment: TrialEnvironment,
    version: string | undefined,
    { forced = false, reason = '', ...expected }: Parameters<ModelRegistry['deployTo']>[4] = {},
  ): Promise<EnvironmentChange> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name, expected);
      const row = await verifiedVersion(sql, name, version);
      if (row === undefined && (await servedIn(sql, model, environment)) === null)
        throw new EnvironmentEmptyError(name, environment);
      const staged = environment === 'staging' && row?.stage !== 'Production' ? row : undefined;
      const step = staged && checkTransition(staged.version, staged.stage, 'Staging', { force: forced });
      if (staged !== undefined) await moveStage(sql, tenant, staged, 'Staging', { ...step, reason });
      const change = await recordDeployment(sql, tenant, model, {
        ...{ action: row === undefined ? 'withdraw' : 'deploy', environment, version: row?.version ?? null },
        ...{ forced: step?.forced, reason },
      });
      return {
        environment,
        version: row?.version,
        previousVersion: change.previousVersion ?? undefined,
        revision: change.revision,
        at: change.at.toISOString(),
        deployment: await deploymentOf(sql, model, change),
      };
    });
  }

  environments(tenant: TenantContext, name: ModelName) {
    return this.#database.transaction(tenant, async (sql) =>
      environmentList(sql, await existingModel(sql, name)),
    );
  }

  async rollback(
    tenant: TenantContext,
    name: ModelName,
    { toVersion, ...options }: RollbackOptions,
  ): Promise<Deployment> {
    const target = await this.rollbackTarget(tenant, name, toVersion);
    return this.deploy(tenant, name, target.version, {
      ...{ action: 'rollback', ...options, ifRevision: options.ifRevision ?? target.revision },
    });
  }

  rollbackTarget(tenant: TenantContext, name: ModelName, toVersion?: string) {
    return this.#database.transaction(tenant, (sql) => rollbackTarget(sql, name, toVersion));
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
      const change = await recordDeployment(sql, tenant, model, {
        action: 'configure',
        version: model.champion_version,
      });
      return deploymentOf(sql, changed!, change);
    });
  }

  serving(tenant: TenantContext, name: ModelName): Promise<ServingConfiguration> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await existingModel(sql, name);
      const { champion_version } = model;
      return {
        model_name: name,
        revision: Number(model.revision),
        ...(champion_version === null ? {} : { champion_version }),
        ...besideChampion(model),
        settings: model.serving_settings,
      };
    });
  }

  deployment(tenant: TenantContext, name: ModelName): Promise<Deployment | undefined> {
    return this.#database.transaction(tenant, async (sql) => {
      const [model] = await sql<ModelRow[]>`SELECT * FROM ml_models WHERE model_name = ${name}`;
      if (model === undefined || model.revision === '0') return undefined;
      const [change] = await sql<{ previous_version: string | null; created_at: Date }[]>`
        SELECT previous_version, created_at FROM ml_deployments
        WHERE model_name = ${name} AND revision = ${model.revision}`;
      // Of a model of the same name, which was deleted.
      if (model.deleted_at === null && change!.created_at < model.created_at) return undefined;
      return deploymentOf(sql, model, {
        ...{ revision: Number(model.revision), at: change!.created_at },
        previousVersion: change!.previous_version,
      });
    });
  }

  retire(tenant: TenantContext, name: ModelName, version: string, { force }: { force: boolean }) {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name);
      const row = await existingVersion(sql, name, version);
      const isChampion = row.version === model.champion_version;
      const takesPart = [model.canary_version, model.shadow_version].includes(row.version);
      const serving = (await environmentRows(sql, model)).filter((one) => one.version === row.version);
      if ((isChampion || takesPart || serving.length > 0) && !force)
        throw new VersionDeployedError(name, row.version);
      let change: RecordedChange | undefined;
      let rest = model;
      const record = async (what: Parameters<typeof recordDeployment>[3]) => {
        change = await recordDeployment(sql, tenant, rest, what);
        rest = { ...rest, revision: String(change.revision) };
      };
      for (const { environment } of serving)
        await record({ action: 'withdraw', environment, version: null, reason: 'retired' });
      // Out of service means all of it: what stood beside the champion does not come back with the next one.
      rest = isChampion ? await withoutAnyTraffic(sql, rest) : await withoutTraffic(sql, rest, row.version);
      await moveStage(sql, tenant, row, 'Archived', { reason: 'retired' });
      const [retired] = await sql<VersionRow[]>`
        UPDATE ml_model_versions SET verified_at = NULL
        WHERE model_name = ${name} AND version = ${row.version} RETURNING *`;
      if (isChampion) await record({ action: 'withdraw', version: null });
      else if (takesPart && rest.champion_version !== null)
        await record({ action: 'configure', version: rest.champion_version });
      if (isChampion) rest = { ...rest, champion_version: null };
      const deployment = change === undefined ? undefined : await deploymentOf(sql, rest, change);
      return { version: modelVersionOf(retired!, null), deployment, wasChampion: isChampion };
    });
  }

  remove(tenant: TenantContext, name: ModelName, version: string): Promise<ModelVersion> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name);
      return removed(sql, tenant, model, await existingVersion(sql, name, version));
    });
  }

  removeSharing(tenant: TenantContext, name: ModelName, version: string): Promise<ModelVersion | undefined> {
    return this.#database.transaction(tenant, async (sql) => {
      const model = await lockedModel(sql, name);
      const row = await existingVersion(sql, name, version);
      const [other] = await sql`
        SELECT FROM ml_model_versions WHERE model_name = ${name} AND build_id = ${row.build_id}
          AND version <> ${row.version} LIMIT 1`;
      return other === undefined ? undefined : removed(sql, tenant, model, row);
    });
  }
}

async function removed(
  sql: TransactionSql,
  tenant: TenantContext,
  model: ModelRow,
  row: VersionRow,
): Promise<ModelVersion> {
  const name = model.model_name as ModelName;
  if (row.version === model.champion_version) throw new VersionDeployedError(name, row.version);
  await sql`DELETE FROM ml_model_versions WHERE model_name = ${name} AND version = ${row.version}`;
  await recordAudit(sql, tenant, 'delete', `${name}/${row.version}`, {
    build_id: row.build_id,
    sha256: row.artifact_sha256,
  });
  return modelVersionOf(row, model.champion_version);
}

/** @param model as it is after the change */
async function deploymentOf(
  sql: TransactionSql,
  model: ModelRow,
  change: RecordedChange,
): Promise<Deployment> {
  const modelName = model.model_name as ModelName;
  const row =
    model.champion_version === null
      ? undefined
      : await existingVersion(sql, modelName, model.champion_version);
  return {
    ...{ modelName, revision: change.revision },
    champion: row && { ...modelVersionOf(row, row.version), ...artifactOf(row) },
    isWithdrawn: row === undefined && (await wasInProduction(sql, model)),
    previousVersion: change.previousVersion ?? undefined,
    deployedAt: change.at.toISOString(),
    traffic: await trafficOf(sql, model),
  };
}

/** What a deleted model of the same name has served does not count. */
async function wasInProduction(
  sql: TransactionSql,
  { model_name, created_at }: Pick<ModelRow, 'model_name' | 'created_at'>,
): Promise<boolean> {
  const [change] = await sql`
    SELECT FROM ml_deployments WHERE model_name = ${model_name} AND environment = 'production' AND action <> 'configure'
      AND created_at >= ${created_at} LIMIT 1`;
  return change !== undefined;
}

/** @returns a version that has served and can again, and the revision that was looked at */
async function rollbackTarget(
  sql: TransactionSql,
  name: ModelName,
  toVersion: string | undefined,
): Promise<{ version: string; revision: number }> {
  const model = await existingModel(sql, name);
  const named = toVersion === undefined ? undefined : await existingVersion(sql, name, toVersion);
  const [found] = await sql<{ version: string }[]>`
    SELECT v.version FROM ml_deployments d
    JOIN ml_model_versions v ON v.model_name = d.model_name AND v.version = d.version
    WHERE d.model_name = ${name} AND d.environment = 'production' AND v.verified_at IS NOT NULL AND v.stage <> 'Failed'
      AND v.version IS DISTINCT FROM ${model.champion_version}
      ${named === undefined ? sql`` : sql`AND v.version = ${named.version}`}
    ORDER BY d.revision DESC LIMIT 1`;
  if (found === undefined) throw new NothingToRollBackToError(name);
  return { version: found.version, revision: Number(model.revision) };
}
