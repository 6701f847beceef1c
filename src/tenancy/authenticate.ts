import type { VerifiedClaims } from './tenant-context.ts';

/** Verifies bearer tokens of the deployment's issuer. */
export interface TokenVerifier {
  /** @returns claims, or `denied` with TOKEN_INVALID or TOKEN_EXPIRED */
  verify(token: string): Promise<VerifiedClaims>;
}

/** Finds API keys by what they are. */
export interface ApiKeyVerifier {
  /** @returns claims, or `denied` with API_KEY_INVALID */
  verify(apiKey: string): Promise<VerifiedClaims>;
}

/** Knows the tenants that were offboarded. */
export interface OffboardedTenants {
  ownerOf(tenant: string): Promise<unknown>;
}

/** API keys begin so, which tells them from tokens. */
export const apiKeyPrefix = 'tml_';

/**
 * Bearer token, API key as bearer, or Basic with the key as its password.
 * @param authorization the value of the header
 */
export async function authenticate(
  authorization: string,
  verifiers: Verifiers & { readonly offboardings: OffboardedTenants },
): Promise<VerifiedClaims> {
  const claims = await verified(authorization, verifiers);
  if (claims.denied !== undefined || claims.tenant === undefined) return claims;
  // A token outlives its tenant.
  const isOffboarded = (await verifiers.offboardings.ownerOf(claims.tenant)) !== undefined;
  return isOffboarded ? { denied: 'TENANT_OFFBOARDED' } : claims;
}

interface Verifiers {
  readonly tokens: TokenVerifier;
  readonly apiKeys: ApiKeyVerifier;
}

async function verified(authorization: string, verifiers: Verifiers): Promise<VerifiedClaims> {
  const [, scheme = '', credential = ''] = /^(\S+)\s+(\S+)\s*$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') {
    return credential.startsWith(apiKeyPrefix)
      ? verifiers.apiKeys.verify(credential)
      : verifiers.tokens.verify(credential);
  }
  if (scheme.toLowerCase() === 'basic') {
    const userAndPassword = Buffer.from(credential, 'base64').toString('utf8');
    const password = userAndPassword.slice(userAndPassword.indexOf(':') + 1);
    return password.startsWith(apiKeyPrefix)
      ? verifiers.apiKeys.verify(password)
      : { denied: 'API_KEY_INVALID' };
  }
  return { denied: 'UNAUTHENTICATED' };
}
