import { type Clock, isoAt } from '../clock.ts';
import type { Subject } from '../contracts/names.ts';
import { type Role, roleScopes } from '../contracts/scopes.ts';
import type { Member } from '../contracts/tenant.ts';
import { MLFrameworkError } from '../errors.ts';
import { requireScope } from './scopes.ts';
import type { TenantContext } from './tenant-context.ts';

export class MemberNotFoundError extends MLFrameworkError {
  constructor(subject: string) {
    super('MEMBER_NOT_FOUND', `no member ${subject}; GET /api/v1/ml/members lists yours`);
  }
}

/** Whoever could remove themselves could leave a tenant without an admin. */
export class OwnMembershipError extends MLFrameworkError {
  constructor() {
    super('OWN_MEMBERSHIP', 'nobody changes or ends the own membership; ask another admin of your tenant');
  }
}

export interface MemberStore {
  /**
   * Lists the member, then makes the membership count, unless the user is a member elsewhere: then it does not, and
   * nothing says so.
   */
  put(tenant: TenantContext, member: Member): Promise<void>;
  get(tenant: TenantContext, subject: Subject): Promise<Member | undefined>;
  list(
    tenant: TenantContext,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<{ items: Member[]; nextCursor?: string }>;
  /** Ends the membership, if it is one of this tenant, then takes it from the list. */
  remove(tenant: TenantContext, subject: Subject): Promise<void>;
}

/** Users of the deployment's user pool who act for a tenant. A user belongs to one tenant. */
export class Members {
  readonly #store: MemberStore;
  readonly #clock: Clock;

  constructor(store: MemberStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * @throws {OwnMembershipError}
   * @throws {ScopeMissingError} a member may do no more than who takes it in
   */
  async put(tenant: TenantContext, subject: Subject, role: Role): Promise<Member> {
    if (subject === tenant.actor) throw new OwnMembershipError();
    for (const scope of roleScopes[role]) requireScope(tenant, scope);
    const member = { subject, role, changed_by: tenant.actor, changed_at: isoAt(this.#clock.nowMs()) };
    await this.#store.put(tenant, member);
    return member;
  }

  /** @throws {MemberNotFoundError} */
  async get(tenant: TenantContext, subject: Subject): Promise<Member> {
    const member = await this.#store.get(tenant, subject);
    if (member === undefined) throw new MemberNotFoundError(subject);
    return member;
  }

  list(tenant: TenantContext, page: { limit: number; cursor?: string | undefined }) {
    return this.#store.list(tenant, page);
  }

  /**
   * @throws {OwnMembershipError}
   * @throws {MemberNotFoundError}
   */
  async remove(tenant: TenantContext, subject: Subject): Promise<void> {
    if (subject === tenant.actor) throw new OwnMembershipError();
    await this.get(tenant, subject);
    await this.#store.remove(tenant, subject);
  }
}
