/** What the environments beside production serve. */
import type { TransactionSql } from 'postgres';
import { type Environment, environments, type TrialEnvironment } from '../../contracts/environment-names.ts';
import type { ModelEnvironment } from '../../contracts/environments.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { ModelRow } from './registry-rows.ts';

type OfModel = Pick<ModelRow, 'model_name'>;

export interface EnvironmentRow {
  readonly environment: TrialEnvironment;
  /** `null` where it was emptied. */
  readonly version: string | null;
}

export const environmentRows = (sql: TransactionSql, { model_name }: OfModel) => sql<EnvironmentRow[]>`
  SELECT environment, version FROM ml_model_environments WHERE model_name = ${model_name} ORDER BY environment`;

/** @returns every environment that serves something, production the last */
export async function servingEnvironments(
  sql: TransactionSql,
  model: ModelRow,
): Promise<{ environment: Environment; version: string }[]> {
  return [
    ...(await environmentRows(sql, model)),
    { environment: 'production' as const, version: model.champion_version },
  ].flatMap(({ environment, version }) => (version === null ? [] : [{ environment, version }]));
}

/** @returns the version that an environment beside production serves */
export async function servedIn(
  sql: TransactionSql,
  model: OfModel,
  environment: TrialEnvironment,
): Promise<string | null> {
  const rows = await environmentRows(sql, model);
  return rows.find((row) => row.environment === environment)?.version ?? null;
}

export async function putEnvironment(
  sql: TransactionSql,
  tenant: TenantContext,
  { model_name }: OfModel,
  environment: TrialEnvironment,
  version: string | null,
): Promise<void> {
  await sql`
    INSERT INTO ml_model_environments ${sql({ tenant_id: tenant.tenantId, model_name, environment, version })}
    ON CONFLICT (tenant_id, model_name, environment) DO UPDATE SET version = EXCLUDED.version`;
}

/** What a version does beside being the champion, in words. */
export async function usesOf(sql: TransactionSql, model: ModelRow, version: string): Promise<string[]> {
  const rows = await environmentRows(sql, model);
  return [
    ...(model.canary_version === version ? ['canary'] : []),
    ...(model.shadow_version === version ? ['shadow'] : []),
    ...rows.filter((row) => row.version === version).map(({ environment }) => `${environment} version`),
  ];
}

/** Every environment, with the change that brought its version there. */
export async function environmentList(sql: TransactionSql, model: ModelRow): Promise<ModelEnvironment[]> {
  const serving = await servingEnvironments(sql, model);
  const changes = await sql<
    { environment: ModelEnvironment['environment']; revision: string; actor: string; created_at: Date }[]
  >`
    SELECT last.environment, last.revision, last.actor, last.created_at
    FROM unnest(${[...environments]}::text[]) AS one (environment) CROSS JOIN LATERAL (
      SELECT d.environment, d.revision, d.actor, d.created_at FROM ml_deployments d
      WHERE d.model_name = ${model.model_name} AND d.environment = one.environment AND d.action <> 'configure'
      ORDER BY d.revision DESC LIMIT 1
    ) last`;
  return environments.map((environment) => {
    const served = serving.find((one) => one.environment === environment);
    const change = changes.find((one) => one.environment === environment);
    if (served === undefined || change === undefined) return { environment };
    return {
      ...{
        environment,
        model_version: served.version,
        revision: Number(change.revision),
        actor: change.actor,
      },
      deployed_at: change.created_at.toISOString(),
    };
  });
}
