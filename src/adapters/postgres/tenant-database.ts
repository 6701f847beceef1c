import postgres, { type Sql, type TransactionSql } from 'postgres';
import type { Clock } from '../../clock.ts';
import { ValidationError } from '../../errors.ts';
import type { ContactTeller } from '../../monitoring/database-contact.ts';
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

/** Of a last try, beside the time that the database has to wake. */
const connectTimeoutMs = 5_000;

/**
 * One connection to the registry's database, made with an IAM token instead of a password. Every statement
 * runs in a transaction that names its tenant first, which row level security then holds it to.
 */
export class TenantDatabase {
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #resumeWithinMs: number;
  readonly #teller: Pick<ContactTeller, 'tell'> | undefined;

  /**
   * @param options.resumeWithinMs how long to wait for a paused database before `DATABASE_RESUMING`
   * @param options.teller told whether it was reached
   */
  constructor(
    settings: DatabaseSettings,
    options: { clock: Clock; resumeWithinMs: number; teller?: Pick<ContactTeller, 'tell'> },
  ) {
    this.#clock = options.clock;
    this.#resumeWithinMs = options.resumeWithinMs;
    this.#teller = options.teller;
    this.#sql = postgres({
      host: settings.host,
      port: settings.port,
      database: settings.name,
      username: settings.user,
      password: databasePassword(settings),
      // A container serves one call at a time: more connections would only keep the database awake.
      max: 1,
      connect_timeout: connectTimeoutMs / 1_000,
      // Who waits for the database asks again; by itself the client would wait for up to 20 seconds between two tries,
      // which is longer than its function has.
      backoff: () => retryEveryMs / 1_000,
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
    // Beside the work, and ended with it: a frozen container sends nothing.
    const told = this.#teller?.tell(true);
    try {
      return (await this.#sql.begin(async (sql) => {
        await sql`SELECT set_config('app.tenant', ${tenant.tenantId}, true)`;
        return work(sql);
      })) as Result;
    } catch (error) {
      // The connection was lost, perhaps after the commit: whoever asks again has to cope with work done twice.
      if (isResuming(error)) throw await this.#away(error);
      throw isUnstorableText(error) ? new UnstorableTextError(error) : error;
    } finally {
      await told;
    }
  }

  /** Asks the database for nothing. @returns how long it took, in milliseconds @throws {DatabaseResumingError} */
  async ping(tenant: TenantContext): Promise<number> {
    const startMs = this.#clock.nowMs();
    await this.transaction(tenant, (sql) => sql`SELECT 1`);
    return this.#clock.nowMs() - startMs;
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: 2 });
  }

  /** Also of a server that hangs up on everybody, which the client tries again for ever, and says nothing. */
  async #ask(withinMs: number): Promise<void> {
    const silence = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => silence.reject(Object.assign(new Error('no answer'), { code: 'CONNECT_TIMEOUT' })),
      Math.max(0, withinMs) + connectTimeoutMs,
    );
    try {
      await Promise.race([this.#sql`SELECT 1`, silence.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #away(cause: unknown): Promise<DatabaseResumingError> {
    const error = new DatabaseResumingError(cause);
    await this.#teller?.tell(false, (cause as { code?: string }).code ?? error.code);
    return error;
  }

  /** A session may have been ended while the container was frozen; find out before work begins, not during it. */
  async #awake(): Promise<void> {
    const until = this.#clock.nowMs() + this.#resumeWithinMs;
    for (;;) {
      try {
        await this.#ask(until - this.#clock.nowMs());
        return;
      } catch (error) {
        if (!isResuming(error)) {
          await this.#teller?.tell(false, (error as { code?: string }).code ?? 'DATABASE_FAILED');
          throw error;
        }
        if (this.#clock.nowMs() >= until) throw await this.#away(error);
        await new Promise((resolve) => setTimeout(resolve, retryEveryMs));
      }
    }
  }
}
