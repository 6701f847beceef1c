import { Health } from '../contracts/platform.ts';
import { MLFrameworkError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { ApiError, UnreachableError } from './http-client.ts';

/** The platform cannot be used: `check` says what was found wanting. */
export class PlatformUnavailableError extends MLFrameworkError {
  /** `connection`, `health` or one of its checks (such as `store`), `token`, or `database`. */
  readonly check: string;

  constructor(check: string, reason: string, options: { url: string; cause?: unknown }) {
    const { url, cause } = options;
    super('PLATFORM_UNAVAILABLE', `the check of ${check} failed at ${url}: ${reason}`, {
      ...(cause === undefined ? {} : { cause }),
      evidence: { check, url },
    });
    this.check = check;
  }
}

/**
 * Sees that the platform answers, that it is healthy, that the token is one, that its tenant is the one that was named,
 * and that the database of models answers.
 * @param checkDatabase false leaves the last one out, and the database asleep where it sleeps
 * @throws {PlatformUnavailableError}
 * @throws {TenantMismatchError}
 */
export async function checkPlatform(
  connection: Connection,
  { checkDatabase = true }: { readonly checkDatabase?: boolean } = {},
): Promise<void> {
  await checkHealth(connection);
  await checkToken(connection);
  await connection.requireTenant();
  if (checkDatabase) await checkDatabaseNow(connection);
}

async function checkHealth({ client }: Connection): Promise<void> {
  const { url } = client;
  const answer: unknown = await client.call('health', {}).catch((error: unknown) => {
    if (error instanceof UnreachableError)
      throw new PlatformUnavailableError('connection', error.message, { url, cause: error });
    // A platform that is not healthy says so with 503.
    if (error instanceof ApiError) return error.body;
    throw error;
  });
  const health = Health.safeParse(answer);
  if (!health.success)
    throw new PlatformUnavailableError('health', 'what answers is no TenantML; check the address', { url });
  // The database is said to be as it was when it was last used; it is asked below.
  const { database: _, ...checks } = health.data.checks;
  const [failed] = Object.entries(checks).filter(([, { status }]) => status === 'unhealthy');
  if (failed === undefined) return;
  const [check, { code }] = failed;
  throw new PlatformUnavailableError(
    check,
    `it is unhealthy${code === undefined ? '' : ` (${code})`}; try again, or see the logs of the platform`,
    { url },
  );
}

async function checkToken(connection: Connection): Promise<void> {
  const { url } = connection.client;
  await connection.tenant().catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    // A token that may do little is a token.
    if (error.code === 'SCOPE_MISSING') return;
    const check = error.status === 401 || error.status === 403 ? 'token' : 'health';
    throw new PlatformUnavailableError(check, error.message, { url, cause: error });
  });
}

async function checkDatabaseNow({ client }: Connection): Promise<void> {
  await client.call('databaseHealth', {}).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'SCOPE_MISSING') return;
    const remedy = error.code === 'DATABASE_RESUMING' ? '; it has slept, and answers in half a minute' : '';
    throw new PlatformUnavailableError('database', `${error.message}${remedy}`, {
      url: client.url,
      cause: error,
    });
  });
}
