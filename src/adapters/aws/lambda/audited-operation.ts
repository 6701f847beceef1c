import type { OperationId } from '../../../contracts/routes.ts';
import { MLFrameworkError } from '../../../errors.ts';
import { type AuditTrail, auditable } from '../../../tenancy/audit-trail.ts';
import type { TenantContext } from '../../../tenancy/tenant-context.ts';
import { logger } from './observability.ts';

interface RecordedCall {
  readonly operationId: OperationId;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/**
 * Records a change, then makes it: what cannot be recorded is not done. One that is refused or fails gets a second entry
 * that says so.
 */
export async function recorded<Result>(
  trail: AuditTrail,
  tenant: TenantContext,
  { operationId, params, query, body }: RecordedCall,
  work: () => Promise<Result>,
): Promise<Result> {
  const named = Object.values((params ?? {}) as Record<string, string>);
  const model = (body as { model_name?: string } | undefined)?.model_name;
  const auditId = await trail.begin(tenant, {
    action: operationId,
    subject: [...named, ...(named.length === 0 && model !== undefined ? [model] : [])].join('/') || '-',
    detail: { role: tenant.role, ...(auditable({ query, after: body }) as object) },
  });
  try {
    return await work();
  } catch (error) {
    const code = error instanceof MLFrameworkError ? error.code : 'INTERNAL';
    // The entry stands without it; the caller is told what went wrong with the change, not with the note of it.
    await trail.refused(tenant, auditId, code).catch((cause: unknown) => {
      logger.error('a refusal was not recorded', {
        audit_id: auditId,
        refused_with: code,
        error: cause as Error,
      });
    });
    throw error;
  }
}
