import type { Clock } from '../clock.ts';
import {
  type CachedModel,
  CacheEntry,
  type ModelKey,
  type TenantLimits,
  TenantShare,
} from './cache/cache-entry.ts';
import { CacheBusyError, ModelTooLargeError } from './cache/cache-errors.ts';
import type { CacheEvent, CacheFigures, EvictionReason, TenantCacheView } from './cache/cache-events.ts';
import { FailedLoads } from './cache/failed-loads.ts';
import { type After, Room } from './cache/room.ts';

export interface CacheSettings {
  readonly budgetBytes: number;
  /** Of one tenant; the bytes bound all of them together. */
  readonly maxModels: number;
  /** How long a model that failed to load stays failed. @default 10 s */
  readonly failedForMs?: number;
  /** A model that nobody used for so long goes at the next `tick`. @default - never */
  readonly idleForMs?: number;
  /** How long a load waits for room when all that is held is in use. @default 2 s */
  readonly busyWaitMs?: number;
  /** @default setTimeout */
  readonly after?: After;
  readonly onEvent?: (event: CacheEvent) => void;
}

export interface UseOptions {
  /** What the model is thought to take; reserved before it is loaded. */
  readonly predictedBytes: number;
  /** One of many uses of a batch sweep: it does not make the model look popular. @default false */
  readonly isSweep?: boolean;
  /** Of this tenant. @default - those of its last use */
  readonly limits?: TenantLimits;
  /** How long to wait for room when all that is held is in use. @default - the cache's `busyWaitMs` */
  readonly waitMs?: number;
  /** Whether other models may go for this one. @default true */
  readonly mayEvict?: boolean;
}

export interface UseOutcome {
  /** `miss` when the caller had to wait for a load, its own or another caller's. */
  readonly cache: 'hit' | 'miss';
}

const hit: UseOutcome = Object.freeze({ cache: 'hit' });
const miss: UseOutcome = Object.freeze({ cache: 'miss' });

const afterTimeout: After = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

/** A load that takes more than was predicted, while all else is in use, begins once more with what it takes. */
const maxLoads = 2;

/**
 * Models in memory, bounded by bytes, and for each tenant by bytes and by count.
 *
 *   absent → loading (its bytes are reserved first) → loaded → releasing → absent
 *               └→ failed, a small entry that expires
 *
 * However many callers wait, a model is loaded once. A model that is in use stays. What goes first is settled in
 * `cache/window-tiny-lfu.ts`, who gets bytes in `cache/room.ts`, what counts in `cache/byte-ledger.ts`.
 */
export class ModelCache<Model extends CachedModel> {
  readonly #settings: CacheSettings;
  readonly #clock: Clock;
  readonly #room: Room<Model>;
  readonly #failed: FailedLoads;
  readonly #tenants = new Map<string, TenantShare<Model>>();
  #nextTickMs = 0;
  #isDraining = false;
  #hits = 0;
  #misses = 0;
  #loads = 0;
  #loadFailures = 0;
  #failedHits = 0;
  #busy = 0;
  #loadMs = 0;

