import { ByteLedger } from './byte-ledger.ts';
import type { CachedModel, CacheEntry, TenantShare } from './cache-entry.ts';
import type { CacheEvent, EvictionReason } from './cache-events.ts';
import { WindowTinyLfu } from './window-tiny-lfu.ts';

/** Runs something once after a time, unless it is cancelled. Only within a call: a frozen function has no timers. */
export type After = (ms: number, run: () => void) => () => void;

export interface RoomSettings {
  readonly budgetBytes: number;
  /** Models of one tenant, when its limits do not say. */
  readonly maxModels: number;
  readonly after: After;
  readonly onEvent: (event: CacheEvent) => void;
}

/** How long a load may wait for room, and whether it may have models evicted. */
export interface ReservationTerms {
  readonly waitMs: number;
  readonly mayEvict: boolean;
}

interface Ticket<Model extends CachedModel> {
  readonly entry: CacheEntry<Model>;
  readonly bytes: number;
  /** More bytes for a model that is in memory already: it goes first, and does not wait for users. */
  readonly isGrowth: boolean;
  readonly mayEvict: boolean;
  settle(isGranted: boolean): void;
}

type Verdict = 'granted' | 'soon' | 'blocked' | 'tenant_soon' | 'tenant_blocked';

const nCompared = 8;

/**
 * The bytes of the cache: who gets them, in which order, and who has to go for it.
 *
 * Reservations are granted first come, first served, so that small models do not starve a large one; one that waits
 * for its own tenant's models holds nobody else up. Only idle models are evicted, only as many as are needed, and
 * their bytes are free when their `release()` has settled.
 */
export class Room<Model extends CachedModel> {
  readonly ledger: ByteLedger;
  readonly policy: WindowTinyLfu<Model>;
  readonly evictions: Partial<Record<EvictionReason, number>> = {};
  nLoaded = 0;
  releaseFailures = 0;
  readonly #settings: RoomSettings;
  readonly #queue: Ticket<Model>[] = [];
  readonly #whenEmpty: (() => void)[] = [];
  #idleBytes = 0;
  #isClosed = false;

  constructor(settings: RoomSettings) {
    this.#settings = settings;
    this.ledger = new ByteLedger(settings.budgetBytes);
    this.policy = new WindowTinyLfu(settings.budgetBytes);
  }

  maxBytesOf({ limits }: TenantShare<Model>): number {
    return Math.min(limits.maxBytes ?? this.ledger.budgetBytes, this.ledger.budgetBytes);
  }

  maxModelsOf({ limits }: TenantShare<Model>): number {
    return Math.max(1, limits.maxModels ?? this.#settings.maxModels);
  }

  /** @returns whether the bytes are reserved; not when there was no room in time */
  reserve(entry: CacheEntry<Model>, bytes: number, terms: ReservationTerms): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    return this.#queued({ entry, bytes, isGrowth: false, mayEvict: terms.mayEvict }, terms.waitMs);
  }

  /** Reserves more for a model that took more than was reserved. @returns false when that cannot be had by eviction */
  grow(entry: CacheEntry<Model>, bytes: number, { waitMs, mayEvict }: ReservationTerms): Promise<boolean> {
    return this.#queued({ entry, bytes, isGrowth: true, mayEvict }, waitMs);
  }

  unreserve(entry: CacheEntry<Model>): void {
    this.ledger.unreserve(entry.bytes);
    entry.tenant.ledger.unreserve(entry.bytes);
    entry.tenant.nModels--;
    entry.bytes = 0;
    this.#changed();
  }

  /** A load has ended; its callers use it. @param residentBytes - no more than was reserved */
  settle(entry: CacheEntry<Model>, residentBytes: number): void {
    this.ledger.settle(entry.bytes, residentBytes);
    entry.tenant.ledger.settle(entry.bytes, residentBytes);
    entry.bytes = residentBytes;
    this.nLoaded++;
    this.policy.add(entry);
    if (entry.isSwept) entry.tenant.order.addColdest(entry.tenantNode);
    else entry.tenant.order.addHottest(entry.tenantNode);
    this.#changed();
  }

