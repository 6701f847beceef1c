import type { Clock } from '../../clock.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { environmentName, type LogPosition, maxBatchRows } from '../prediction-id.ts';
import { FeatureHasher, logLines } from './log-record.ts';
import type { LoggedCall, PredictionLog, ShadowResult } from './prediction-log.ts';

/** What names one object of the log. */
export interface LogBatchName {
  readonly environment: string;
  /** Counted for each tenant and environment from 1: a number that is not there was lost. */
  readonly batch: number;
  /** Some time in the minute that the batch belongs to. */
  readonly timeMs: number;
}

/** Where whole batches go. */
export interface LogSink {
  /** @param lines - NDJSON; line i is row i of the batch */
  write(tenant: TenantContext, name: LogBatchName, lines: string): Promise<void>;
}

export interface BufferedLogOptions {
  readonly sink: LogSink;
  readonly clock: Clock;
  /** The deployment's secret, from which the keys of feature hashes are made. */
  readonly secret: () => Promise<Uint8Array>;
  /** Oldest age of a buffered row when a call ends. @default 5000 */
  readonly maxAgeMs?: number;
  /** Rows of all tenants together that are buffered at most when a call ends. @default 2000 */
  readonly maxRows?: number;
  /** Rows of batches that could not be written and are kept to be tried again. @default 20000 */
  readonly maxUnwrittenRows?: number;
  /** Scores the calls that have a shadow, when they are written. @default - they are written without */
  readonly shadow?: (tenant: TenantContext, call: LoggedCall) => Promise<ShadowResult>;
  /** How long shadows may take in one flush: a call waits for it. What is not scored then is written without. @default 1000 */
  readonly shadowForMs?: number;
  /** Told of batches that could not be written, and whether they are lost. */
  readonly onFailure?: (error: unknown, lost: { batches: number; rows: number }) => void;
}

const minuteMs = 60_000;

interface Batch {
  readonly tenant: TenantContext;
  readonly name: LogBatchName;
  readonly calls: { readonly firstRow: number; readonly call: LoggedCall }[];
  /** Places given out. */
  nRows: number;
  /** As it is written, once that is known: tried again, nothing is scored again. */
  lines?: string;
  /** The store has it, without what shadows give. */
  isStored?: boolean;
}

interface TenantLog {
  open: Batch | undefined;
  lastBatch: number;
  hasher?: FeatureHasher;
}

/**
 * Keeps calls in memory and writes them as one object per tenant when they are many or old enough. A Lambda function
 * stands still between calls, so nothing here waits for a timer: who owns the log asks `flushIfDue` at the end of each
 * call, and `flush` when the process ends. What a killed process had buffered is lost; the numbers of its batches show
 * it. A batch holds rows of one minute, so that an id, which has the time, leads to it.
 */
