import type { Clock } from '../../clock.ts';
import { MLFrameworkError } from '../../errors.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { KnownLimits, TenantLimits } from './tenant-limits.ts';

/** The tenant has used up what its plan gives it for now. */
export class RateLimitedError extends MLFrameworkError {
  constructor({ requestsPerSecond }: TenantLimits, waitMs: number) {
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    super(
      'RATE_LIMITED',
      `the plan allows ${requestsPerSecond} calls a second; send again in ${seconds} s, or many rows in one call`,
      { evidence: { retry_after_seconds: seconds, policy: policyOf({ requestsPerSecond }), remaining: 0 } },
    );
  }
}

/** As many environments work for the tenant as its plan gives it. */
export class ConcurrencyLimitedError extends MLFrameworkError {
  constructor(concurrency: number) {
    super(
      'CONCURRENCY_LIMITED',
      `the plan allows ${concurrency} calls at the same time; send again in 1 s, or many rows in one call`,
      { evidence: { retry_after_seconds: 1 } },
    );
  }
}

/** Tokens and slots that all environments of a deployment share. */
export interface LimitLeases {
  /**
   * Takes tokens of the tenant's bucket, all or none.
   * @returns how long until there could be one, where none were given
   */
  takeTokens(
    tenant: TenantContext,
    bucket: { readonly requestsPerSecond: number; readonly burst: number },
    tokens: number,
    nowMs: number,
  ): Promise<{ readonly taken: boolean; readonly waitMs: number }>;
  /** Takes or keeps one of the tenant's slots for a while. @returns its number, if one was free */
  takeSlot(
    tenant: TenantContext,
    slots: { readonly count: number; readonly preferred: number; readonly untilMs: number },
    nowMs: number,
  ): Promise<number | undefined>;
}

/** Leased tokens are good for so long; then what was not used is lost. */
const tokensForMs = 1_000;
const slotForMs = 2_000;
/** A slot is kept before it ends. */
const renewSlotBeforeMs = 500;
const maxTenants = 10_000;

interface Held {
  tokens: number;
  tokensUntilMs: number;
  /** Tokens to lease next: as many as the last second used. */
  wanted: number;
  refusedUntilMs: number;
  slot: number;
  slotUntilMs: number;
  /** A lease on its way, which calls that come meanwhile wait for. @returns how long to wait where it was refused, else 0 */
  leasing: Promise<number> | undefined;
}

/**
 * Keeps every tenant to its plan, exactly over all environments and cheaply in each: tokens are leased by one
 * conditional write for a second, and calls use them up without asking. A tenant without limits costs nothing.
 */
export class TenantGate {
  readonly #limits: KnownLimits;
  readonly #leases: LimitLeases;
  readonly #clock: Clock;
  readonly #onFailure: ((error: unknown) => void) | undefined;
  readonly #held = new Map<string, Held>();

  constructor(parts: {
    limits: KnownLimits;
    leases: LimitLeases;
    clock: Clock;
    /** Told when leases could not be asked for, and a call passed. */
    onFailure?: (error: unknown) => void;
  }) {
    this.#onFailure = parts.onFailure;
    this.#limits = parts.limits;
    this.#leases = parts.leases;
    this.#clock = parts.clock;
  }

  /**
   * @returns headers that say what is left, at once where nothing has to be asked
   * @throws {RateLimitedError}
   * @throws {ConcurrencyLimitedError}
   */
  admit(
    tenant: TenantContext,
  ): Record<string, string> | undefined | Promise<Record<string, string> | undefined> {
    const nowMs = this.#clock.nowMs();
    const limits = this.#limits.of(tenant, nowMs);
    if (limits instanceof Promise) return limits.then((known) => this.#admit(tenant, known, nowMs));
    return this.#admit(tenant, limits, nowMs);
  }

  #admit(tenant: TenantContext, limits: TenantLimits, nowMs: number) {
    const { requestsPerSecond, concurrency } = limits;
    if (requestsPerSecond === undefined && concurrency === undefined) return undefined;
    const held = this.#heldBy(tenant.tenantId);
    const needsSlot = concurrency !== undefined && nowMs >= held.slotUntilMs - renewSlotBeforeMs;
    if (!needsSlot && requestsPerSecond === undefined) return undefined;
    if (!needsSlot && held.tokens >= 1 && nowMs < held.tokensUntilMs) {
      held.tokens--;
      return headersOf(limits, held);
    }
    return this.#ask(tenant, limits, held);
  }

