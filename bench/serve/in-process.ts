/** Bare executors beside the whole predict function, in turns, in this process. */

import { failureOf } from '../../src/adapters/aws/lambda/failure-of.ts';
import { predictFunction } from '../../src/adapters/aws/lambda/predict-function.ts';
import { RequestFigures } from '../../src/adapters/aws/lambda/request-figures.ts';
import { OnnxruntimeExecutor } from '../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { systemClock as clock } from '../../src/clock.ts';
import { takeRows } from '../../src/ml/table.ts';
import { ChoosingExecutor } from '../../src/serving/choosing-executor.ts';
import { batchOfTable } from '../../src/serving/feature-batch.ts';
import { TypeScriptExecutor } from '../../src/serving/graph/typescript-executor.ts';
import { ServingApp } from '../../src/serving/http/serving-app.ts';
import { TenantGate } from '../../src/serving/limits/tenant-gate.ts';
import { KnownLimits } from '../../src/serving/limits/tenant-limits.ts';
import { BufferedPredictionLog } from '../../src/serving/log/buffered-log.ts';
import { unsignedManifests } from '../../src/serving/manifest-signatures.ts';
import { ModelCache } from '../../src/serving/model-cache.ts';
import type { LoadedModel } from '../../src/serving/model-executor.ts';
import { Predictor, type Resident } from '../../src/serving/predictor.ts';
import { type BenchModel, recordsOf } from './adult-model.ts';
import { memoryStore } from './memory-store.ts';
import { percentile } from './percentiles.ts';
import { predictEvent } from './predict-event.ts';

export interface InProcessResult {
  readonly rows: number;
  readonly subject: 'typescript' | 'onnxruntime' | 'handler';
  readonly p50_us: number;
  readonly p99_us: number;
  readonly rows_per_s: number;
  /** p50 over that of the bare executor in TypeScript. */
  readonly ratio: number;
}

const batches = [1, 32, 1_000];
const callsOf = (rows: number) => Math.min(3_000, Math.max(30, Math.ceil(60_000 / rows)));

/** The handler as it is deployed, over stores in memory: claims, dialect, checks, scoring, ids, log record. */
function deployedHandler(bench: BenchModel) {
  const store = memoryStore(bench);
  const log = new BufferedPredictionLog({
    ...{ clock, sink: { write: async () => {} } },
    secret: () => store.predictionIdKey(),
  });
  const predictor = new Predictor({
    signatures: unsignedManifests,
    ...{ store, clock, log },
    cache: new ModelCache<Resident>({ budgetBytes: 2 ** 30, maxModels: 100 }, clock),
    executor: new ChoosingExecutor(new TypeScriptExecutor(), new OnnxruntimeExecutor()),
  });
  const never = () => Promise.reject(new Error('a tenant without limits is asked about'));
  const gate = new TenantGate({
    limits: new KnownLimits({ settings: async () => undefined }, {}),
    leases: { takeTokens: never, takeSlot: never },
    clock,
  });
  const app = new ServingApp({ predictor, gate, version: 'bench', failureOf });
  const figures = new RequestFigures({ stage: 'bench', namespace: 'bench', clock, write: () => {} });
  return predictFunction({
    ...{ app, clock, figures },
    async afterCall() {
      await log.flushIfDue();
      return false;
    },
  });
}

export async function measureInProcess(bench: BenchModel, rounds: number): Promise<InProcessResult[]> {
  const ours = await new TypeScriptExecutor().load(bench.graph);
  const theirs = await new OnnxruntimeExecutor().load(bench.graph);
  const handler = deployedHandler(bench);
  const results: InProcessResult[] = [];
  for (const rows of batches) {
    const taken = Int32Array.from({ length: rows }, (_, i) => i % bench.test.nRows);
    const batch = batchOfTable(bench.manifest.features, takeRows(bench.test, taken));
    const records = recordsOf(bench.model, bench.test, rows);
    const event = predictEvent('bench', { input_data: rows === 1 ? records[0] : records });
    const answer = await handler(event);
    if (answer.statusCode !== 200) throw new Error(`the handler answered ${answer.body}`);
    const subjects: Record<InProcessResult['subject'], () => unknown> = {
      typescript: () => runOf(ours, batch),
      onnxruntime: () => runOf(theirs, batch),
      handler: () => handler(event),
    };
    const times = new Map<string, number[]>();
    for (let round = -1; round < rounds; round++) {
      for (const [name, call] of Object.entries(subjects)) {
        const into: number[] = [];
        for (let i = callsOf(rows); i > 0; i--) {
          const before = performance.now();
          const result = call();
          if (result instanceof Promise) await result;
          into.push((performance.now() - before) * 1_000);
        }
        // The first round warms up.
        if (round >= 0) times.set(name, [...(times.get(name) ?? []), ...into]);
      }
    }
    const bare = percentile(times.get('typescript')!, 0.5);
    for (const [name, all] of times) {
      const p50 = percentile(all, 0.5);
      results.push({
        rows,
        subject: name as InProcessResult['subject'],
        p50_us: p50,
        p99_us: percentile(all, 0.99),
        rows_per_s: Math.round((rows * 1e6) / p50),
        ratio: p50 / bare,
      });
    }
  }
  await theirs.release();
  return results;
}

const runOf = (model: LoadedModel, batch: Parameters<LoadedModel['run']>[0]) => model.run(batch);
