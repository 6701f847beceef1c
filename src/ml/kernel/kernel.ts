/** The WebAssembly kernel of the tree learners with its memory, seen from TypeScript. */
import { TrainingError } from '../../errors.ts';
import { fromBase64 } from '../base64.ts';
import type { ParallelExecutor } from '../parallel-executor.ts';
import { N_THREADS, STOP } from './assembly/layout.ts';
import { kernelWasm } from './kernel-wasm.generated.ts';

interface KernelExports {
  run(job: number, nTasks: number): void;
  runAlone(job: number, nTasks: number): void;
  joinChunks(nChunks: number): number;
  stop(): void;
}

const PAGE_BYTES = 65_536;
const MAX_PAGES = 65_536;

let compiled: WebAssembly.Module | undefined;

function kernelModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(fromBase64(kernelWasm));
  return compiled;
}

export class Kernel {
  readonly nThreads: number;
  readonly #memory: WebAssembly.Memory;
  readonly #exports: KernelExports;
  readonly #parallel: ParallelExecutor | undefined;
  readonly #int32: Int32Array;
  readonly #float64: Float64Array;

  /**
   * @param bytes - of memory, as planned; it does not grow.
   * @throws TrainingError DATASET_TOO_LARGE beyond 4 GiB, which is what WebAssembly can address.
   */
  constructor(bytes: number, parallel?: ParallelExecutor) {
    const pages = Math.ceil(bytes / PAGE_BYTES);
    if (pages > MAX_PAGES) {
      throw new TrainingError(
        'DATASET_TOO_LARGE',
        `the fit needs ${Math.ceil(bytes / 2 ** 20)} MiB of working memory, it can address 4096 MiB; choose fewer features or sample the rows`,
      );
    }
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const instance = new WebAssembly.Instance(kernelModule(), { env: { memory: this.#memory } });
    this.#exports = instance.exports as unknown as KernelExports;
    this.#int32 = this.int32(0, this.#memory.buffer.byteLength / 4);
    this.#float64 = this.float64(0, this.#memory.buffer.byteLength / 8);
    this.#parallel = parallel;
    this.nThreads = parallel?.nThreads ?? 1;
    this.#int32[N_THREADS / 4] = this.nThreads;
    this.resume();
  }

  /** Has the other threads take part, until `pause`. */
  resume(): void {
    if (this.nThreads < 2) return;
    this.#int32[STOP / 4] = 0;
    this.#parallel!.start(kernelModule(), this.#memory);
  }

  /** Lets the other threads go; jobs still run, in this thread alone if need be. */
  pause(): void {
    if (this.nThreads > 1) this.#exports.stop();
  }

  // Shifted without a sign: addresses beyond 2 GiB would be negative.
  setInt(address: number, value: number): void {
    this.#int32[address >>> 2] = value;
  }

  getInt(address: number): number {
    return this.#int32[address >>> 2]!;
  }

  setFloat(address: number, value: number): void {
    this.#float64[address >>> 3] = value;
  }

  getFloat(address: number): number {
    return this.#float64[address >>> 3]!;
  }

  /** Runs the tasks on all threads. */
  run(job: number, nTasks: number): void {
    this.#exports.run(job, nTasks);
  }

  /** Runs tasks too short to be worth another thread. */
  runAlone(job: number, nTasks: number): void {
    this.#exports.runAlone(job, nTasks);
  }

  /** @returns how many rows went left */
  joinChunks(nChunks: number): number {
    return this.#exports.joinChunks(nChunks);
  }

  int32(address: number, length: number): Int32Array {
    return new Int32Array(this.#memory.buffer, address, length);
  }

  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, address, length);
  }

  float32(address: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, address, length);
  }

  float64(address: number, length: number): Float64Array {
    return new Float64Array(this.#memory.buffer, address, length);
  }

  bigInt64(address: number, length: number): BigInt64Array {
    return new BigInt64Array(this.#memory.buffer, address, length);
  }
}
