import { HttpClient } from '../client/http-client.ts';
import { isLoopback, twinToken } from '../client/twin-token.ts';
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

/** @returns a token of the twin's own issuer */
export const tokenOfTwin = (tenant: string, role?: string, scope?: string) =>
  twinToken(settings.url, {
    tenant,
    ...(role === undefined ? {} : { role }),
    ...(scope === undefined ? {} : { scope }),
  });

/** @returns a client for TENANTML_URL with TENANTML_TOKEN; by default the twin, as tenant `demo` */
export function session(): HttpClient {
  let given: Promise<string> | undefined;
  return new HttpClient(settings.url, async () => {
    if (settings.token !== undefined) return settings.token;
    if (!isLoopback(settings.url)) throw new UsageError(`set TENANTML_TOKEN to a token for ${settings.url}`);
    given ??= tokenOfTwin('demo').then(({ access_token }) => access_token);
    return given;
  });
}

/** What callers of `tenantml serve` have to send; from the environment, since arguments are seen by everybody. */
export const serverToken = (): string | undefined => settings.serverToken || undefined;
