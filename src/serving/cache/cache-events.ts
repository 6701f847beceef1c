/** Why a model left. */
export type EvictionReason =
  /** Another model needed its bytes. */
  | 'budget'
  /** Its tenant may hold no more bytes, or no more models. */
  | 'tenant_bytes'
  | 'tenant_count'
  /** Nobody used it for a while. */
  | 'idle'
  /** It took more than was predicted, and there was no room for the rest. */
  | 'failed'
  /** The process came near its memory limit. */
  | 'memory'
  /** The cache was told to hold less, to forget this model, or to end. */
  | 'shrink'
  | 'forgotten'
  | 'drain';

/** What the cache tells whoever listens. Listeners must not throw. */
export type CacheEvent =
  | {
      readonly kind: 'evicted';
      readonly tenantId: string;
      readonly id: string;
      readonly bytes: number;
      readonly reason: EvictionReason;
    }
  | {
      readonly kind: 'loaded';
      readonly tenantId: string;
      readonly id: string;
      readonly bytes: number;
      readonly predictedBytes: number;
      readonly loadMs: number;
    }
  | { readonly kind: 'load_failed'; readonly tenantId: string; readonly id: string; readonly error: unknown };

/** Of the whole process, for metrics. */
export interface CacheFigures {
  readonly budgetBytes: number;
  readonly reservedBytes: number;
  readonly loadedBytes: number;
  readonly releasingBytes: number;
  /** Loaded models. */
  readonly models: number;
  readonly failedEntries: number;
  readonly hits: number;
  /** Uses that had to wait for a load, also for one that another use had begun. */
  readonly misses: number;
  readonly loads: number;
  readonly loadFailures: number;
  /** Uses that were refused because a load had failed shortly before. */
  readonly failedHits: number;
  /** Loads that were given up because everything was in use. */
  readonly busy: number;
  readonly releaseFailures: number;
  /** Sum over all loads, waiting for room not included. */
  readonly loadMs: number;
  readonly evictions: Readonly<Partial<Record<EvictionReason, number>>>;
}

/** What one tenant sees of the cache: nothing in it names or counts what others hold. */
export interface TenantCacheView {
  readonly models: readonly {
    readonly id: string;
    readonly state: 'loading' | 'loaded';
    readonly bytes: number;
    readonly hits: number;
    readonly lastUsedMs: number;
    readonly inUse: boolean;
    readonly segment: 'window' | 'probation' | 'protected';
  }[];
  readonly reservedBytes: number;
  readonly loadedBytes: number;
  readonly releasingBytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly maxBytes: number;
  readonly maxModels: number;
}
