/**
 * Other threads, for the fits that can use them. They share the WebAssembly memory of the fit and take tasks from it,
 * so nothing is copied; models do not depend on how many threads there are.
 */
export interface ParallelExecutor {
  /** Threads that a fit may use, its own included. */
  readonly nThreads: number;
  /** Has each of the other threads instantiate the module over the memory and call its export `work`. */
  start(module: WebAssembly.Module, memory: WebAssembly.Memory): void;
}