  /** Somebody begins to work with a loaded model. */
  begin(entry: CacheEntry<Model>): void {
    if (entry.users++ > 0) return;
    this.#idleBytes -= entry.bytes;
    entry.tenant.idleBytes -= entry.bytes;
    entry.tenant.nIdle--;
  }

  end(entry: CacheEntry<Model>): void {
    if (--entry.users > 0) return;
    this.#idleBytes += entry.bytes;
    entry.tenant.idleBytes += entry.bytes;
    entry.tenant.nIdle++;
    if (entry.doomedFor !== undefined) void this.evict(entry, entry.doomedFor);
    else if (this.#queue.length > 0) this.#grant();
  }

  /** @param entry - loaded and idle @returns when its bytes are free */
  evict(entry: CacheEntry<Model>, reason: EvictionReason): Promise<void> {
    this.policy.remove(entry);
    return this.#release(entry, reason);
  }

  /** Evicts idle models in the order of the policy until so many bytes are on their way out, or none is left. */
  async evictIdle(bytes: number, reason: EvictionReason): Promise<void> {
    await Promise.all(this.#idleWorth(bytes, 0).map((entry) => this.#release(entry, reason)));
  }

  /** Grants nothing any more. */
  close(): void {
    this.#isClosed = true;
    for (const ticket of this.#queue.splice(0)) ticket.settle(false);
  }

  /** @returns when nothing is reserved, loaded or being released */
  async emptied(): Promise<void> {
    if (this.ledger.usedBytes > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  #queued(ticket: Omit<Ticket<Model>, 'settle'>, waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      let cancel: (() => void) | undefined;
      const settle = (isGranted: boolean) => {
        cancel?.();
        resolve(isGranted);
      };
      const queued = { ...ticket, settle };
      if (ticket.isGrowth) this.#queue.unshift(queued);
      else this.#queue.push(queued);
      this.#grant();
      if (!this.#queue.includes(queued)) return;
      cancel = this.#settings.after(waitMs, () => {
        this.#queue.splice(this.#queue.indexOf(queued), 1);
        resolve(false);
        this.#grant();
      });
    });
  }

  #grant(): void {
    for (let i = 0; i < this.#queue.length; ) {
      const ticket = this.#queue[i]!;
      const verdict = this.#verdict(ticket);
      const isBlocked = verdict === 'blocked' || verdict === 'tenant_blocked';
      if (verdict === 'granted' || (isBlocked && (ticket.isGrowth || !ticket.mayEvict))) {
        this.#queue.splice(i, 1);
        ticket.settle(verdict === 'granted');
      } else if (verdict === 'tenant_soon' || verdict === 'tenant_blocked') {
        i++;
      } else {
        return;
      }
    }
  }

