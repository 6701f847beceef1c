import type { TenantId } from '../contracts/names.ts';
import { defaultRole, type Role, roles, type Scope } from '../contracts/scopes.ts';
import { MLFrameworkError } from '../errors.ts';
import { grantedScopes, roleOf } from './scopes.ts';

const tenantPattern = /^[a-z0-9](-?[a-z0-9]){1,62}$/;

/** What the request authorizer states about a call, after it has verified the token. */
export interface VerifiedClaims {
  readonly tenant?: string;
  /** @default viewer */
  readonly role?: string;
  /** Scopes that narrow the role, with spaces between them. @default - all that the role has */
  readonly scope?: string;
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
  ROLE_UNKNOWN: `the token names a role that there is not; the roles are ${roles.join(', ')}`,
  TENANT_OFFBOARDED: 'the tenant was offboarded; its data is gone, and its name is not given again',
  API_KEY_INVALID: 'the API key is unknown, revoked or expired; make a new one',
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
  readonly role: Role;
  readonly #scopes: ReadonlySet<Scope>;
  // A private member makes the type nominal: an object of the same shape is no tenant context.
  readonly #made: true = true;

  private constructor(
    tenantId: string,
    actor: string,
    requestId: string,
    granted: { readonly role: Role; readonly scopes: ReadonlySet<Scope> },
  ) {
    if (tenantId.length > 63 || !tenantPattern.test(tenantId)) {
      throw new UnauthenticatedError(
        'TENANT_CLAIM_INVALID',
        'the token names no valid tenant: 2 to 63 lower-case letters, digits and single hyphens',
      );
    }
    this.tenantId = tenantId as TenantId;
    this.actor = actor;
    this.requestId = requestId;
    this.role = granted.role;
    this.#scopes = granted.scopes;
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
    const role = claims.role === undefined ? defaultRole : roleOf(claims.role);
    if (role === undefined) throw new UnauthenticatedError('ROLE_UNKNOWN', refusals.ROLE_UNKNOWN!);
    const scopes = grantedScopes(role, claims.scope);
    return new TenantContext(claims.tenant, claims.subject ?? 'unknown', requestId, { role, scopes });
  }

  /**
   * What a job may do was decided when it was created: its steps act as a service of its tenant.
   * @throws {UnknownJobError} when no such job was ever created
   */
  static async fromJob(jobs: JobOwners, jobId: string, requestId: string): Promise<TenantContext> {
    const owner = await jobs.ownerOf(jobId);
    if (owner === undefined) throw new UnknownJobError('JOB_NOT_FOUND', `no job ${jobId} was ever created`);
    const role = 'service';
    return new TenantContext(owner.tenant, owner.subject, requestId, {
      ...{ role, scopes: grantedScopes(role, undefined) },
    });
  }

  /** Whether the caller's role, and the scopes of its token, allow this. */
  may(scope: Scope): boolean {
    return this.#scopes.has(scope);
  }

  toString(): string {
    return this.#made ? `tenant ${this.tenantId}` : '';
  }
}
