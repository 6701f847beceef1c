import type { ModelName } from '../../src/contracts/names.ts';
import { TenantContext } from '../../src/tenancy/tenant-context.ts';

/** A tenant as the authorizer's answer makes it. */
export const tenantNamed = (tenant: string, requestId = 'request-1'): TenantContext =>
  TenantContext.fromClaims(
    { tenant, role: 'admin', subject: `user-of-${tenant}`, expires_at: 4_102_444_800 },
    requestId,
    0,
  );

/** One name is a prefix of the other: whoever forgets a separator mixes them up. */
export const tenantA = tenantNamed('aa');
export const tenantAb = tenantNamed('aab');
export const tenantB = tenantNamed('bb');

export const modelName = (name: string): ModelName => name as ModelName;
