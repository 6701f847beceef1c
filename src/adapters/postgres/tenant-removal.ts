import type { TransactionSql } from 'postgres';
import type { Sweep } from '../../tenancy/offboarding.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { TenantDatabase } from './tenant-database.ts';

/** Rows of one statement: a second or so. */
const rowsAtATime = 10_000;
/** The one row that stays: that the tenant was here, and who removed it. */
const offboarded = 'tenant.offboarded';
const foreignKeyViolation = '23503';

/**
 * All rows of a tenant, in every table that has a tenant: found from the catalog, so that a new table is not forgotten.
 * Works as the owner of the tables, whom row level security holds to the tenant as it does everybody.
 */
export class TenantRemoval {
  readonly #database: TenantDatabase;

  constructor(database: TenantDatabase) {
    this.#database = database;
  }

  async remove(tenant: TenantContext, hasTime: () => boolean): Promise<Sweep> {
    let found = 0;
    let tables = await this.#tables(tenant);
    // Rows that others refer to go after those: tables are gone through until none holds a row.
    for (;;) {
      const left: string[] = [];
      let removed = 0;
      for (const table of tables) {
        const rows = await this.#removeSome(tenant, table);
        removed += rows ?? 0;
        if (rows === undefined || rows === rowsAtATime) left.push(table);
        if (!hasTime()) return { found: found + removed, next: {} };
      }
      found += removed;
      if (left.length === 0) break;
      if (removed === 0)
        throw new Error(`rows of ${left.join(', ')} refer to each other and cannot be removed`);
      tables = left;
    }
    await this.#leaveMark(tenant);
    return { found };
  }

  async count(tenant: TenantContext): Promise<Sweep> {
    let found = 0;
    for (const table of await this.#tables(tenant)) {
      const [row] = await this.#database.transaction(
        tenant,
        (sql) =>
          sql<
            { n: number }[]
          >`SELECT count(*)::int AS n FROM ${sql(table)} WHERE ${rowsOf(sql, tenant, table)}`,
      );
      found += row!.n;
    }
    return { found };
  }

  async #tables(tenant: TenantContext): Promise<string[]> {
    const found = await this.#database.transaction(
      tenant,
      (sql) => sql<{ name: string }[]>`
        SELECT c.relname AS name FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY 1`,
    );
    return found.map(({ name }) => name);
  }

  /** @returns how many rows went, `undefined` when others still refer to them */
  async #removeSome(tenant: TenantContext, table: string): Promise<number | undefined> {
    try {
      const result = await this.#database.transaction(
        tenant,
        (sql) => sql`
          DELETE FROM ${sql(table)} WHERE ctid IN (
            SELECT ctid FROM ${sql(table)} WHERE ${rowsOf(sql, tenant, table)} LIMIT ${rowsAtATime})`,
      );
      return result.count;
    } catch (error) {
      if ((error as { code?: string }).code === foreignKeyViolation) return undefined;
      throw error;
    }
  }

  async #leaveMark(tenant: TenantContext): Promise<void> {
    await this.#database.transaction(
      tenant,
      (sql) => sql`
        INSERT INTO ml_audit (tenant_id, action, subject, actor, request_id)
        SELECT ${tenant.tenantId}, ${offboarded}, ${tenant.tenantId}, ${tenant.actor}, ${tenant.requestId}
        WHERE NOT EXISTS (SELECT FROM ml_audit WHERE tenant_id = ${tenant.tenantId} AND action = ${offboarded})`,
    );
  }
}

/** Said beside row level security: two locks, of which either would do. */
const rowsOf = (sql: TransactionSql, tenant: TenantContext, table: string) =>
  table === 'ml_audit'
    ? sql`tenant_id = ${tenant.tenantId} AND action <> ${offboarded}`
    : sql`tenant_id = ${tenant.tenantId}`;
