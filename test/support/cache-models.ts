import { ModelCache, type UseOptions } from '../../src/serving/model-cache.ts';
import { ManualClock } from './manual-clock.ts';

/** A model that knows whether it was released; its release waits for `mayRelease`. */
export class FakeModel {
  released = false;
  readonly name: string;
  readonly residentBytes: number;
  mayRelease: Promise<unknown> = Promise.resolve();

  constructor(name: string, residentBytes: number) {
    this.name = name;
    this.residentBytes = residentBytes;
  }

  async release(): Promise<void> {
    this.released = true;
    await this.mayRelease;
  }
}

/** Timers that run when the test says so. */
export class ManualTimers {
  readonly #due: { atMs: number; run: () => void }[] = [];
  #nowMs = 0;

  readonly after = (ms: number, run: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + ms, run };
    this.#due.push(timer);
    return () => {
      const at = this.#due.indexOf(timer);
      if (at >= 0) this.#due.splice(at, 1);
    };
  };

  get pending(): number {
    return this.#due.length;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.#due]) {
      if (timer.atMs > this.#nowMs) continue;
      this.#due.splice(this.#due.indexOf(timer), 1);
      timer.run();
    }
  }
}

/** A cache of fake models with everything that a scenario watches. */
export function cacheBench(
  settings: { budgetBytes: number; maxModels?: number; idleForMs?: number },
  clock = new ManualClock(),
) {
  const evicted: string[] = [];
  const timers = new ManualTimers();
  const cache = new ModelCache<FakeModel>(
    {
      maxModels: 100,
      ...settings,
      after: timers.after,
      onEvent: (event) => {
        if (event.kind === 'evicted') evicted.push(`${event.tenantId}/${event.id} ${event.reason}`);
      },
    },
    clock,
  );
  let loads = 0;
  const models = new Map<string, FakeModel>();

  /** Uses a model; a moment passes after each use, so that uses have an order. */
  const use = async (
    id: string,
    bytes = 10,
    {
      tenant = 'aa',
      resident = bytes,
      ...options
    }: Partial<UseOptions> & { tenant?: string; resident?: number } = {},
    work: (model: FakeModel) => unknown = () => undefined,
  ): Promise<'hit' | 'miss'> => {
    let seen: 'hit' | 'miss' = 'hit';
    await cache.use(
      { tenantId: tenant, id },
      { predictedBytes: bytes, ...options },
      async () => {
        loads++;
        const model = new FakeModel(id, resident);
        models.set(`${tenant}/${id}`, model);
        return model;
      },
      (model, outcome) => {
        seen = outcome.cache;
        return work(model);
      },
    );
    clock.advance(1);
    return seen;
  };

  /** Uses a model until `done` is called. */
  const hold = (id: string, bytes = 10, options: Parameters<typeof use>[2] = {}) => {
    const end = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const finished = use(id, bytes, options, () => {
      begun.resolve();
      return end.promise;
    });
    return { begun: begun.promise, finished, done: () => end.resolve() };
  };

  const held = (tenant = 'aa') => cache.view(tenant).models.map(({ id }) => id);
  const used = () => {
    const { reservedBytes, loadedBytes, releasingBytes } = cache.figures();
    return { reservedBytes, loadedBytes, releasingBytes };
  };
  return { cache, clock, timers, use, hold, held, used, evicted, models, loadCount: () => loads };
}