  async #ask(tenant: TenantContext, limits: TenantLimits, held: Held) {
    const { requestsPerSecond, concurrency } = limits;
    if (concurrency !== undefined) await this.#takeSlot(tenant, concurrency, held);
    if (requestsPerSecond === undefined) return undefined;
    for (;;) {
      const nowMs = this.#clock.nowMs();
      if (held.tokens >= 1 && nowMs < held.tokensUntilMs) {
        held.tokens--;
        return headersOf(limits, held);
      }
      if (nowMs < held.refusedUntilMs) throw new RateLimitedError(limits, held.refusedUntilMs - nowMs);
      held.leasing ??= this.#lease(tenant, limits, held).finally(() => {
        held.leasing = undefined;
      });
      // What it says counts however long it took to say it: asked again, a slow table would be asked without end.
      const waitMs = await held.leasing;
      if (waitMs > 0) throw new RateLimitedError(limits, waitMs);
      if (held.tokens >= 1) {
        held.tokens--;
        return headersOf(limits, held);
      }
    }
  }

  async #lease(tenant: TenantContext, limits: TenantLimits, held: Held): Promise<number> {
    const nowMs = this.#clock.nowMs();
    const requestsPerSecond = limits.requestsPerSecond!;
    const burst = Math.max(1, Math.floor(limits.burst ?? requestsPerSecond * 2));
    const bucket = { requestsPerSecond, burst };
    // Used up within their second: twice as many are wanted; else few are enough again.
    const usedUp = nowMs < held.tokensUntilMs;
    held.wanted = usedUp ? held.wanted * 2 : Math.max(1, Math.ceil(held.wanted / 2));
    held.wanted = Math.min(held.wanted, burst, Math.max(1, Math.ceil(requestsPerSecond)));
    for (let tokens = held.wanted; ; tokens = Math.floor(tokens / 4)) {
      const asked = Math.max(1, tokens);
      const { taken, waitMs } = await this.#orPass(this.#leases.takeTokens(tenant, bucket, asked, nowMs), {
        taken: true,
        waitMs: 0,
      });
      if (taken) {
        held.tokens = asked;
        held.tokensUntilMs = this.#clock.nowMs() + tokensForMs;
        return 0;
      }
      if (asked === 1) {
        const refusedForMs = Math.max(1, waitMs);
        held.refusedUntilMs = this.#clock.nowMs() + refusedForMs;
        return refusedForMs;
      }
    }
  }

  async #takeSlot(tenant: TenantContext, concurrency: number, held: Held): Promise<void> {
    const nowMs = this.#clock.nowMs();
    if (nowMs < held.slotUntilMs - renewSlotBeforeMs) return;
    const untilMs = nowMs + slotForMs;
    const slots = { count: concurrency, preferred: held.slot, untilMs };
    const slot = await this.#orPass(this.#leases.takeSlot(tenant, slots, nowMs), held.slot);
    if (slot === undefined) throw new ConcurrencyLimitedError(concurrency);
    held.slot = slot;
    held.slotUntilMs = untilMs;
  }

  /** A limit is no reason to fail: where nobody can be asked, calls pass. */
  async #orPass<Answer>(asked: Promise<Answer>, pass: Answer): Promise<Answer> {
    try {
      return await asked;
    } catch (error) {
      this.#onFailure?.(error);
      return pass;
    }
  }

  #heldBy(tenantId: string): Held {
    let held = this.#held.get(tenantId);
    if (held === undefined) {
      if (this.#held.size >= maxTenants) this.#held.delete(this.#held.keys().next().value!);
      held = {
        ...{ tokens: 0, tokensUntilMs: 0, wanted: 1, refusedUntilMs: 0 },
        ...{ slot: 0, slotUntilMs: 0, leasing: undefined },
      };
      this.#held.set(tenantId, held);
    }
    return held;
  }
}

const policyOf = ({ requestsPerSecond }: TenantLimits): string => `"tenant";q=${requestsPerSecond};w=1`;

/** https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ */
const headersOf = (limits: TenantLimits, { tokens }: Held): Record<string, string> => ({
  'ratelimit-policy': policyOf(limits),
  ratelimit: `"tenant";r=${Math.floor(tokens)};t=1`,
});
