import type { TenantId } from '../contracts/names.ts';
import { MLFrameworkError } from '../errors.ts';

const tenantPattern = /^[a-z0-9](-?[a-z0-9]){1,62}$/;

/** What the request authorizer states about a call, after it has verified the token. */
export interface VerifiedClaims {
  readonly tenant?: string;
  readonly role?: string;
  readonly subject?: string;
  /** When the token ends; the authorizer's answer is cached and may outlive it. */
  readonly expires_at?: number | string;
  /** Set instead of the rest when the token was refused: the code to answer with. */
  readonly denied?: string;
}

/** Reads the tenant that owns a job: the item that an authenticated call or a schedule row created. */
export interface JobOwners {
  ownerOf(jobId: string): Promise<{ tenant: string; subject: string } | undefined>;
}

/** The caller is not known. The code says why. */
export class UnauthenticatedError extends MLFrameworkError {}

/** A job id that nobody created. */
export class UnknownJobError extends MLFrameworkError {}

const refusals: Readonly<Record<string, string>> = {
  TOKEN_INVALID: 'the bearer token is not valid for this issuer and audience; get a new one',
  TOKEN_EXPIRED: 'the bearer token has expired; get a new one',
  UNAUTHENTICATED: 'send an Authorization header with a bearer token, or an API key',
  TENANT_CLAIM_INVALID:
    'the token names no tenant; ask whoever administers your identity provider for a membership',
  API_KEY_INVALID: 'the API key is unknown or revoked; make a new one',
};

/**
 * The tenant on whose behalf something runs. Stores take it first; keys, row level security and cache keys
 * come from it alone. There are two ways to get one, and neither reads a body, a header or a path.
 */
export class TenantContext {
  readonly tenantId: TenantId;
  /** Who acts: the token's subject. */
  readonly actor: string;
  readonly requestId: string;
  // A private member makes the type nominal: an object of the same shape is no tenant context.
  readonly #made: true = true;

  private constructor(tenantId: string, actor: string, requestId: string) {
    if (tenantId.length > 63 || !tenantPattern.test(tenantId)) {
      throw new UnauthenticatedError(
        'TENANT_CLAIM_INVALID',
        'the token names no valid tenant: 2 to 63 lower-case letters, digits and single hyphens',
      );
    }
    this.tenantId = tenantId as TenantId;
    this.actor = actor;
    this.requestId = requestId;
  }

  /**
   * @param claims what the authorizer verified
   * @throws {UnauthenticatedError} when it refused the token, or the token has ended since
   */
  static fromClaims(claims: VerifiedClaims | undefined, requestId: string, nowMs: number): TenantContext {
    if (claims?.denied !== undefined) {
      const code = Object.hasOwn(refusals, claims.denied) ? claims.denied : 'TOKEN_INVALID';
      throw new UnauthenticatedError(code, refusals[code]!);
    }
    if (claims?.tenant === undefined) {
      throw new UnauthenticatedError('UNAUTHENTICATED', refusals.UNAUTHENTICATED!);
    }
    // Written so that an end that is no number has passed.
    if (!(nowMs < Number(claims.expires_at) * 1000)) {
      throw new UnauthenticatedError('TOKEN_EXPIRED', refusals.TOKEN_EXPIRED!);
    }
    return new TenantContext(claims.tenant, claims.subject ?? 'unknown', requestId);
  }

  /** @throws {UnknownJobError} when no such job was ever created */
  static async fromJob(jobs: JobOwners, jobId: string, requestId: string): Promise<TenantContext> {
    const owner = await jobs.ownerOf(jobId);
    if (owner === undefined) throw new UnknownJobError('JOB_NOT_FOUND', `no job ${jobId} was ever created`);
    return new TenantContext(owner.tenant, owner.subject, requestId);
  }

  toString(): string {
    return this.#made ? `tenant ${this.tenantId}` : '';
  }
}
