/** What every change of the registry leaves behind, in the transaction that makes it. */
import type { JSONValue, TransactionSql } from 'postgres';
import type { ModelStage } from '../../contracts/models.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { ModelRow } from './registry-rows.ts';
import type { VersionRow } from './version-row.ts';

export interface DeploymentChange {
  readonly action: 'deploy' | 'rollback' | 'withdraw' | 'configure';
  readonly version: string | null;
  readonly forced?: boolean | undefined;
  readonly reason?: string | undefined;
}

export interface RecordedChange {
  readonly revision: number;
  readonly at: Date;
}

/** The next revision of what is deployed, with its line in the history. */
export async function recordDeployment(
  sql: TransactionSql,
  tenant: TenantContext,
  model: ModelRow,
  change: DeploymentChange,
): Promise<RecordedChange> {
  const revision = Number(model.revision) + 1;
  const { version, action, forced = false, reason = '' } = change;
  await sql`
    UPDATE ml_models SET revision = ${revision}, champion_version = ${version} WHERE model_name = ${model.model_name}`;
  const [row] = await sql<{ created_at: Date }[]>`
    INSERT INTO ml_deployments ${sql({
      tenant_id: tenant.tenantId,
      model_name: model.model_name,
      ...{ revision, version, action, forced, reason },
      previous_version: model.champion_version,
      actor: tenant.actor,
      request_id: tenant.requestId,
    })} RETURNING created_at`;
  await recordAudit(sql, tenant, action, `${model.model_name}/${version ?? model.champion_version}`, {
    revision,
    before: { champion_version: model.champion_version },
    after: { champion_version: version },
    ...(forced ? { forced } : {}),
    ...(reason === '' ? {} : { reason }),
  });
  return { revision, at: row!.created_at };
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
