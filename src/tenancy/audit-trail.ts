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

/** Which entries: those that fit everything that is given. */
export interface AuditFilter {
  /** Such as the model, or `model/version`. */
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
    page: { readonly limit: number; readonly before?: string | undefined } & AuditFilter,
  ): Promise<readonly RecordedEntry[]>;
}

/** Names under which a body may hold data, or what is not to be kept. */
const leftOut = new Set(['rows', 'csv', 'input_data', 'input_batch']);
const maxText = 500;
const maxItems = 20;

const maxDetailCharacters = 32_768;
/** What a number of DynamoDB holds, in either direction. */
const [minNumber, maxNumber] = [1e-130, 9.99e125];

/**
 * @returns what was asked for, short: data is left out, long texts and lists are cut, and of what is still too long for an
 * item only the beginning is kept
 */
export function auditable(value: unknown): unknown {
  const kept = shortened(value, 0);
  const text = JSON.stringify(kept) ?? '';
  return text.length <= maxDetailCharacters ? kept : { cut: `${text.slice(0, maxDetailCharacters)}…` };
}

function shortened(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > maxText ? `${value.slice(0, maxText)}…` : value;
  if (typeof value === 'number') {
    const size = Math.abs(value);
    return value === 0 || (size >= minNumber && size <= maxNumber) ? value : String(value);
  }
  if (value === null || typeof value !== 'object') return value;
  if (depth > 4) return '…';
  if (Array.isArray(value))
    return value.length > maxItems
      ? `${value.length} items`
      : value.map((item) => shortened(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([name, inner]) => [name, leftOut.has(name) ? '…' : shortened(inner, depth + 1)]),
  );
}
