import { config } from '../../src/config.ts';
import type { SessionCredentials, TenantSessions } from '../../src/tenancy/credentials.ts';

let own: SessionCredentials | undefined;

/** Sessions that are the test's own credentials: for suites of stores, which are not about policies. */
export const ownSessions: TenantSessions = {
  of: async () => {
    const { sessionToken = '', ...keys } = config.credentials;
    own ??= { ...keys, sessionToken, expiresAtMs: Number.POSITIVE_INFINITY };
    return own;
  },
};
