import type { ModelName } from '../contracts/names.ts';
import type { AuditEntry, DeploymentList } from '../contracts/registry.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { LineageFacts } from './lineage.ts';

/** Which entries of the audit log: those that fit everything that is given. */
export interface AuditFilter {
  /** The model, or `model/version`. */
  readonly subject?: string | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** What happened, by whom, when: only ever added to. */
export interface RegistryHistory {
  /**
   * Newest first.
   * @param page.at - also says what was Production then
   * @throws {ModelNotFoundError}
   */
  deployments(
    tenant: TenantContext,
    model: ModelName,
    page: { limit: number; cursor?: string | undefined; at?: string | undefined },
  ): Promise<DeploymentList>;
  /** Of the registry, newest first. @param page.before - id of an entry: those older than it */
  audit(
    tenant: TenantContext,
    page: { limit: number; before?: string | undefined } & AuditFilter,
  ): Promise<readonly AuditEntry[]>;
  /** @param version - one version only @throws {ModelNotFoundError} @throws {VersionNotFoundError} */
  lineage(tenant: TenantContext, model: ModelName, version?: string): Promise<LineageFacts>;
}