export class BufferedPredictionLog implements PredictionLog {
  readonly #options: BufferedLogOptions;
  readonly #tenants = new Map<string, TenantLog>();
  /** Closed and not yet written, oldest first. */
  #closed: Batch[] = [];
  /** Rows of open batches. */
  #openRows = 0;
  /** Rows that no flush has tried to write. */
  #newRows = 0;
  #oldestMs: number | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: BufferedLogOptions) {
    this.#options = options;
  }

  /** Rows that the store does not have. */
  get bufferedRows(): number {
    return this.#openRows + rowsOf(this.#closed.filter(({ isStored }) => isStored !== true));
  }

  place(tenant: TenantContext, nRows: number, nowMs: number): LogPosition {
    let log = this.#tenants.get(tenant.tenantId);
    if (log === undefined) {
      log = { open: undefined, lastBatch: 0 };
      this.#tenants.set(tenant.tenantId, log);
    }
    let batch = log.open;
    const fits =
      batch !== undefined &&
      batch.nRows + nRows <= maxBatchRows &&
      Math.floor(batch.name.timeMs / minuteMs) === Math.floor(nowMs / minuteMs);
    if (batch === undefined || !fits) {
      if (batch !== undefined) this.#close(log);
      log.lastBatch++;
      batch = {
        tenant,
        name: { environment: environmentName, batch: log.lastBatch, timeMs: nowMs },
        calls: [],
        nRows: 0,
      };
      log.open = batch;
    }
    const position = { batch: batch.name.batch, firstRow: batch.nRows };
    batch.nRows += nRows;
    this.#openRows += nRows;
    this.#newRows += nRows;
    this.#oldestMs ??= nowMs;
    return position;
  }

  add(tenant: TenantContext, { firstRow }: LogPosition, call: LoggedCall): void | Promise<void> {
    const log = this.#tenants.get(tenant.tenantId)!;
    // Placed just before, in the same turn: the batch is still open.
    log.open!.calls.push({ firstRow, call });
    if (call.settings?.log === 'durable') return this.#writeNow(log);
    return undefined;
  }

  /** Writes what is many or old enough; what could not be written is tried again when it is. Failures are not thrown. */
  async flushIfDue(): Promise<void> {
    const { maxAgeMs = 5_000, maxRows = 2_000, clock } = this.#options;
    if (this.#oldestMs === undefined) return;
    if (this.#newRows >= maxRows || clock.nowMs() - this.#oldestMs >= maxAgeMs) await this.flush();
  }

  /**
   * Writes everything. Failures are told and kept, not thrown.
   * @param options.shadowForMs 0 where there is no time for shadows
   */
  async flush(options: { readonly shadowForMs?: number } = {}): Promise<void> {
    const shadowForMs = options.shadowForMs ?? this.#options.shadowForMs ?? 1_000;
    for (const log of this.#tenants.values()) if (log.open !== undefined) this.#close(log);
    this.#writing = this.#writing.then(() => this.#writeClosed(shadowForMs));
    await this.#writing;
  }

  /**
   * Shadows are not waited for: a flush writes the batch once more, with what they give.
   * @throws what the sink throws; the batch is kept then, and tried again
   */
  async #writeNow(log: TenantLog): Promise<void> {
    const batch = log.open!;
    this.#close(log);
    this.#closed = this.#closed.filter((one) => one !== batch);
    try {
      await this.#options.sink.write(batch.tenant, batch.name, await this.#linesOf(batch));
      batch.isStored = true;
      if (this.#hasShadow(batch)) this.#closed.push(batch);
    } catch (error) {
      this.#closed.push(batch);
      throw error;
    }
  }

  #hasShadow({ calls }: Batch): boolean {
    return this.#options.shadow !== undefined && calls.some(({ call }) => call.shadow !== undefined);
  }

  #close(log: TenantLog): void {
    const batch = log.open!;
    log.open = undefined;
    this.#openRows -= batch.nRows;
    this.#closed.push(batch);
  }

  async #writeClosed(shadowForMs: number): Promise<void> {
    const batches = this.#closed;
    this.#closed = [];
    this.#newRows = this.#openRows;
    const shadowed = shadowForMs > 0 ? after(shadowForMs) : undefined;
    this.#oldestMs = this.#openRows > 0 ? this.#options.clock.nowMs() : undefined;
    const outcomes = await Promise.allSettled(batches.map((batch) => this.#write(batch, shadowed?.over)));
    shadowed?.cancel();
    const failed = outcomes.flatMap((outcome, i) =>
      outcome.status === 'rejected' ? [{ error: outcome.reason as unknown, batch: batches[i]! }] : [],
    );
    if (failed.length === 0) return;
    this.#closed.unshift(...failed.map(({ batch }) => batch));
    this.#oldestMs ??= this.#options.clock.nowMs();
    this.#options.onFailure?.(failed[0]!.error, this.#dropOldest());
  }

  /** A store that stays away must not fill the memory. */
  #dropOldest(): { batches: number; rows: number } {
    const { maxUnwrittenRows = 20_000 } = this.#options;
    const lost = { batches: 0, rows: 0 };
    let rows = rowsOf(this.#closed);
    while (rows > maxUnwrittenRows) {
      const { nRows, isStored } = this.#closed.shift()!;
      rows -= nRows;
      if (isStored === true) continue;
      lost.batches++;
      lost.rows += nRows;
    }
    return lost;
  }

  /** @param over - resolves when shadows have had their time; none are asked without it */
  async #write(batch: Batch, over: Promise<undefined> | undefined): Promise<void> {
    const { tenant, name } = batch;
    if (batch.isStored === true && over === undefined) return;
    batch.lines ??= await this.#linesOf(batch, over);
    await this.#options.sink.write(tenant, name, batch.lines);
  }

  async #linesOf({ tenant, calls }: Batch, over?: Promise<undefined>): Promise<string> {
    const log = this.#tenants.get(tenant.tenantId)!;
    log.hasher ??= new FeatureHasher(await this.#options.secret(), tenant.tenantId);
    const { hasher } = log;
    const { shadow } = this.#options;
    const lines: string[] = [];
    let isOver = over === undefined;
    void over?.then(() => {
      isOver = true;
    });
    for (const { call } of calls.sort((a, b) => a.firstRow - b.firstRow)) {
      const asksShadow = !isOver && call.shadow !== undefined && shadow !== undefined;
      lines.push(
        ...logLines(call, hasher, asksShadow ? await Promise.race([shadow(tenant, call), over]) : undefined),
      );
    }
    return `${lines.join('\n')}\n`;
  }
}

const rowsOf = (batches: readonly Batch[]): number => batches.reduce((sum, { nRows }) => sum + nRows, 0);

/** A time that is over some time, or is not waited for any more. */
function after(ms: number): { readonly over: Promise<undefined>; readonly cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return { over, cancel: () => clearTimeout(timer) };
}
