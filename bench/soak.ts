/**
 * Loads and evicts real onnxruntime sessions of mixed sizes through the cache, and looks whether resident memory stays
 * where it came to rest first; ends with 1 when it does not. npm run bench:soak -- [--cycles 600] [--models 200]
 * [--budget-mib 64]
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Random } from '../src/ml/random.ts';
import { ModelCache } from '../src/serving/model-cache.ts';
import type { LoadedModel } from '../src/serving/model-executor.ts';
import { executorNamed } from './cache-executor.ts';
import { logNormalSizes, randomRow, writeModels } from './cache-models.ts';

const { values: options } = parseArgs({
  options: {
    cycles: { type: 'string', default: '600' },
    models: { type: 'string', default: '200' },
    'budget-mib': { type: 'string', default: '64' },
    executor: { type: 'string', default: 'onnxruntime' },
  },
});

const nCycles = Number(options.cycles);
const mebibyte = 1024 * 1024;
const nModels = Number(options.models);
/** Holds a small part of the models at a time, so that most uses load one and evict others. */
const budgetBytes = Number(options['budget-mib']) * mebibyte;
/** Where the plateau begins: the cache has been full for a while. */
const settledCycle = Math.floor(nCycles / 6);
const allowedGrowth = 0.1;

const sizes = logNormalSizes(nModels, new Random(23)).map((bytes) => Math.min(bytes, budgetBytes / 16));
const models = writeModels(`soak-models-${nModels}`, sizes, 5);
const { executor, predictedBytes } = await executorNamed(options.executor);
const cache = new ModelCache<LoadedModel>({ budgetBytes, maxModels: 100 }, { nowMs: () => Date.now() });
const random = new Random(29);
const residentMiB: number[] = [];

for (let uses = 0; cache.loads < nCycles; uses++) {
  if (uses > 20 * nCycles) {
    process.stderr.write(
      'all models fit into the budget: nothing is evicted; take more models or a smaller budget\n',
    );
    process.exit(2);
  }
  const model = models[random.nextInt(models.length)]!;
  const before = cache.loads;
  await cache.use(
    { tenantId: model.tenant, id: model.id },
    { predictedBytes: predictedBytes(model.bytes) },
    () => executor.load(readFileSync(model.file)),
    (loaded) => loaded.run(randomRow(random)),
  );
  if (cache.loads > before) residentMiB.push(process.memoryUsage.rss() / mebibyte);
}

/** A median over a window: a single look may fall before or after a collection of garbage. */
const medianAround = (cycle: number): number => {
  const window = residentMiB.slice(Math.max(0, cycle - settledCycle / 2), cycle + settledCycle / 2);
  return window.sort((a, b) => a - b)[window.length >> 1]!;
};
const plateau = medianAround(settledCycle + settledCycle / 2);
const end = medianAround(residentMiB.length - settledCycle / 2);
const growth = end / plateau - 1;
for (let cycle = 0; cycle < residentMiB.length; cycle += settledCycle / 2) {
  process.stdout.write(
    `cycle ${String(Math.round(cycle)).padStart(4)}  ${medianAround(cycle).toFixed(0)} MiB\n`,
  );
}
const evicted = cache.figures().evictions.budget ?? 0;
const verdict = growth <= allowedGrowth ? 'met' : 'NOT met';
process.stdout.write(
  `${nCycles} loads, ${evicted} evictions: plateau ${plateau.toFixed(0)} MiB, end ${end.toFixed(0)} MiB, ${(growth * 100).toFixed(1)} % (at most ${allowedGrowth * 100} %): ${verdict}\n`,
);
await cache.drain();
process.exitCode = growth <= allowedGrowth ? 0 : 1;
