import { Signer } from '@aws-sdk/rds-signer';
import { MLFrameworkError } from '../../errors.ts';

/** The database was paused and wakes up; nothing was lost, the call can be sent again. */
export class DatabaseResumingError extends MLFrameworkError {
  constructor(cause: unknown) {
    super(
      'DATABASE_RESUMING',
      'the database is waking up, which takes about 15 seconds; send the request again',
      { cause },
    );
  }
}

export interface DatabaseSettings {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
}

/** Failures of a connection that a paused, restarting or full database gives. */
const resumingCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  '57P01', // admin_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
  '53300', // too_many_connections
]);

export const retryEveryMs = 500;

/** Whether the database was not there yet, or no more: it may be asked again. */
export const isResuming = (error: unknown): boolean =>
  resumingCodes.has((error as { code?: string } | undefined)?.code ?? '');

/** @returns what gives an IAM token for each new connection; signing needs no network */
export function databasePassword({ host, port, user }: DatabaseSettings): () => Promise<string> {
  const signer = new Signer({ hostname: host, port, username: user });
  return () => signer.getAuthToken();
}

/** Off this machine the server's certificate is checked; the runtime's CA bundle knows Aurora's. */
export const databaseTls = (host: string): false | { rejectUnauthorized: true } =>
  host === '127.0.0.1' || host === '::1' ? false : { rejectUnauthorized: true };
