import type { Clock } from '../../clock.ts';
import type { CacheFigures } from './cache-events.ts';

/** A metric with its unit, as CloudWatch calls it. */
export type ReportedMetrics = Readonly<
  Record<string, { readonly value: number; readonly unit: 'Bytes' | 'Count' | 'Milliseconds' }>
>;

const everyMs = 60_000;

/** What the cache did since the last report, and what it holds, once a minute at most: metrics cost by the line. */
export class CacheReport {
  readonly #cache: { figures(): CacheFigures };
  #last: CacheFigures;
  #nextMs: number;

  constructor(cache: { figures(): CacheFigures }, clock: Clock) {
    this.#cache = cache;
    this.#last = cache.figures();
    this.#nextMs = clock.nowMs() + everyMs;
  }

  /** @returns metrics when it is time for them */
  due(nowMs: number): ReportedMetrics | undefined {
    if (nowMs < this.#nextMs) return undefined;
    this.#nextMs = nowMs + everyMs;
    const now = this.#cache.figures();
    const last = this.#last;
    this.#last = now;
    const loads = now.loads - last.loads;
    const evicted = Object.entries(now.evictions).map(([reason, n]): [string, number] => [
      `model_cache_evictions_${reason}`,
      n - (last.evictions[reason as keyof typeof now.evictions] ?? 0),
    ]);
    const count = (value: number) => ({ value, unit: 'Count' }) as const;
    return {
      model_cache_bytes: { value: now.loadedBytes, unit: 'Bytes' },
      model_cache_models: count(now.models),
      model_cache_hits: count(now.hits - last.hits),
      model_cache_misses: count(now.misses - last.misses),
      model_cache_load_failures: count(now.loadFailures - last.loadFailures),
      ...(loads > 0
        ? { model_load_duration: { value: (now.loadMs - last.loadMs) / loads, unit: 'Milliseconds' } }
        : {}),
      ...Object.fromEntries(evicted.filter(([, n]) => n > 0).map(([name, n]) => [name, count(n)])),
    };
  }
}
