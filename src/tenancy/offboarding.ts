import { type Clock, isoAt } from '../clock.ts';
import type { TenantContext } from './tenant-context.ts';

/** Where the look through a store was left when time was up; a store that begins anew each time needs none. */
export type Position = Readonly<Record<string, unknown>>;

export interface Sweep {
  /** Things of the tenant that were removed, or are there. */
  readonly found: number;
  /** Where to go on, when there is more to look through. */
  readonly next?: Position;
}

export interface SweepOptions {
  readonly from: Position | undefined;
  /** Whether there is time for more: asked between steps of a few seconds at most. */
  readonly hasTime: () => boolean;
}

/** A store that holds things of tenants, and can be emptied of one. */
export interface TenantStore {
  readonly name: string;
  remove(tenant: TenantContext, options: SweepOptions): Promise<Sweep>;
  /** Looks for what is left, and reads what is there now, not what was there a moment ago. */
  count(tenant: TenantContext, options: SweepOptions): Promise<Sweep>;
}

/** How far the removal of a tenant is: kept, so that any call can go on with it. */
export interface OffboardingState {
  /** How many passes over all stores are done. */
  readonly passes: number;
  /** When the pass that is due may begin. */
  readonly passFromMs: number;
  /** `removing`: a pass is due or under way; `verifying`: the stores are searched once more; `empty`: nothing was found. */
  readonly phase: 'removing' | 'verifying' | 'empty';
  /** Index of the store that is looked through, and where in it. */
  readonly store: number;
  readonly position?: Position;
  /** What was removed, by store. */
  readonly removed: Readonly<Record<string, number>>;
  readonly emptiedAt?: string;
}

/** Tenants that were offboarded: their mark stays, so that no token of theirs is believed again. */
export interface Offboardings {
  /** Marks the tenant, unless it is marked. From then on the authorizer refuses whoever acts for it. */
  block(tenant: TenantContext, first: OffboardingState): Promise<void>;
  state(tenant: TenantContext): Promise<OffboardingState | undefined>;
  save(tenant: TenantContext, state: OffboardingState): Promise<void>;
}

export interface OffboardingReport {
  readonly tenant: string;
  /** `removing`: call again at once; `waiting`: call again at `again_at`; `empty`: every store was searched, and holds nothing. */
  readonly status: 'removing' | 'waiting' | 'empty';
  readonly removed: Readonly<Record<string, number>>;
  readonly again_at?: string;
  readonly emptied_at?: string;
}

export interface OffboardingParts {
  readonly offboardings: Offboardings;
  /** Those that say who may act come first. */
  readonly stores: readonly TenantStore[];
  /**
   * How long each pass waits after the one before. The first removes all; the second comes when the gateway has
   * forgotten what it believed, and ends jobs that were begun meanwhile; the last when no call is left that could write.
   */
  readonly waitsSeconds: readonly number[];
  readonly clock: Clock;
}

/** Removes a tenant from every live store, and finds that it is gone. It may be called as often as one likes. */
export class Offboarding {
  readonly #parts: OffboardingParts;

  constructor(parts: OffboardingParts) {
    this.#parts = parts;
  }

  /** Goes on for as long as there is time. @returns how far it came */
  async run(tenant: TenantContext, hasTime: () => boolean): Promise<OffboardingReport> {
    const { offboardings, clock } = this.#parts;
    await offboardings.block(tenant, this.#pass(0, {}));
    let state = (await offboardings.state(tenant))!;
    // Who asks again after the end wants to know whether that still holds.
    if (state.phase === 'empty') state = { ...state, phase: 'verifying', store: 0 };
    do {
      if (state.phase === 'removing' && state.store === 0 && clock.nowMs() < state.passFromMs) break;
      state = await this.#step(tenant, state, hasTime);
      await offboardings.save(tenant, state);
    } while (state.phase !== 'empty' && hasTime());
    return this.#report(tenant, state);
  }

  async #step(
    tenant: TenantContext,
    state: OffboardingState,
    hasTime: () => boolean,
  ): Promise<OffboardingState> {
    const { stores, waitsSeconds, clock } = this.#parts;
    const { position, ...rest } = state;
    const store = stores[state.store];
    if (store === undefined) {
      if (state.phase === 'verifying') return { ...rest, phase: 'empty', emptiedAt: isoAt(clock.nowMs()) };
      const passes = state.passes + 1;
      if (passes < waitsSeconds.length) return this.#pass(passes, state.removed);
      return { ...rest, passes, phase: 'verifying', store: 0 };
    }
    const options = { from: position, hasTime };
    if (state.phase === 'verifying') {
      const { found, next } = await store.count(tenant, options);
      // Somebody wrote in spite of all: once more.
      if (found > 0) return { ...this.#pass(state.passes, state.removed), passFromMs: clock.nowMs() };
      return next === undefined ? { ...rest, store: state.store + 1 } : { ...rest, position: next };
    }
    const { found, next } = await store.remove(tenant, options);
    const removed = { ...state.removed, [store.name]: (state.removed[store.name] ?? 0) + found };
    return next === undefined
      ? { ...rest, removed, store: state.store + 1 }
      : { ...rest, removed, position: next };
  }

  #pass(passes: number, removed: OffboardingState['removed']): OffboardingState {
    const { waitsSeconds, clock } = this.#parts;
    const passFromMs = clock.nowMs() + (waitsSeconds[passes] ?? 0) * 1000;
    return { phase: 'removing', passes, passFromMs, store: 0, removed };
  }

  #report(tenant: TenantContext, state: OffboardingState): OffboardingReport {
    const { phase, removed, passFromMs, store, emptiedAt } = state;
    const isWaiting = phase === 'removing' && store === 0 && this.#parts.clock.nowMs() < passFromMs;
    return {
      tenant: tenant.tenantId,
      status: phase === 'empty' ? 'empty' : isWaiting ? 'waiting' : 'removing',
      removed,
      ...(isWaiting ? { again_at: isoAt(passFromMs) } : {}),
      ...(emptiedAt === undefined ? {} : { emptied_at: emptiedAt }),
    };
  }
}
