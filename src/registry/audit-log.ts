import type { AuditEntry } from '../contracts/registry.ts';
import type { AuditFilter, AuditTrail, RecordedEntry } from '../tenancy/audit-trail.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { RegistryHistory } from './registry-history.ts';

/** Where a page ends in each of the two logs. */
export interface AuditPosition {
  readonly registry: string | undefined;
  readonly trail: string | undefined;
}

/**
 * The changes of the registry, which are recorded in its transactions, and those made beside it, as one log, newest first.
 * Both are asked for a whole page: what is not shown of either is asked for again with the next.
 */
export async function auditPage(
  tenant: TenantContext,
  { limit, after, ...filter }: { limit: number; after?: AuditPosition | undefined } & AuditFilter,
  logs: { readonly history: RegistryHistory; readonly trail: AuditTrail },
): Promise<{ items: AuditEntry[]; next?: AuditPosition }> {
  const [registry, trail] = await Promise.all([
    logs.history.audit(tenant, { limit: limit + 1, before: after?.registry, ...filter }),
    logs.trail.read(tenant, { limit: limit + 1, before: after?.trail, ...filter }),
  ]);
  const all = merged<{ readonly entry: AuditEntry; readonly of: 'registry' | 'trail' }>(
    registry.map((entry) => ({ entry, of: 'registry' as const })),
    trail.map((one) => ({ entry: entryOf(one), of: 'trail' as const })),
  );
  const shown = all.slice(0, limit);
  const items = shown.map(({ entry }) => entry);
  if (all.length <= limit) return { items };
  const lastOf = (log: 'registry' | 'trail') =>
    shown.findLast(({ of }) => of === log)?.entry.audit_id ?? after?.[log];
  return { items, next: { registry: lastOf('registry'), trail: lastOf('trail') } };
}

/** By time between the logs, never within one: its own order is what cursors go by, whatever its clocks said. */
function merged<One extends { readonly entry: AuditEntry }>(a: readonly One[], b: readonly One[]): One[] {
  const all: One[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const isA = j >= b.length || (i < a.length && a[i]!.entry.at >= b[j]!.entry.at);
    all.push(isA ? a[i++]! : b[j++]!);
  }
  return all;
}

const entryOf = ({ auditId, requestId, refusedWith, ...entry }: RecordedEntry): AuditEntry => ({
  ...{ audit_id: auditId, at: entry.at, actor: entry.actor, action: entry.action },
  ...{ subject: entry.subject, request_id: requestId },
  detail: refusedWith === undefined ? entry.detail : { ...entry.detail, refused_with: refusedWith },
});
