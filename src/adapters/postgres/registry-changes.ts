/** What every change of the registry leaves behind, in the transaction that makes it. */
import type { JSONValue, TransactionSql } from 'postgres';
import type { Environment } from '../../contracts/environment-names.ts';
import type { ModelStage } from '../../contracts/models.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { putEnvironment, servedIn } from './registry-environments.ts';
import type { ModelRow } from './registry-rows.ts';
import type { VersionRow } from './version-row.ts';

export interface DeploymentChange {
  readonly action: 'deploy' | 'rollback' | 'withdraw' | 'configure';
  readonly version: string | null;
  /** @default production */
  readonly environment?: Environment | undefined;
  readonly forced?: boolean | undefined;
  readonly reason?: string | undefined;
}

export interface RecordedChange {
  readonly revision: number;
  readonly at: Date;
  /** What served there before. */
  readonly previousVersion: string | null;
}

/** The next revision of what is deployed, with its line in the history. */
export async function recordDeployment(
  sql: TransactionSql,
  tenant: TenantContext,
  model: ModelRow,
  change: DeploymentChange,
): Promise<RecordedChange> {
  const revision = Number(model.revision) + 1;
  const { version, action, environment = 'production', forced = false, reason = '' } = change;
  const previous =
    environment === 'production' ? model.champion_version : await servedIn(sql, model, environment);
  await sql`
    UPDATE ml_models SET revision = ${revision}
      ${environment === 'production' ? sql`, champion_version = ${version}` : sql``}
    WHERE model_name = ${model.model_name}`;
  if (environment !== 'production') await putEnvironment(sql, tenant, model, environment, version);
  const [row] = await sql<{ created_at: Date }[]>`
    INSERT INTO ml_deployments ${sql({
      tenant_id: tenant.tenantId,
      model_name: model.model_name,
      ...{ revision, version, action, environment, forced, reason },
      previous_version: previous,
      actor: tenant.actor,
      request_id: tenant.requestId,
    })} RETURNING created_at`;
  const served = environment === 'production' ? 'champion_version' : `${environment}_version`;
  await recordAudit(sql, tenant, action, `${model.model_name}/${version ?? previous}`, {
    ...{ revision, environment },
    before: { [served]: previous },
    after: { [served]: version },
    ...(forced ? { forced } : {}),
    ...(reason === '' ? {} : { reason }),
  });
  return { revision, at: row!.created_at, previousVersion: previous };
}

/** @param subject - `model` or `model/version` */
export async function recordAudit(
  sql: TransactionSql,
  tenant: TenantContext,
  action: string,
  subject: string,
  detail: Readonly<Record<string, JSONValue | undefined>>,
): Promise<void> {
  await sql`
    INSERT INTO ml_audit ${sql({
      tenant_id: tenant.tenantId,
      action,
      subject,
      actor: tenant.actor,
      request_id: tenant.requestId,
      detail: sql.json(detail as JSONValue),
    })}`;
}

/** Moves a version to a stage, and says so in the history; to the stage that it is in it does nothing. */
export async function moveStage(
  sql: TransactionSql,
  tenant: TenantContext,
  row: Pick<VersionRow, 'model_name' | 'version' | 'stage'>,
  to: ModelStage,
  { forced = false, reason = '' }: { readonly forced?: boolean; readonly reason?: string } = {},
): Promise<void> {
  if (row.stage === to) return;
  await sql`
    UPDATE ml_model_versions SET stage = ${to} WHERE model_name = ${row.model_name} AND version = ${row.version}`;
  await sql`
    INSERT INTO ml_stage_transitions ${sql({
      tenant_id: tenant.tenantId,
      model_name: row.model_name,
      version: row.version,
      from_stage: row.stage,
      to_stage: to,
      ...{ forced, reason },
      actor: tenant.actor,
      request_id: tenant.requestId,
    })}`;
}
