import type { LimitLeases } from '../../serving/limits/tenant-gate.ts';
import { environmentName } from '../../serving/prediction-id.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { SignedTable } from './signed-table.ts';

const number = (value: number) => ({ N: String(value) });
/** Items of the past go by themselves, some time. */
const keptSeconds = 3_600;
const expiry = (nowMs: number) => number(Math.floor(nowMs / 1000) + keptSeconds);

/**
 * Tokens by the generic cell rate algorithm: `tat` is when the bucket will be full again, and a token costs its
 * interval (ITU-T I.371). One write takes any number of tokens.
 */
export class SignedLimitLeases implements LimitLeases {
  readonly #table: SignedTable;
  /** Of this process, as a holder of slots. */
  readonly #holder: string;

  constructor(table: SignedTable, holder = environmentName) {
    this.#table = table;
    this.#holder = holder;
  }

  async takeTokens(
    tenant: TenantContext,
    bucket: { readonly requestsPerSecond: number; readonly burst: number },
    tokens: number,
    nowMs: number,
  ): Promise<{ taken: boolean; waitMs: number }> {
    const key = itemKeys.rateLimit(tenant);
    const intervalMs = 1000 / bucket.requestsPerSecond;
    const cost = tokens * intervalMs;
    const limit = nowMs + bucket.burst * intervalMs - cost;
    const expires = { ':expires': expiry(nowMs) };
    // A bucket in use, or one that has been full for a while.
    const taken =
      (await this.#table.update(tenant, key, {
        update: 'SET tat = tat + :cost, expires_at = :expires',
        condition: 'tat >= :now AND tat <= :limit',
        values: { ':cost': number(cost), ':now': number(nowMs), ':limit': number(limit), ...expires },
      })) ||
      (cost <= bucket.burst * intervalMs &&
        (await this.#table.update(tenant, key, {
          update: 'SET tat = :fresh, expires_at = :expires',
          condition: 'attribute_not_exists(tat) OR tat < :now',
          values: { ':fresh': number(nowMs + cost), ':now': number(nowMs), ...expires },
        })));
    if (taken || tokens > 1) return { taken, waitMs: 0 };
    const item = await this.#table.get(tenant, key);
    return { taken: false, waitMs: Math.max(0, Number(item?.tat?.N ?? nowMs) - limit) };
  }

  async takeSlot(
    tenant: TenantContext,
    slots: { readonly count: number; readonly preferred: number; readonly untilMs: number },
    nowMs: number,
  ): Promise<number | undefined> {
    for (let i = 0; i < slots.count; i++) {
      const slot = (slots.preferred + i) % slots.count;
      const taken = await this.#table.update(tenant, itemKeys.concurrencySlot(tenant, slot), {
        update: 'SET holder = :me, until_ms = :until, expires_at = :expires',
        condition: 'attribute_not_exists(holder) OR holder = :me OR until_ms < :now',
        values: {
          ':me': { S: this.#holder },
          ':until': number(slots.untilMs),
          ':now': number(nowMs),
          ':expires': expiry(nowMs),
        },
      });
      if (taken) return slot;
    }
    return undefined;
  }
}
