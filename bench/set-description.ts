import type { Task } from '../src/ml/pipeline-model.ts';

/** A data set of the benchmarks. */
export interface BenchmarkSet {
  readonly name: string;
  readonly task: Task;
  readonly target: string;
  /** File in the data folder; `undefined` for what is generated. */
  readonly file?: string;
  readonly dropped?: readonly string[];
  /** What the target is divided by. */
  readonly targetUnit?: number;
}
