/** The executors that the benchmarks of the cache can load, and what each takes for a file. */
import type { ModelExecutor } from '../src/serving/model-executor.ts';

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
  if (name === 'typescript') {
    const { TypeScriptExecutor } = await import('../src/serving/graph/typescript-executor.ts');
    return {
      executor: new TypeScriptExecutor(),
      // Measured 0.27 to 0.44 of the file, and 32 KiB.
      predictedBytes: (fileBytes) => fileBytes * 0.5 + 64 * 1024,
    };
  }
  throw new Error(`--executor ${name}: there is no such executor; use onnxruntime, typescript or both`);
}
