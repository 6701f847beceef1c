import type { Clock } from '../clock.ts';
import { MLFrameworkError } from '../errors.ts';
import type { TenantContext } from './tenant-context.ts';

/** What requests for a tenant are signed with: they may touch that tenant's objects and items, and no other's. */
export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAtMs: number;
}

export interface TenantSessions {
  /**
   * @param leftMs - how long the session has to last from now, as for a link that is signed with it
   * @throws {TenantSessionError}
   */
  of(tenant: TenantContext, leftMs?: number): Promise<SessionCredentials>;
}

/** Whose right a request is made by: a tenant's session, or the function's own role, which has no tenant's data. */
export type Signer = TenantContext | 'platform';

/** No session for a tenant. The code says whether asking again helps. */
export class TenantSessionError extends MLFrameworkError {
  constructor(code: 'TENANT_SESSION_REFUSED' | 'TENANT_SESSION_UNAVAILABLE', cause: unknown) {
    super(code, messages[code], { cause });
  }
}

const messages = {
  TENANT_SESSION_REFUSED:
    "a tenant's data is touched by a session of that tenant only, and STS refused to open one; check the trust policy of the function's tenant role",
  TENANT_SESSION_UNAVAILABLE:
    "a tenant's data is touched by a session of that tenant only, and STS could not open one now; send the request again",
} as const;

const maxKept = 256;
/** Part of its life after which a session is followed by another, while it still serves. */
const renewAfter = 0.8;
/** For the request that is signed with it to arrive, and for clocks that differ. */
const leastLeftMs = 60_000;

interface Kept {
  session?: SessionCredentials;
  renewAtMs: number;
  /** Under way: one call however many wait. */
  opening?: Promise<SessionCredentials>;
}

/**
 * Keeps the sessions of the tenants that were seen last. A call whose tenant has a session waits for nothing: when
 * the session is old, another is opened beside the call.
 */
export class KeptSessions implements TenantSessions {
  readonly #open: (tenant: TenantContext) => Promise<SessionCredentials>;
  readonly #clock: Clock;
  /** In order of use: the first was used longest ago. */
  readonly #kept = new Map<string, Kept>();

  constructor(open: (tenant: TenantContext) => Promise<SessionCredentials>, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  async of(tenant: TenantContext, leftMs = leastLeftMs): Promise<SessionCredentials> {
    const kept = this.#use(tenant.tenantId);
    const { session } = kept;
    const nowMs = this.#clock.nowMs();
    if (session === undefined || session.expiresAtMs - nowMs < leftMs) return this.#renew(tenant, kept);
    // It still serves; a renewal that fails is tried again by the next call.
    if (nowMs >= kept.renewAtMs) this.#renew(tenant, kept).catch(() => {});
    return session;
  }

  #use(tenantId: string): Kept {
    const kept = this.#kept.get(tenantId) ?? { renewAtMs: 0 };
    this.#kept.delete(tenantId);
    this.#kept.set(tenantId, kept);
    if (this.#kept.size > maxKept) this.#kept.delete(this.#kept.keys().next().value as string);
    return kept;
  }

  #renew(tenant: TenantContext, kept: Kept): Promise<SessionCredentials> {
    kept.opening ??= this.#opened(tenant, kept).finally(() => {
      delete kept.opening;
    });
    return kept.opening;
  }

  async #opened(tenant: TenantContext, kept: Kept): Promise<SessionCredentials> {
    const askedAtMs = this.#clock.nowMs();
    const session = await this.#open(tenant);
    kept.session = session;
    kept.renewAtMs = askedAtMs + (session.expiresAtMs - askedAtMs) * renewAfter;
    return session;
  }
}
