import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { literal } from './sql-text.ts';

export interface DuckDbLimits {
  readonly memoryMiB: number;
  readonly threads: number;
}

/** DuckDB over the files of one folder: no network, no extension, no other file, no setting changed later. */
export async function openConfined(
  folder: string,
  limits: DuckDbLimits,
): Promise<{ instance: DuckDBInstance; connection: DuckDBConnection }> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(limits.threads),
    memory_limit: `${limits.memoryMiB}MiB`,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  await connection.run(`SET temp_directory = ${literal(`${folder}/spill`)}`);
  await connection.run(`SET allowed_directories = [${literal(folder)}]`);
  // Text with an offset becomes an instant, and a date without one is UTC, wherever the machine stands.
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  return { instance, connection };
}
