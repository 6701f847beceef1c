import type { Environment } from '../contracts/environment-names.ts';
import type { ModelName } from '../contracts/names.ts';
import type { AuditEntry, DeploymentList } from '../contracts/registry.ts';
import type { AuditFilter } from '../tenancy/audit-trail.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { LineageFacts } from './lineage.ts';

/** What happened, by whom, when: only ever added to. */
export interface RegistryHistory {
  /**
   * Newest first.
   * @param page.at - also says what was Production then
   * @param page.environment - changes of this one only
   * @throws {ModelNotFoundError}
   */
  deployments(
    tenant: TenantContext,
    model: ModelName,
    page: {
      limit: number;
      cursor?: string | undefined;
      at?: string | undefined;
      environment?: Environment | undefined;
    },
  ): Promise<DeploymentList>;
  /** Of the registry, newest first. @param page.before - id of an entry: those older than it */
  audit(
    tenant: TenantContext,
    page: { limit: number; before?: string | undefined } & AuditFilter,
  ): Promise<readonly AuditEntry[]>;
  /** @param version - one version only @throws {ModelNotFoundError} @throws {VersionNotFoundError} */
  lineage(tenant: TenantContext, model: ModelName, version?: string): Promise<LineageFacts>;
}
