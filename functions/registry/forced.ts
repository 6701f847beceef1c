import { requireScope } from '../../src/tenancy/scopes.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';

/**
 * Whether a deletion is to take a model out of service, which is more than to delete.
 * @throws {ScopeMissingError}
 */
export function isForced(tenant: TenantContext, query: { readonly force: 'true' | 'false' }): boolean {
  if (query.force === 'false') return false;
  requireScope(tenant, 'models:deploy');
  return true;
}
