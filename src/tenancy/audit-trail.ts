import type { TenantContext } from './tenant-context.ts';

/** One change beside Postgres, as it is recorded before it is made. */
export interface TrailEntry {
  /** The operation. */
  readonly action: string;
  /** What it is done to, as far as the request names it. */
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface RecordedEntry extends TrailEntry {
  /** Sorts by time. */
  readonly auditId: string;
  readonly at: string;
  readonly actor: string;
  readonly requestId: string;
  /** The code with which the change was refused or failed; nothing for one that was made. */
  readonly refusedWith: string | undefined;
}

export interface TrailFilter {
  readonly subject?: string | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Only ever added to: who did what, when, by which request. */
export interface AuditTrail {
  /** @returns the entry's id */
  begin(tenant: TenantContext, entry: TrailEntry): Promise<string>;
  /** Adds that nothing came of it. */
  refused(tenant: TenantContext, auditId: string, code: string): Promise<void>;
  /** Newest first. @param page.before - entries older than this one */
  read(
    tenant: TenantContext,
    page: { readonly limit: number; readonly before?: string | undefined } & TrailFilter,
  ): Promise<readonly RecordedEntry[]>;
}

/** Names under which a body may hold data, or what is not to be kept. */
const leftOut = new Set(['rows', 'csv', 'input_data', 'input_batch']);
const maxText = 500;
const maxItems = 20;

/** @returns what was asked for, short: data is left out, long texts and lists are cut */
export function auditable(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.length > maxText ? `${value.slice(0, maxText)}…` : value;
  if (value === null || typeof value !== 'object') return value;
  if (depth > 4) return '…';
  if (Array.isArray(value))
    return value.length > maxItems
      ? `${value.length} items`
      : value.map((item) => auditable(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([name, inner]) => [name, leftOut.has(name) ? '…' : auditable(inner, depth + 1)]),
  );
}