  /** Reserves the bytes, or begins the releases that make room, or says that only users can make it. */
  #verdict({ entry, bytes, isGrowth, mayEvict }: Ticket<Model>): Verdict {
    const { tenant } = entry;
    const maxBytes = this.maxBytesOf(tenant);
    // A tenant that may take all is bounded by the budget only, and by the order that holds for everybody.
    const isBounded = maxBytes < this.ledger.budgetBytes;
    const tooManyBytes = isBounded ? tenant.ledger.usedBytes + bytes - maxBytes : 0;
    const tooManyModels = isGrowth ? 0 : tenant.nModels + 1 - this.maxModelsOf(tenant);
    if (tooManyBytes > 0 || tooManyModels > 0) {
      if (!mayEvict) return 'tenant_blocked';
      const unreleasedBytes = tooManyBytes - tenant.ledger.releasingBytes;
      if (unreleasedBytes > tenant.idleBytes || tooManyModels > tenant.nIdle) return 'tenant_blocked';
      this.#evictOwn(tenant, tooManyModels, unreleasedBytes);
      if (isBounded && tenant.ledger.usedBytes + bytes > maxBytes) return 'tenant_soon';
    }
    const missingBytes = bytes - this.ledger.freeBytes;
    if (missingBytes <= 0) {
      this.ledger.reserve(bytes);
      tenant.ledger.reserve(bytes);
      entry.bytes += bytes;
      if (!isGrowth) tenant.nModels++;
      return 'granted';
    }
    if (!mayEvict) return 'blocked';
    const unreleasedBytes = missingBytes - this.ledger.releasingBytes;
    if (unreleasedBytes > this.#idleBytes) return 'blocked';
    for (const victim of this.#idleWorth(unreleasedBytes, bytes)) void this.#release(victim, 'budget');
    return 'soon';
  }

  /**
   * A tenant over its own limit gives up its own models: of the few that it used least recently the one that it used
   * least often, a byte of it where bytes are short.
   */
  #evictOwn(tenant: TenantShare<Model>, nModels: number, bytes: number): void {
    let freedBytes = 0;
    for (let freed = 0; freed < nModels || freedBytes < bytes; freed++) {
      const isCount = freed < nModels;
      let victim: CacheEntry<Model> | undefined;
      let least = Number.POSITIVE_INFINITY;
      let compared = 0;
      for (let node = tenant.order.coldest; node !== undefined && compared < nCompared; node = node.hotter) {
        const { value } = node;
        if (value.users > 0) continue;
        compared++;
        const worth = value.isSwept ? -1 : this.policy.frequency(value) / (isCount ? 1 : value.bytes);
        if (worth >= least) continue;
        victim = value;
        least = worth;
      }
      if (victim === undefined) return;
      freedBytes += victim.bytes;
      void this.evict(victim, isCount ? 'tenant_count' : 'tenant_bytes');
    }
  }

  /** Takes idle models out of the order, no more than so many bytes need. */
  #idleWorth(bytes: number, incomingBytes: number): CacheEntry<Model>[] {
    const victims: CacheEntry<Model>[] = [];
    let sum = 0;
    while (sum < bytes) {
      const victim = this.policy.victim(incomingBytes);
      if (victim === undefined) break;
      this.policy.remove(victim);
      victims.push(victim);
      sum += victim.bytes;
    }
    // A large one at the end may make earlier ones needless: they stay, those that were to go last before others.
    for (let i = victims.length - 1; i >= 0; i--) {
      const victim = victims[i]!;
      if (sum - victim.bytes < bytes) continue;
      sum -= victim.bytes;
      victims.splice(i, 1);
      this.policy.restore(victim);
    }
    return victims;
  }

  async #release(entry: CacheEntry<Model>, reason: EvictionReason): Promise<void> {
    const { tenant, id, bytes } = entry;
    const model = entry.model!;
    entry.model = undefined;
    tenant.order.remove(entry.tenantNode);
    tenant.entries.delete(id);
    tenant.nModels--;
    tenant.nIdle--;
    tenant.idleBytes -= bytes;
    this.#idleBytes -= bytes;
    this.nLoaded--;
    this.ledger.beginRelease(bytes);
    tenant.ledger.beginRelease(bytes);
    this.record({ kind: 'evicted', tenantId: tenant.tenantId, id, bytes, reason });
    await this.releaseModel(model);
    this.ledger.endRelease(bytes);
    tenant.ledger.endRelease(bytes);
    this.#changed();
  }

  record(eviction: Extract<CacheEvent, { kind: 'evicted' }>): void {
    this.evictions[eviction.reason] = (this.evictions[eviction.reason] ?? 0) + 1;
    this.#settings.onEvent(eviction);
  }

  /** A release that fails is counted: whatever it leaves behind, the memory mark of the process will see. */
  async releaseModel(model: Model): Promise<void> {
    try {
      await model.release();
    } catch {
      this.releaseFailures++;
    }
  }

  #changed(): void {
    if (this.#queue.length > 0) this.#grant();
    if (this.ledger.usedBytes > 0) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }
}
