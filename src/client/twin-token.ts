import { ValidationError } from '../errors.ts';
import { UnreachableError } from './http-client.ts';

/** Whether an address is of this machine. */
export const isLoopback = (url: string): boolean =>
  ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);

/**
 * Asks the issuer that the twin has of its own; a deployment has none.
 * @param scope narrows the role: names with spaces between them
 * @throws {ValidationError} when the address is not of this machine, or no twin answers there
 * @throws {UnreachableError}
 */
export async function twinToken(
  url: string,
  { tenant, role, scope }: { tenant: string; role?: string; scope?: string },
): Promise<{ access_token: string; expires_in: number }> {
  if (!isLoopback(url))
    throw new ValidationError(
      `only the twin on this machine gives tokens; ${url} has an issuer of its own: give a token of it`,
      { code: 'TOKEN_REQUIRED' },
    );
  let response: Response;
  try {
    response = await fetch(`${url.replace(/\/+$/, '')}/_twin/identity/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tenant, role, scope }),
    });
  } catch (cause) {
    throw new UnreachableError(url, cause);
  }
  if (!response.ok) {
    const { error_description } = (await response.json().catch(() => ({}))) as { error_description?: string };
    throw new ValidationError(error_description ?? `the twin's issuer answered ${response.status}`, {
      code: 'TOKEN_REQUIRED',
    });
  }
  return (await response.json()) as { access_token: string; expires_in: number };
}
