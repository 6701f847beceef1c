import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { ValidationError } from '../../errors.ts';
import type { ParallelExecutor } from '../../ml/parallel-executor.ts';

/** All that a thread does: run the module over the shared memory until that says to stop, then wait for the next. */
const threadSource = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ module, memory }) => {
  new WebAssembly.Instance(module, { env: { memory } }).exports.work();
});`;

/** The heap of a thread holds next to nothing: the fit's memory is shared. */
const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

/** Threads that are started when first needed, kept for later fits, and do not keep the process alive. */
export class ThreadPool implements ParallelExecutor {
  readonly nThreads: number;
  readonly #workers: Worker[] = [];

  /**
   * @param nThreads - @default - as many as the machine runs at once
   * @throws ValidationError for less than one.
   */
  constructor(nThreads: number = availableParallelism()) {
    if (!Number.isInteger(nThreads) || nThreads < 1) {
      throw new ValidationError(
        `n_threads=${nThreads} must be a whole number >= 1, the fit's own thread included`,
      );
    }
    this.nThreads = nThreads;
  }

  start(module: WebAssembly.Module, memory: WebAssembly.Memory): void {
    while (this.#workers.length < this.nThreads - 1) this.#workers.push(newWorker());
    for (const worker of this.#workers) worker.postMessage({ module, memory });
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.terminate()));
  }
}

function newWorker(): Worker {
  const worker = new Worker(threadSource, { eval: true, execArgv: [], resourceLimits });
  worker.unref();
  return worker;
}
