/** Resident memory of many copies of a model: `node --expose-gc density.ts typescript|onnxruntime FILE N`. */
import { readFileSync } from 'node:fs';
import { OnnxruntimeExecutor } from '../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { TypeScriptExecutor } from '../../src/serving/graph/typescript-executor.ts';

const [, , kind, file, count] = process.argv;
const executor = kind === 'typescript' ? new TypeScriptExecutor() : new OnnxruntimeExecutor();
const bytes = readFileSync(file!);
// What the first model brings along is not counted.
const first = await executor.load(bytes);
globalThis.gc?.();
const before = process.memoryUsage.rss();
const models = [];
for (let i = 0; i < Number(count); i++) models.push(await executor.load(Uint8Array.from(bytes)));
globalThis.gc?.();
const rss = process.memoryUsage.rss() - before;
process.stdout.write(
  `${JSON.stringify({ rss_bytes_per_model: rss / models.length, stated_bytes_per_model: first.residentBytes })}\n`,
);
