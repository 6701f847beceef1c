import { ByteLedger } from './byte-ledger.ts';
import type { EvictionReason } from './cache-events.ts';
import { hashOf } from './frequency-sketch.ts';
import { LruList, LruNode } from './lru-list.ts';

/** A model in memory, as the cache sees it. */
export interface CachedModel {
  /** What it takes while it is loaded, in bytes, measured or told by its executor. */
  readonly residentBytes: number;
  release(): Promise<void>;
}

/** `id` is unique within the tenant: equal bytes of two tenants are two models. */
export interface ModelKey {
  readonly tenantId: string;
  readonly id: string;
}

/** What one tenant may take of the cache. */
export interface TenantLimits {
  /** @default - the whole budget */
  readonly maxBytes?: number;
  /** @default - as the cache was made */
  readonly maxModels?: number;
}

/** Where a loaded model stands in the order of eviction; see `window-tiny-lfu.ts`. */
export type Segment = 'window' | 'probation' | 'protected';

/** One model of one tenant, from the reservation of its bytes to its release. */
export class CacheEntry<Model extends CachedModel> {
  readonly tenant: TenantShare<Model>;
  readonly id: string;
  readonly hash: number;
  /** Its place in the segment, and in the order of its tenant's models. */
  readonly node: LruNode<CacheEntry<Model>>;
  readonly tenantNode: LruNode<CacheEntry<Model>>;
  segment: Segment = 'window';
  /** Reserved while it loads, resident once it is loaded. */
  bytes = 0;
  /** Only while it is loaded. */
  model: Model | undefined;
  /** Settles when it is loaded, or rejects with why it is not. */
  ready: Promise<unknown> | undefined;
  /** Callers that wait for it or work with it; it is idle without any. */
  users = 0;
  hits = 0;
  lastUsedMs: number;
  /** Only sweeps have used it so far. */
  isSwept: boolean;
  /** Why it goes as soon as it is idle. */
  doomedFor: EvictionReason | undefined;

  constructor(tenant: TenantShare<Model>, id: string, isSwept: boolean, nowMs: number) {
    this.tenant = tenant;
    this.id = id;
    this.hash = hashOf(tenant.tenantId, id);
    this.node = new LruNode(this);
    this.tenantNode = new LruNode(this);
    this.isSwept = isSwept;
    this.lastUsedMs = nowMs;
  }
}

/** The models of one tenant, and what they take. */
export class TenantShare<Model extends CachedModel> {
  readonly tenantId: string;
  readonly entries = new Map<string, CacheEntry<Model>>();
  /** Loaded models by last use. */
  readonly order = new LruList<CacheEntry<Model>>();
  /** Without a bound of its own: the limits may change with every use. */
  readonly ledger = new ByteLedger(Number.POSITIVE_INFINITY);
  limits: TenantLimits = {};
  /** Models loaded, and loads whose bytes are reserved. */
  nModels = 0;
  /** Loaded models that nobody works with, and their bytes. */
  nIdle = 0;
  idleBytes = 0;
  hits = 0;
  misses = 0;

  constructor(tenantId: string) {
    this.tenantId = tenantId;
  }
}
