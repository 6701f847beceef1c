import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { defaultRole } from '../contracts/scopes.ts';
import type { TokenVerifier } from '../tenancy/authenticate.ts';
import { roleOf } from '../tenancy/scopes.ts';
import type { VerifiedClaims } from '../tenancy/tenant-context.ts';

export interface OidcSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly tenantClaim: string;
  readonly roleClaim: string;
}

/** The issuer cannot be asked for its keys: no token can be judged, which is not the token's fault. */
export class IssuerUnavailableError extends Error {}

/** Tokens of an OIDC issuer, verified with its published keys (RS256 and ES256; OpenID Connect Discovery 1.0). */
export class OidcTokens implements TokenVerifier {
  readonly #settings: OidcSettings;
  #keys: JWTVerifyGetKey | undefined;

  constructor(settings: OidcSettings) {
    this.#settings = settings;
  }

  async verify(token: string): Promise<VerifiedClaims> {
    const { issuer, audience, tenantClaim, roleClaim } = this.#settings;
    this.#keys ??= await this.#discover();
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        algorithms: ['RS256', 'ES256'],
        clockTolerance: 5,
        requiredClaims: ['exp', 'sub'],
      });
      // Cognito's access tokens name their client in `client_id` and have no `aud`.
      const audiences = [payload.aud ?? payload.client_id].flat();
      if (!audiences.includes(audience)) return { denied: 'TOKEN_INVALID' };
      const tenant = payload[tenantClaim];
      if (typeof tenant !== 'string') return { denied: 'TENANT_CLAIM_INVALID' };
      const role = payload[roleClaim] === undefined ? defaultRole : roleOf(payload[roleClaim]);
      if (role === undefined) return { denied: 'ROLE_UNKNOWN' };
      return {
        tenant,
        role,
        ...(typeof payload.scope === 'string' ? { scope: payload.scope } : {}),
        subject: payload.sub!,
        expires_at: payload.exp!,
      };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { denied: 'TOKEN_EXPIRED' };
      // jose's own class and no other: the key set could not be fetched or read.
      const keysFailed = error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC';
      if (keysFailed || error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid)
        throw new IssuerUnavailableError('the issuer does not answer', { cause: error });
      if (error instanceof errors.JOSEError) return { denied: 'TOKEN_INVALID' };
      throw error;
    }
  }

  async #discover(): Promise<JWTVerifyGetKey> {
    const base = this.#settings.issuer.replace(/\/$/, '');
    const response = await fetch(`${base}/.well-known/openid-configuration`, {
      signal: AbortSignal.timeout(3_000),
    });
    if (!response.ok) throw new IssuerUnavailableError(`the issuer answered ${response.status} to discovery`);
    const { jwks_uri } = (await response.json()) as { jwks_uri: string };
    return createRemoteJWKSet(new URL(jwks_uri), { cooldownDuration: 30_000, timeoutDuration: 3_000 });
  }
}
