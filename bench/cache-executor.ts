/** The executors that the benchmarks of the cache can load, and what each takes for a file. */
import type { ModelExecutor } from '../src/serving/model-executor.ts';

export type ExecutorName = 'onnxruntime' | 'typescript';

export interface BenchExecutor {
  readonly executor: ModelExecutor;
  predictedBytes(fileBytes: number): number;
}

/** @throws Error when there is no such executor here */
export async function executorNamed(name: string): Promise<BenchExecutor> {
  if (name === 'onnxruntime') {
    const { OnnxruntimeExecutor } = await import('../src/adapters/onnxruntime/onnxruntime-executor.ts');
    return {
      executor: new OnnxruntimeExecutor(),
      predictedBytes: (fileBytes) => fileBytes * 6 + 512 * 1024,
    };
  }
  throw new Error(`--executor ${name}: there is no such executor; use onnxruntime`);
}
