import { type Clock, isoAt } from '../clock.ts';
import type { ApiKeyCreated, Limits, Member } from '../contracts/tenant.ts';
import type { TenantOperation } from '../contracts/tenant-operations.ts';
import { MLFrameworkError } from '../errors.ts';
import type { ApiKeys } from './api-keys.ts';
import type { Members } from './members.ts';
import type { Offboarding, OffboardingReport, Offboardings } from './offboarding.ts';
import type { TenantContext } from './tenant-context.ts';

/** Names of tenants are not given twice: tokens of the first may still be out. */
export class TenantOffboardedError extends MLFrameworkError {
  constructor(tenant: string) {
    super('TENANT_OFFBOARDED', `tenant ${tenant} was offboarded; give the new tenant another name`);
  }
}

/** What operators agree with tenants. */
export interface Agreements {
  agree(
    tenant: TenantContext,
    agreement: { readonly plan?: string | undefined; readonly limits?: Limits | undefined },
    options: { readonly at: string; readonly once: boolean },
  ): Promise<boolean>;
}

export interface TenantCreated {
  readonly tenant: string;
  /** False where the tenant was there: its plan and limits are as they were. */
  readonly created: boolean;
  readonly api_key?: ApiKeyCreated;
  readonly member?: Member;
}

export interface TenantOperationParts {
  readonly agreements: Agreements;
  readonly apiKeys: ApiKeys;
  readonly members: Members;
  readonly offboardings: Offboardings;
  readonly offboarding: Offboarding;
  readonly clock: Clock;
}

type Of<Action extends TenantOperation['action']> = Extract<TenantOperation, { action: Action }>;

/** What operators do with tenants. */
export class TenantOperations {
  readonly #parts: TenantOperationParts;

  constructor(parts: TenantOperationParts) {
    this.#parts = parts;
  }

  /**
   * Writes the agreement down, then lets the first admin in. Sent again, it lets in another, and changes no agreement.
   * @throws {TenantOffboardedError}
   */
  async create(tenant: TenantContext, { admin, ...agreement }: Of<'create'>): Promise<TenantCreated> {
    const created = await this.#agree(tenant, agreement, true);
    const done = { tenant: tenant.tenantId, created };
    if (admin === undefined) return done;
    if ('subject' in admin)
      return { ...done, member: await this.#parts.members.put(tenant, admin.subject, 'admin') };
    const key = { name: admin.api_key, role: 'admin' } as const;
    return { ...done, api_key: await this.#parts.apiKeys.create(tenant, key) };
  }

  /** @throws {TenantOffboardedError} */
  async agree(tenant: TenantContext, agreement: Of<'agree'>): Promise<{ tenant: string }> {
    await this.#agree(tenant, agreement, false);
    return { tenant: tenant.tenantId };
  }

  offboard(tenant: TenantContext, hasTime: () => boolean): Promise<OffboardingReport> {
    return this.#parts.offboarding.run(tenant, hasTime);
  }

  async #agree(
    tenant: TenantContext,
    { plan, limits }: Pick<Of<'agree'>, 'plan' | 'limits'>,
    once: boolean,
  ): Promise<boolean> {
    const { offboardings, agreements, clock } = this.#parts;
    if ((await offboardings.state(tenant)) !== undefined) throw new TenantOffboardedError(tenant.tenantId);
    return agreements.agree(tenant, { plan, limits }, { at: isoAt(clock.nowMs()), once });
  }
}
