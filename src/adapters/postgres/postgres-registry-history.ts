import type { TransactionSql } from 'postgres';
import type { ModelName } from '../../contracts/names.ts';
import type { AuditEntry, DeploymentList, ModelDeployment } from '../../contracts/registry.ts';
import type { LineageFacts } from '../../registry/lineage.ts';
import type { RegistryHistory } from '../../registry/registry-history.ts';
import type { AuditFilter } from '../../tenancy/audit-trail.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { existingModel, existingVersion } from './registry-rows.ts';
import type { TenantDatabase } from './tenant-database.ts';
import type { VersionRow } from './version-row.ts';

interface DeploymentRow {
  revision: string;
  version: string | null;
  previous_version: string | null;
  action: ModelDeployment['action'];
  environment: ModelDeployment['environment'];
  forced: boolean;
  reason: string;
  actor: string;
  request_id: string;
  created_at: Date;
}

/** Number of a row that is counted up, in a cursor. */
const positionPattern = /^[1-9]\d{0,17}$/;
const maxLineageVersions = 500;

export class PostgresRegistryHistory implements RegistryHistory {
  readonly #database: TenantDatabase;

  constructor(database: TenantDatabase) {
    this.#database = database;
  }

  deployments(
    tenant: TenantContext,
    name: ModelName,
    { limit, cursor, at, environment }: Parameters<RegistryHistory['deployments']>[2],
  ): Promise<DeploymentList> {
    return this.#database.transaction(tenant, async (sql) => {
      await existingModel(sql, name);
      const before = cursor === undefined ? undefined : decodeCursor(cursor, positionPattern);
      const rows = await sql<DeploymentRow[]>`
        SELECT * FROM ml_deployments WHERE model_name = ${name}
          ${before === undefined ? sql`` : sql`AND revision < ${before}`}
          ${environment === undefined ? sql`` : sql`AND environment = ${environment}`}
        ORDER BY revision DESC LIMIT ${limit + 1}`;
      const page = rows.slice(0, limit);
      return {
        items: page.map(deploymentView),
        ...(rows.length > limit ? { next_cursor: encodeCursor(page.at(-1)!.revision) } : {}),
        ...(at === undefined ? {} : { production_at: await productionAt(sql, name, at) }),
      };
    });
  }

  audit(tenant: TenantContext, page: { limit: number; before?: string | undefined } & AuditFilter) {
    const { limit, before, subject, actor, action, from, to } = page;
    return this.#database.transaction(tenant, async (sql) => {
      const rows = await sql<
        (Omit<AuditEntry, 'at' | 'detail'> & { created_at: Date; detail: Record<string, unknown> })[]
      >`
        SELECT audit_id, action, subject, actor, request_id, detail, created_at FROM ml_audit WHERE true
          ${before === undefined ? sql`` : sql`AND audit_id < ${before}`}
          ${subject === undefined ? sql`` : sql`AND (subject = ${subject} OR starts_with(subject, ${`${subject}/`}))`}
          ${actor === undefined ? sql`` : sql`AND actor = ${actor}`}
          ${action === undefined ? sql`` : sql`AND action = ${action}`}
          ${from === undefined ? sql`` : sql`AND created_at >= ${from}`}
          ${to === undefined ? sql`` : sql`AND created_at < ${to}`}
        ORDER BY audit_id DESC LIMIT ${limit}`;
      return rows.map(({ created_at, ...rest }) => ({ ...rest, at: created_at.toISOString() }));
    });
  }

  lineage(tenant: TenantContext, name: ModelName, version?: string): Promise<LineageFacts> {
    return this.#database.transaction(tenant, async (sql) => {
      await existingModel(sql, name);
      const only = version === undefined ? undefined : await existingVersion(sql, name, version);
      const rows = await sql<VersionRow[]>`
        SELECT version, stage, build_id, artifact_sha256, dataset_id, job_id, derived_from, algorithm, framework, created_by,
          created_at
        FROM ml_model_versions WHERE model_name = ${name}
          ${only === undefined ? sql`` : sql`AND version = ${only.version}`}
        ORDER BY mlflow_version DESC LIMIT ${maxLineageVersions}`;
      const deployments = await sql<DeploymentRow[]>`
        SELECT * FROM ml_deployments WHERE model_name = ${name}
          ${only === undefined ? sql`` : sql`AND version = ${only.version}`}
        ORDER BY revision DESC LIMIT ${maxLineageVersions}`;
      return {
        modelName: name,
        versions: rows.map((row) => ({
          ...{ version: row.version, stage: row.stage, buildId: row.build_id, sha256: row.artifact_sha256 },
          ...{ datasetId: row.dataset_id ?? undefined, jobId: row.job_id },
          ...{ derivedFrom: row.derived_from ?? undefined, createdBy: row.created_by },
          ...{ algorithm: row.algorithm ?? undefined, framework: row.framework ?? undefined },
          createdAt: row.created_at.toISOString(),
        })),
        deployments: deployments.map(deploymentView),
      };
    });
  }
}

async function productionAt(sql: TransactionSql, name: ModelName, at: string) {
  const [row] = await sql<{ revision: string; version: string | null }[]>`
    SELECT revision, version FROM ml_deployments
    WHERE model_name = ${name} AND environment = 'production' AND created_at <= ${at}
    ORDER BY revision DESC LIMIT 1`;
  return {
    at,
    revision: Number(row?.revision ?? 0),
    ...(row?.version === null || row === undefined ? {} : { model_version: row.version }),
  };
}

export const deploymentView = (row: DeploymentRow): ModelDeployment => ({
  revision: Number(row.revision),
  ...{ action: row.action, environment: row.environment },
  ...(row.version === null ? {} : { model_version: row.version }),
  ...(row.previous_version === null ? {} : { previous_version: row.previous_version }),
  ...{ forced: row.forced, reason: row.reason, actor: row.actor, request_id: row.request_id },
  deployed_at: row.created_at.toISOString(),
});
