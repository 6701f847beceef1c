import { runner } from 'node-pg-migrate';
import type { Clock } from '../../clock.ts';
import {
  DatabaseResumingError,
  type DatabaseSettings,
  databasePassword,
  databaseTls,
  isResuming,
  retryEveryMs,
} from './connection.ts';

/**
 * Brings the schema up to date, one transaction a migration; run again it does nothing.
 * @returns the names of the migrations that were applied
 * @throws {DatabaseResumingError} when the database did not answer in time
 */
export async function migrate(
  settings: DatabaseSettings,
  options: { readonly folder: string; readonly clock: Clock; readonly resumeWithinMs: number },
): Promise<string[]> {
  const until = options.clock.nowMs() + options.resumeWithinMs;
  const password = databasePassword(settings);
  for (;;) {
    try {
      const applied = await runner({
        databaseUrl: {
          host: settings.host,
          port: settings.port,
          database: settings.name,
          user: settings.user,
          password,
          ssl: databaseTls(settings.host),
          connectionTimeoutMillis: 10_000,
        },
        dir: options.folder,
        direction: 'up',
        migrationsTable: 'schema_migrations',
        log: () => {},
      });
      return applied.map(({ name }) => name);
    } catch (error) {
      if (!isResuming(error)) throw error;
      if (options.clock.nowMs() >= until) throw new DatabaseResumingError(error);
      await new Promise((resolve) => setTimeout(resolve, retryEveryMs));
    }
  }
}
