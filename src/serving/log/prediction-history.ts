import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { MLFrameworkError } from '../../errors.ts';
import { objectKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { partsOfPredictionId } from '../prediction-id.ts';
import type { LogRecord } from './log-record.ts';

/** The objects that the log is made of. */
export interface LogObjects {
  get(tenant: TenantContext, key: string): Promise<Uint8Array | undefined>;
  list(
    tenant: TenantContext,
    prefix: string,
    options: { readonly limit: number; readonly delimiter?: string },
  ): Promise<{ readonly keys: readonly string[]; readonly prefixes: readonly string[] }>;
}

/** An id that this tenant was never given, or whose record is not written yet. */
export class PredictionNotFoundError extends MLFrameworkError {
  constructor(predictionId: string) {
    super(
      'PREDICTION_NOT_FOUND',
      `no prediction ${predictionId.slice(0, 40)} is in the log; a new one is written within seconds of the next call`,
    );
  }
}

/** Newest first. */
export interface RecentPredictions {
  readonly items: readonly LogRecord[];
  /** Batches whose numbers are missing between those read: their rows were lost with the process that held them. */
  readonly n_lost_batches: number;
}

const gunzipped = promisify(gunzip);
/** Most objects that one question reads. */
const maxObjects = 100;
const batchName = /\/(\d{4})-([0-9a-f]{10})-([0-9a-f]{6})\.ndjson\.gz$/;

/** Reads the prediction log. */
export class PredictionHistory {
  readonly #objects: LogObjects;

  constructor(objects: LogObjects) {
    this.#objects = objects;
  }

  /** One read: the id says which object and which line. @throws {PredictionNotFoundError} */
  async find(tenant: TenantContext, predictionId: string): Promise<LogRecord> {
    const parts = partsOfPredictionId(predictionId);
    const lines = parts && (await this.#lines(tenant, objectKeys.predictionBatch(tenant, parts)));
    const line = lines?.[parts!.row];
    const record = line === undefined ? undefined : (JSON.parse(line) as LogRecord);
    if (record?.prediction_id !== predictionId) throw new PredictionNotFoundError(predictionId);
    return record;
  }

  /** The newest predictions of a tenant, of one model if named. It reads at most 100 objects. */
  async recent(tenant: TenantContext, limit: number, model?: string): Promise<RecentPredictions> {
    const items: LogRecord[] = [];
    const keys: string[] = [];
    const days = await this.#days(tenant);
    for (const day of days.reverse()) {
      const listed = await this.#objects.list(tenant, day, { limit: 1_000 });
      let minute: string | undefined;
      for (const key of newestFirst(listed.keys)) {
        const of = batchName.exec(key)?.[1];
        if (of === undefined) continue;
        // Within a minute the objects of several processes have no order: it is read whole, as far as that goes.
        if ((items.length >= limit && of !== minute) || keys.length >= maxObjects) break;
        minute = of;
        keys.push(key);
        for (const line of (await this.#lines(tenant, key)) ?? []) {
          const record = JSON.parse(line) as LogRecord;
          if (model === undefined || record.model_name === model) items.push(record);
        }
      }
      if (items.length >= limit || keys.length >= maxObjects) break;
    }
    items.sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
    return { items: items.slice(0, limit), n_lost_batches: lostBatches(keys) };
  }

  async #days(tenant: TenantContext): Promise<string[]> {
    const { prefixes } = await this.#objects.list(tenant, objectKeys.predictions(tenant), {
      ...{ limit: 1_000, delimiter: '/' },
    });
    return [...prefixes].sort();
  }

  async #lines(tenant: TenantContext, key: string): Promise<string[] | undefined> {
    const bytes = await this.#objects.get(tenant, key);
    if (bytes === undefined) return undefined;
    return (await gunzipped(bytes))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
  }
}

/**
 * A listing has the batches of a minute one process after the other. Taken in turns, the newest of each come first, and
 * where not all of them are read, those that are have no gaps.
 */
function newestFirst(keys: readonly string[]): string[] {
  const turns = new Map<string, number>();
  const placed = keys.map((key) => {
    const [, minute, environment] = batchName.exec(key) ?? [];
    const process = `${minute}-${environment}`;
    const turn = turns.get(process) ?? 0;
    turns.set(process, turn + 1);
    return { key, minute: minute ?? '', turn };
  });
  return placed
    .sort((a, b) => (a.minute < b.minute ? -1 : a.minute > b.minute ? 1 : a.turn - b.turn))
    .map(({ key }) => key);
}

/** Batches of a process are counted: what is missing between two that are there was never written. */
function lostBatches(keys: readonly string[]): number {
  const numbers = new Map<string, number[]>();
  for (const key of keys) {
    const [, , environment, batch] = batchName.exec(key)!;
    numbers.set(environment!, [...(numbers.get(environment!) ?? []), Number.parseInt(batch!, 16)]);
  }
  let lost = 0;
  for (const all of numbers.values()) lost += Math.max(...all) - Math.min(...all) + 1 - all.length;
  return lost;
}
