import { HttpClient, UnreachableError } from '../client/http-client.ts';
import { UsageError } from './exit-code.ts';

/** The only reader of the environment in the command line tool. */
const settings = {
  get url() {
    return process.env.TENANTML_URL ?? `http://127.0.0.1:${process.env.TENANTML_PORT ?? 5000}`;
  },
  get token() {
    return process.env.TENANTML_TOKEN;
  },
  get serverToken() {
    return process.env.TENANTML_SERVER_TOKEN;
  },
};

const isLoopback = (url: string): boolean =>
  ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);

/** @returns a token of the twin's own issuer */
export async function twinToken(
  tenant: string,
  role?: string,
  scope?: string,
): Promise<{ access_token: string; expires_in: number }> {
  const { url } = settings;
  if (!isLoopback(url))
    throw new UsageError(`only the twin on this machine gives tokens; ${url} has an issuer of its own`);
  const address = `${url.replace(/\/+$/, '')}/_twin/identity/token`;
  let response: Response;
  try {
    response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tenant, role, scope }),
    });
  } catch (cause) {
    throw new UnreachableError(url, cause);
  }
  if (!response.ok) {
    const { error_description } = (await response.json().catch(() => ({}))) as { error_description?: string };
    throw new UsageError(error_description ?? `the twin's issuer answered ${response.status}`);
  }
  return (await response.json()) as { access_token: string; expires_in: number };
}

/** @returns a client for TENANTML_URL with TENANTML_TOKEN; by default the twin, as tenant `demo` */
export function session(): HttpClient {
  let given: Promise<string> | undefined;
  return new HttpClient(settings.url, async () => {
    if (settings.token !== undefined) return settings.token;
    if (!isLoopback(settings.url)) throw new UsageError(`set TENANTML_TOKEN to a token for ${settings.url}`);
    given ??= twinToken('demo').then(({ access_token }) => access_token);
    return given;
  });
}

/** What callers of `tenantml serve` have to send; from the environment, since arguments are seen by everybody. */
export const serverToken = (): string | undefined => settings.serverToken || undefined;
