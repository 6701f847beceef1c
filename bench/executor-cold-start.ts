/** The first load in a process of a graph: `node executor-cold-start.ts typescript|onnxruntime FILE`. */
import { readFileSync } from 'node:fs';
import { OnnxruntimeExecutor } from '../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { TypeScriptExecutor } from '../src/serving/graph/typescript-executor.ts';

export type ColdStartOf = 'typescript' | 'onnxruntime';

export interface ColdStart {
  /** Until the model can run, with what its executor has to load first. */
  readonly load_ms: number;
  /** Resident memory after it over that before. */
  readonly rss_bytes: number;
}

const executor = process.argv[2] === 'typescript' ? new TypeScriptExecutor() : new OnnxruntimeExecutor();
const bytes = readFileSync(process.argv[3]!);
const rssBefore = process.memoryUsage.rss();
const before = performance.now();
await executor.load(bytes);
const result: ColdStart = {
  load_ms: performance.now() - before,
  rss_bytes: process.memoryUsage.rss() - rssBefore,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