  constructor(settings: CacheSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#failed = new FailedLoads(settings.failedForMs ?? 10_000);
    this.#room = new Room({
      budgetBytes: settings.budgetBytes,
      maxModels: settings.maxModels,
      after: settings.after ?? afterTimeout,
      onEvent: (event) => settings.onEvent?.(event),
    });
  }

  /**
   * Works with a model, loading it first when it is not held. The model stays at least until `work` has settled.
   * When it is held, `work` begins before this returns.
   *
   * @throws {ModelTooLargeError} when it could not fit even alone, as predicted or as measured
   * @throws {CacheBusyError} when everything stayed in use for as long as the caller may wait, or the cache ends
   * @throws what `load` threw, also for a while after it did
   */
  use<Result>(
    key: ModelKey,
    options: UseOptions,
    load: () => Promise<Model>,
    work: (model: Model, outcome: UseOutcome) => Result | Promise<Result>,
  ): Promise<Result> {
    const tenant = this.#tenants.get(key.tenantId);
    const entry = tenant?.entries.get(key.id);
    if (tenant === undefined || entry?.model === undefined) return this.#useAbsent(key, options, load, work);
    if (options.limits !== undefined) tenant.limits = options.limits;
    this.#hits++;
    tenant.hits++;
    entry.hits++;
    this.#room.begin(entry);
    if (options.isSweep !== true) {
      entry.lastUsedMs = this.#clock.nowMs();
      entry.isSwept = false;
      this.#room.policy.count(entry);
      this.#room.policy.promote(entry);
      tenant.order.heat(entry.tenantNode);
    }
    return this.#work(entry, work, hit);
  }

  #work<Result>(
    entry: CacheEntry<Model>,
    work: (model: Model, outcome: UseOutcome) => Result | Promise<Result>,
    outcome: UseOutcome,
  ): Promise<Result> {
    let result: Result | Promise<Result>;
    try {
      result = work(entry.model!, outcome);
    } catch (error) {
      this.#room.end(entry);
      return Promise.reject(error);
    }
    if (result instanceof Promise) return result.finally(() => this.#room.end(entry));
    this.#room.end(entry);
    return Promise.resolve(result);
  }

  async #useAbsent<Result>(
    { tenantId, id }: ModelKey,
    options: UseOptions,
    load: () => Promise<Model>,
    work: (model: Model, outcome: UseOutcome) => Result | Promise<Result>,
  ): Promise<Result> {
    const nowMs = this.#clock.nowMs();
    const failed = this.#failed.find(tenantId, id, nowMs);
    if (failed !== undefined) {
      this.#failedHits++;
      throw failed.error;
    }
    const tenant = this.#tenant(tenantId);
    if (options.limits !== undefined) tenant.limits = options.limits;
    this.#misses++;
    tenant.misses++;
    const isSweep = options.isSweep === true;
    let entry = tenant.entries.get(id);
    if (entry === undefined) {
      if (this.#isDraining) throw this.#refused(tenant, options.predictedBytes);
      entry = new CacheEntry(tenant, id, isSweep, nowMs);
      tenant.entries.set(id, entry);
      entry.ready = this.#load(entry, options, load);
    }
    if (!isSweep) {
      entry.isSwept = false;
      this.#room.policy.count(entry);
    }
    // Every caller is a user from here on, so that nobody evicts the model between its load and their turn.
    entry.users++;
    await entry.ready;
    return this.#work(entry, work, miss);
  }

  #tenant(tenantId: string): TenantShare<Model> {
    let tenant = this.#tenants.get(tenantId);
    if (tenant === undefined) {
      tenant = new TenantShare(tenantId);
      this.#tenants.set(tenantId, tenant);
    }
    return tenant;
  }

  async #load(entry: CacheEntry<Model>, options: UseOptions, load: () => Promise<Model>): Promise<void> {
    const { tenant, id } = entry;
    try {
      const model = await this.#fittingModel(entry, options, load);
      entry.lastUsedMs = this.#clock.nowMs();
      entry.ready = undefined;
      entry.model = model;
      this.#room.settle(entry, model.residentBytes);
    } catch (error) {
      tenant.entries.delete(id);
      if (entry.bytes > 0) this.#room.unreserve(entry);
      throw error;
    }
  }

  /** @returns a loaded model whose bytes are reserved */
  async #fittingModel(
    entry: CacheEntry<Model>,
    options: UseOptions,
    load: () => Promise<Model>,
  ): Promise<Model> {
    const { tenant, id } = entry;
    const { tenantId } = tenant;
    const terms = {
      waitMs: options.waitMs ?? this.#settings.busyWaitMs ?? 2_000,
      mayEvict: options.mayEvict !== false,
    };
    let neededBytes = options.predictedBytes;
    for (let loads = 1; ; loads++) {
      this.#checkSize(tenant, neededBytes);
      if (!(await this.#room.reserve(entry, neededBytes, terms))) throw this.#refused(tenant, neededBytes);
      const startMs = this.#clock.nowMs();
      const model = await this.#loaded(entry, load);
      const loadMs = this.#clock.nowMs() - startMs;
      this.#loads++;
      this.#loadMs += loadMs;
      const bytes = model.residentBytes;
      const event = {
        kind: 'loaded',
        tenantId,
        id,
        bytes,
        predictedBytes: options.predictedBytes,
        loadMs,
      } as const;
      this.#settings.onEvent?.(event);
      if (bytes <= entry.bytes) return model;
      if (
        bytes <= this.#room.maxBytesOf(tenant) &&
        (await this.#room.grow(entry, bytes - entry.bytes, terms))
      )
        return model;
      await this.#room.releaseModel(model);
      this.#room.record({ kind: 'evicted', tenantId, id, bytes, reason: 'failed' });
      this.#room.unreserve(entry);
      neededBytes = bytes;
      try {
        this.#checkSize(tenant, bytes);
      } catch (error) {
        this.#failed.remember(tenantId, id, error, this.#clock.nowMs());
        throw error;
      }
      if (loads === maxLoads) throw this.#refused(tenant, bytes);
    }
  }

  /** Loads, and remembers for a while when that fails. */
  async #loaded({ tenant: { tenantId }, id }: CacheEntry<Model>, load: () => Promise<Model>): Promise<Model> {
    try {
      return await load();
    } catch (error) {
      this.#loadFailures++;
      this.#failed.remember(tenantId, id, error, this.#clock.nowMs());
      this.#settings.onEvent?.({ kind: 'load_failed', tenantId, id, error });
      throw error;
    }
  }

  #checkSize(tenant: TenantShare<Model>, bytes: number): void {
    const { budgetBytes } = this.#settings;
    if (bytes > budgetBytes) throw new ModelTooLargeError(bytes, budgetBytes);
    const maxBytes = this.#room.maxBytesOf(tenant);
    if (bytes > maxBytes) throw new ModelTooLargeError(bytes, maxBytes, 'tenant');
  }

  #refused(tenant: TenantShare<Model>, bytes: number): CacheBusyError {
    this.#busy++;
    return new CacheBusyError(bytes, this.#room.maxBytesOf(tenant));
  }

  /** What one tenant sees. */
  view(tenantId: string): TenantCacheView {
    const tenant = this.#tenants.get(tenantId) ?? new TenantShare<Model>(tenantId);
    const { ledger, hits, misses } = tenant;
    return {
      models: [...tenant.entries.values()].map((entry) => ({
        id: entry.id,
        state: entry.model === undefined ? 'loading' : 'loaded',
        bytes: entry.bytes,
        hits: entry.hits,
        lastUsedMs: entry.lastUsedMs,
        inUse: entry.users > 0,
        segment: entry.segment,
      })),
      reservedBytes: ledger.reservedBytes,
      loadedBytes: ledger.loadedBytes,
      releasingBytes: ledger.releasingBytes,
      hits,
      misses,
      maxBytes: this.#room.maxBytesOf(tenant),
      maxModels: this.#room.maxModelsOf(tenant),
    };
  }

  /** Loads so far, for those who look at memory after each. */
  get loads(): number {
    return this.#loads;
  }

  /** Of the whole process, for metrics. */
  figures(): CacheFigures {
    const { ledger, nLoaded, releaseFailures, evictions } = this.#room;
    const { budgetBytes, reservedBytes, loadedBytes, releasingBytes } = ledger;
    return {
      budgetBytes,
      reservedBytes,
      loadedBytes,
      releasingBytes,
      models: nLoaded,
      failedEntries: this.#failed.size,
      hits: this.#hits,
      misses: this.#misses,
      loads: this.#loads,
      loadFailures: this.#loadFailures,
      failedHits: this.#failedHits,
      busy: this.#busy,
      releaseFailures,
      loadMs: this.#loadMs,
      evictions: { ...evictions },
    };
  }

  /**
   * Lets go what nobody used for a while, and failures whose time is over. There are no timers: whoever owns the
   * cache calls this at the end of its calls, since at the start it could let go what the call asks for. Mostly it
   * returns at once.
   *
   * @returns when what went is released; undefined when nothing was due
   */
  tick(nowMs: number): Promise<void> | undefined {
    if (nowMs < this.#nextTickMs) return undefined;
    const idleForMs = this.#settings.idleForMs ?? Number.POSITIVE_INFINITY;
    this.#nextTickMs = nowMs + Math.min(idleForMs / 16, 30_000);
    this.#failed.expire(nowMs);
    const gone: Promise<void>[] = [];
    for (const tenant of this.#tenants.values()) {
      for (const entry of idleSince(tenant, nowMs - idleForMs)) gone.push(this.#room.evict(entry, 'idle'));
      if (tenant.entries.size === 0 && tenant.ledger.usedBytes === 0) this.#tenants.delete(tenant.tenantId);
    }
    return gone.length === 0 ? undefined : Promise.all(gone).then(() => undefined);
  }

  /**
   * Evicts idle models until no more than so many bytes are loaded or being loaded, as far as idle models go. The
   * budget stays as it is.
   *
   * @returns when they are released
   */
  async shrinkTo(bytes: number, reason: 'shrink' | 'memory' = 'shrink'): Promise<void> {
    const { loadedBytes, reservedBytes } = this.#room.ledger;
    await this.#room.evictIdle(loadedBytes + reservedBytes - bytes, reason);
  }

  /** Lets a model go as soon as it is idle, because another version has taken its place. */
  forget({ tenantId, id }: ModelKey): void {
    const entry = this.#tenants.get(tenantId)?.entries.get(id);
    if (entry !== undefined) this.#doom(entry, 'forgotten');
  }

  /** Loads nothing any more, waits for every user, and releases everything. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#room.close();
    for (const { entries } of this.#tenants.values()) {
      for (const entry of entries.values()) this.#doom(entry, 'drain');
    }
    await this.#room.emptied();
  }

  #doom(entry: CacheEntry<Model>, reason: EvictionReason): void {
    if (entry.model !== undefined && entry.users === 0) void this.#room.evict(entry, reason);
    else entry.doomedFor = reason;
  }
}

/** From the least recently used on; what only sweeps used stands at that end whenever that was. */
function idleSince<Model extends CachedModel>(tenant: TenantShare<Model>, ms: number): CacheEntry<Model>[] {
  const idle: CacheEntry<Model>[] = [];
  for (let node = tenant.order.coldest; node !== undefined; node = node.hotter) {
    const { value } = node;
    if (value.users > 0) continue;
    if (value.lastUsedMs <= ms) idle.push(value);
    else if (!value.isSwept) break;
  }
  return idle;
}
