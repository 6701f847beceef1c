import postgres, { type Sql, type TransactionSql } from 'postgres';
import type { Clock } from '../../clock.ts';
import { ValidationError } from '../../errors.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import {
  DatabaseResumingError,
  type DatabaseSettings,
  databasePassword,
  databaseTls,
  isResuming,
  retryEveryMs,
} from './connection.ts';

/** JSON can say U+0000 and half of a surrogate pair; text and jsonb of Postgres hold neither. */
class UnstorableTextError extends ValidationError {
  constructor(cause: unknown) {
    super(
      'a text holds the character U+0000 or half of a surrogate pair, which cannot be stored; leave it out',
      {
        cause,
      },
    );
  }
}

/** character_not_in_repertoire, untranslatable_character; lone surrogates in JSON are no text to Postgres at all. */
function isUnstorableText(error: unknown): boolean {
  const { code, message = '' } = error as { code?: string; message?: string };
  return code === '22021' || code === '22P05' || (code === '22P02' && message.endsWith('type json'));
}

/**
 * One connection to the registry's database, made with an IAM token instead of a password. Every statement
 * runs in a transaction that names its tenant first, which row level security then holds it to.
 */
export class TenantDatabase {
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #resumeWithinMs: number;

  /** @param resumeWithinMs how long to wait for a paused database before `DATABASE_RESUMING` */
  constructor(settings: DatabaseSettings, options: { clock: Clock; resumeWithinMs: number }) {
    this.#clock = options.clock;
    this.#resumeWithinMs = options.resumeWithinMs;
    this.#sql = postgres({
      host: settings.host,
      port: settings.port,
      database: settings.name,
      username: settings.user,
      password: databasePassword(settings),
      // A container serves one call at a time: more connections would only keep the database awake.
      max: 1,
      connect_timeout: 5,
      // The server's idle_session_timeout ends sessions; timers do not run in a frozen container.
      idle_timeout: 0,
      max_lifetime: null,
      prepare: true,
      onnotice: () => {},
      ssl: databaseTls(settings.host),
    });
  }

  /** @throws {DatabaseResumingError} */
  async transaction<Result>(
    tenant: TenantContext,
    work: (sql: TransactionSql) => Promise<Result>,
  ): Promise<Result> {
    await this.#awake();
    try {
      return (await this.#sql.begin(async (sql) => {
        await sql`SELECT set_config('app.tenant', ${tenant.tenantId}, true)`;
        return work(sql);
      })) as Result;
    } catch (error) {
      // The connection was lost, perhaps after the commit: whoever asks again has to cope with work done twice.
      if (isResuming(error)) throw new DatabaseResumingError(error);
      throw isUnstorableText(error) ? new UnstorableTextError(error) : error;
    }
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: 2 });
  }

  /** A session may have been ended while the container was frozen; find out before work begins, not during it. */
  async #awake(): Promise<void> {
    const until = this.#clock.nowMs() + this.#resumeWithinMs;
    for (;;) {
      try {
        await this.#sql`SELECT 1`;
        return;
      } catch (error) {
        if (!isResuming(error)) throw error;
        if (this.#clock.nowMs() >= until) throw new DatabaseResumingError(error);
        await new Promise((resolve) => setTimeout(resolve, retryEveryMs));
      }
    }
  }
}
