import { type EnvironmentLaunch, ExecutionEnvironment } from './execution-environment.ts';
import { functionError, type Invocation } from './invocation.ts';

export interface PoolOptions {
  /** Most environments at a time. */
  readonly concurrency: number;
  /** An environment that was idle for so long is stopped. */
  readonly idleMs: number;
  launch(): EnvironmentLaunch;
}

/**
 * AWS starts an environment for every call that finds none idle. Locally that would answer a burst with as many
 * process starts as calls on a few cores, slower than waiting for a warm one; so a call first waits this long,
 * and at most this many environments of a function start at a time.
 */
const SCALE_UP_AFTER_MS = 25;
const MAX_STARTING = 2;

interface Waiting {
  readonly invocation: Invocation;
  readonly sinceMs: number;
}

/** The execution environments of one function: a queue in front of at most `concurrency` processes. */
export class EnvironmentPool {
  readonly #options: PoolOptions;
  readonly #environments = new Set<ExecutionEnvironment>();
  /** Most recently used last: the warmest takes the next call, the others age towards reaping. */
  readonly #idle: ExecutionEnvironment[] = [];
  readonly #queue: Waiting[] = [];
  #scaleTimer: NodeJS.Timeout | undefined;
  #reaper: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get pids(): number[] {
    return [...this.#environments].flatMap((environment) =>
      environment.pid === undefined ? [] : [environment.pid],
    );
  }

  submit(invocation: Invocation): void {
    if (this.#stopped) {
      invocation.resolve(functionError('Runtime.ExitError', 'the twin is stopping'));
      return;
    }
    const environment = this.#queue.length === 0 ? this.#takeIdle() : undefined;
    if (environment !== undefined) {
      environment.invoke(invocation);
      return;
    }
    this.#queue.push({ invocation, sinceMs: Date.now() });
    this.#scale();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#scaleTimer);
    clearInterval(this.#reaper);
    for (const { invocation } of this.#queue.splice(0)) {
      invocation.resolve(functionError('Runtime.ExitError', 'the twin is stopping'));
    }
    await Promise.all([...this.#environments].map((environment) => environment.stop()));
  }

  #takeIdle(): ExecutionEnvironment | undefined {
    for (;;) {
      const environment = this.#idle.pop();
      if (environment === undefined || environment.state === 'idle') {
        return environment;
      }
    }
  }

  #scale(): void {
    const oldest = this.#queue[0];
    if (oldest === undefined || this.#stopped) {
      return;
    }
    const environments = [...this.#environments];
    const starting = environments.filter(({ state }) => state === 'starting').length;
    const full = environments.length >= this.#options.concurrency || starting >= MAX_STARTING;
    const waitedMs = Date.now() - oldest.sinceMs;
    if (
      !full &&
      (environments.length === 0 || waitedMs >= SCALE_UP_AFTER_MS) &&
      starting < this.#queue.length
    ) {
      this.#start();
    }
    if (this.#scaleTimer === undefined && environments.length < this.#options.concurrency) {
      this.#scaleTimer = setTimeout(() => {
        this.#scaleTimer = undefined;
        this.#scale();
      }, SCALE_UP_AFTER_MS);
    }
  }

  #start(): void {
    this.#reaper ??= setInterval(() => this.#reap(), Math.min(this.#options.idleMs, 30_000)).unref();
    this.#environments.add(
      new ExecutionEnvironment(this.#options.launch(), (environment) => this.#onState(environment)),
    );
  }

  #onState(environment: ExecutionEnvironment): void {
    if (environment.state === 'idle') {
      const waiting = this.#queue.shift();
      if (waiting === undefined) this.#idle.push(environment);
      else environment.invoke(waiting.invocation);
    } else if (environment.state === 'dead') {
      this.#environments.delete(environment);
      const at = this.#idle.indexOf(environment);
      if (at >= 0) this.#idle.splice(at, 1);
      if (environment.initError !== undefined) {
        // Without this a function that cannot start would be started for ever on behalf of the same call.
        this.#queue.shift()?.invocation.resolve(environment.initError);
      } else if (environment.diedStarting) {
        this.#queue
          .shift()
          ?.invocation.resolve(functionError('Runtime.ExitError', 'Runtime exited during initialization'));
      }
      this.#scale();
    }
  }

  #reap(): void {
    const limit = Date.now() - this.#options.idleMs;
    for (const environment of this.#idle.filter(({ idleSinceMs }) => idleSinceMs < limit)) {
      this.#idle.splice(this.#idle.indexOf(environment), 1);
      void environment.stop();
    }
  }
}
