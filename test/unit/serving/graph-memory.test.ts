import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildOf } from '../../support/serving-samples.ts';
import { randomTable } from '../ml/support/random-table.ts';

/** Loads many copies in a process of its own, and prints what each keeps beside what it says that it keeps. */
const script = `
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
const { TypeScriptExecutor } = await import(process.argv[1]);
const bytes = readFileSync(process.argv[2]);
const executor = new TypeScriptExecutor();
const used = async () => {
  for (let i = 0; i < 4; i++) { globalThis.gc(); await setTimeout(20); }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};
const first = await executor.load(bytes);
const before = await used();
const models = [];
for (let i = 0; i < 100; i++) models.push(await executor.load(Uint8Array.from(bytes)));
console.log(JSON.stringify({ kept: ((await used()) - before) / models.length, stated: first.residentBytes }));
`;

it.each(['gradient_boosting', 'random_forest', 'logistic_regression'])(
  'a model of %s keeps no more memory than it states, and nothing of its file',
  (algorithm) => {
    const folder = mkdtempSync(join(tmpdir(), 'tenantml-graph-memory-'));
    try {
      const file = join(folder, 'model.onnx');
      writeFileSync(
        file,
        buildOf(randomTable({ nRows: 2_000, target: 'text' }), 'classification', algorithm).graph,
      );
      const executor = new URL('../../../src/serving/graph/typescript-executor.ts', import.meta.url).href;
      const args = ['--expose-gc', '--input-type=module', '-e', script, executor, file];
      const { kept, stated } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as {
        kept: number;
        stated: number;
      };
      expect(kept).toBeLessThan(stated);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
