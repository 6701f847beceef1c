import type { TenantContext } from '../../tenancy/tenant-context.ts';

/** What a tenant may use of the serving plane; what is absent is unlimited. */
export interface TenantLimits {
  /** Calls a second, in the long run. */
  readonly requestsPerSecond?: number;
  /** Calls at once after a quiet time. @default - as many as in two seconds */
  readonly burst?: number;
  /** Function environments that work for the tenant at the same time. */
  readonly concurrency?: number;
  /** Memory for loaded models in one environment. */
  readonly maxMemoryMiB?: number;
  /** Models in the memory of one environment. */
  readonly maxModels?: number;
}

/** What is known of one tenant: its plan, and what was agreed with it beyond. */
export interface TenantSettings extends TenantLimits {
  /** A name in the deployment's plans. */
  readonly plan?: string;
  /** What the tenant wants of less: each of it counts where it is the lower one. */
  readonly lowered?: TenantLimits;
  /** What the log keeps of the features, for models that say nothing of it. */
  readonly logFeatures?: LogFeatures;
}

export type LogFeatures = 'keep' | 'hash' | 'drop';

export interface TenantSettingsStore {
  /** @returns `undefined` for a tenant of which nothing is written down */
  settings(tenant: TenantContext): Promise<TenantSettings | undefined>;
}

/** Limits by the name of a plan. */
export type Plans = Readonly<Record<string, TenantLimits>>;

/** The plan of who has none. */
export const defaultPlan = 'default';

/** @returns the limits of the plan, with those agreed with the tenant over them, and lowered where the tenant wants it */
export function limitsOf(plans: Plans, settings: TenantSettings | undefined): TenantLimits {
  const { plan = defaultPlan, lowered, logFeatures: _, ...own } = settings ?? {};
  const ofPlan = Object.hasOwn(plans, plan) ? plans[plan] : undefined;
  const agreed = { ...(ofPlan ?? (Object.hasOwn(plans, defaultPlan) ? plans[defaultPlan] : {})), ...own };
  if (lowered === undefined) return agreed;
  const limits: Record<string, number> = { ...agreed };
  for (const [name, value] of Object.entries(lowered)) limits[name] = Math.min(limits[name] ?? value, value);
  return limits;
}

/** Bounds of a tenant in the model cache. */
export interface CacheBounds {
  readonly maxBytes?: number;
  readonly maxModels?: number;
}

interface Known {
  readonly limits: TenantLimits;
  readonly bounds: CacheBounds | undefined;
  readonly logFeatures: LogFeatures | undefined;
  readonly untilMs: number;
}

const mebibyte = 1024 * 1024;
const refreshMs = 60_000;
const maxTenants = 10_000;

/** Limits of tenants, read once a minute. */
export class KnownLimits {
  readonly #store: TenantSettingsStore;
  readonly #plans: Plans;
  readonly #known = new Map<string, Known>();

  constructor(store: TenantSettingsStore, plans: Plans) {
    this.#store = store;
    this.#plans = plans;
  }

  /** @returns the limits, at once where they are known */
  of(tenant: TenantContext, nowMs: number): TenantLimits | Promise<TenantLimits> {
    const known = this.#known.get(tenant.tenantId);
    return known !== undefined && nowMs < known.untilMs ? known.limits : this.#read(tenant, nowMs);
  }

  async #read(tenant: TenantContext, nowMs: number): Promise<TenantLimits> {
    const { limits, logFeatures } = await this.#store.settings(tenant).then(
      (settings) => ({ limits: limitsOf(this.#plans, settings), logFeatures: settings?.logFeatures }),
      // What was known still holds; of a tenant that is new, no more is known than the plan of everybody, and what
      // it wants kept is kept from the log until that is known.
      () =>
        this.#known.get(tenant.tenantId) ?? {
          limits: limitsOf(this.#plans, undefined),
          logFeatures: 'hash' as const,
        },
    );
    this.#known.delete(tenant.tenantId);
    if (this.#known.size >= maxTenants) this.#known.delete(this.#known.keys().next().value!);
    const { maxMemoryMiB, maxModels } = limits;
    const bounds: CacheBounds | undefined =
      maxMemoryMiB === undefined && maxModels === undefined
        ? undefined
        : {
            ...(maxMemoryMiB === undefined ? {} : { maxBytes: maxMemoryMiB * mebibyte }),
            ...(maxModels === undefined ? {} : { maxModels }),
          };
    this.#known.set(tenant.tenantId, { limits, bounds, logFeatures, untilMs: nowMs + refreshMs });
    return limits;
  }

  /** @returns what the log keeps of the features where a model does not say, as far as that is known without asking */
  logFeatures(tenant: TenantContext): LogFeatures | undefined {
    return this.#known.get(tenant.tenantId)?.logFeatures;
  }

  /** @returns what the tenant may hold in the model cache, as far as that is known without asking */
  cacheBounds(tenant: TenantContext): CacheBounds | undefined {
    return this.#known.get(tenant.tenantId)?.bounds;
  }
}
