import { ApiError } from '../client/http-client.ts';
import { ValidationError } from '../errors.ts';

export const exitCode = { ok: 0, failed: 1, usage: 2, auth: 4, notFound: 5 } as const;

/** The command line is wrong: the message says how. */
export class UsageError extends Error {}

export function exitCodeOf(error: unknown): number {
  // What is wrong with what was given, told before anything was sent.
  if (error instanceof UsageError || error instanceof ValidationError) return exitCode.usage;
  if (error instanceof ApiError) {
    if (error.status === 401 || error.status === 403) return exitCode.auth;
    if (error.status === 404) return exitCode.notFound;
  }
  return exitCode.failed;
}
