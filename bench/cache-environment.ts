/**
 * One execution environment: a process with a cache, a disk tier and an executor, that answers its part of the
 * traffic. Speaks JSON lines: {start} once, then {from, to} for each block of the trace.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { DiskArtifactTier } from '../src/adapters/disk/disk-artifact-tier.ts';
import { Random } from '../src/ml/random.ts';
import { cacheBudgetBytes } from '../src/serving/cache/cache-budget.ts';
import { ResidentWatch, residentMarks } from '../src/serving/cache/resident-watch.ts';
import { ModelCache } from '../src/serving/model-cache.ts';
import type { LoadedModel } from '../src/serving/model-executor.ts';
import { TenantContext } from '../src/tenancy/tenant-context.ts';
import { executorNamed } from './cache-executor.ts';
import { randomRow, type StoredModel } from './cache-models.ts';
import { cacheTrace, type TraceSettings } from './cache-trace.ts';
import { PlainLru } from './plain-lru.ts';

export interface EnvironmentStart {
  readonly policy: 'cache' | 'lru';
  readonly executor: string;
  readonly memoryMiB: number;
  readonly index: string;
  readonly tierFolder: string;
  readonly tierBytes: number;
  readonly trace: TraceSettings;
  readonly environment: number;
  /** Whether the sweep says that it is one. */
  readonly isSweepTold: boolean;
}

export interface BlockResult {
  /** Where it stopped: before the end when the process is to be replaced. */
  readonly stoppedAt: number;
  readonly predictions: number;
  readonly hits: number;
  readonly failures: number;
  readonly tierHits: number;
  readonly tierMisses: number;
  readonly evictions: Readonly<Record<string, number>>;
  readonly models: number;
  readonly loadedBytes: number;
  readonly peakResidentBytes: number;
  /** Position in the trace, resident bytes. */
  readonly resident: readonly (readonly [number, number])[];
  readonly hitUs: readonly number[];
  readonly missUs: readonly number[];
}

const clock = { nowMs: () => Date.now() };

async function environmentOf(start: EnvironmentStart) {
  const { executor, predictedBytes } = await executorNamed(start.executor);
  const models = JSON.parse(readFileSync(start.index, 'utf8')) as StoredModel[];
  const trace = cacheTrace(start.trace);
  const budgetBytes = cacheBudgetBytes(start.memoryMiB);
  const cache =
    start.policy === 'lru'
      ? new PlainLru<LoadedModel>(budgetBytes)
      : new ModelCache<LoadedModel>({ budgetBytes, maxModels: 100 }, clock);
  const watch = new ResidentWatch(residentMarks(start.memoryMiB), cache, process.memoryUsage.rss);
  const tier = new DiskArtifactTier(start.tierFolder, start.tierBytes);
  const tenants = new Map(
    models.map(({ tenant }) => [
      tenant,
      TenantContext.fromClaims({ tenant, expires_at: Number.MAX_SAFE_INTEGER }, 'bench', 0),
    ]),
  );
  const random = new Random(start.environment);
  const rows = Array.from({ length: 64 }, () => randomRow(random));

  return async (from: number, to: number): Promise<BlockResult> => {
    let [predictions, hits, failures, peakResidentBytes] = [0, 0, 0, 0];
    const resident: [number, number][] = [];
    const hitUs: number[] = [];
    const missUs: number[] = [];
    const tierBefore = tier.figures();
    const evictionsBefore: Record<string, number> = { ...cache.figures().evictions };
    let stoppedAt = to;
    for (let i = from; i < to; i++) {
      if (trace.environments[i] !== start.environment) continue;
      const model = models[trace.models[i]!]!;
      const isSweep = start.isSweepTold && i >= trace.sweep[0] && i < trace.sweep[1];
      let isHit = false;
      const before = performance.now();
      try {
        await cache.use(
          { tenantId: model.tenant, id: model.id },
          { predictedBytes: predictedBytes(model.bytes), isSweep },
          async () => {
            const ref = { key: model.id, sha256: model.sha256 };
            const found = await tier.get(tenants.get(model.tenant)!, ref, () => readFile(model.file));
            return await executor.load(found!.bytes);
          },
          (loaded, outcome) => {
            isHit = outcome.cache === 'hit';
            return loaded.run(rows[i % rows.length]!);
          },
        );
      } catch {
        failures++;
      }
      const us = (performance.now() - before) * 1_000;
      predictions++;
      if (isHit) {
        hits++;
        if (hits % 16 === 0) hitUs.push(Math.round(us * 10) / 10);
      } else {
        missUs.push(Math.round(us));
      }
      const isOnCurve = predictions % 512 === 1;
      if (!isHit || isOnCurve) {
        const bytes = process.memoryUsage.rss();
        if (bytes > peakResidentBytes) peakResidentBytes = bytes;
        if (isOnCurve) resident.push([i, bytes]);
      }
      if (watch.endOfCall(clock.nowMs()).action === 'recycle') {
        stoppedAt = i + 1;
        break;
      }
    }
    const { evictions, models: nModels, loadedBytes } = cache.figures();
    const tierNow = tier.figures();
    return {
      ...{ stoppedAt, predictions, hits, failures, peakResidentBytes, resident, hitUs, missUs, loadedBytes },
      tierHits: tierNow.hits - tierBefore.hits,
      tierMisses: tierNow.misses - tierBefore.misses,
      evictions: Object.fromEntries(
        Object.entries(evictions).map(([reason, n]) => [reason, (n ?? 0) - (evictionsBefore[reason] ?? 0)]),
      ),
      models: nModels,
    };
  };
}

let run: Awaited<ReturnType<typeof environmentOf>> | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line) as { start?: EnvironmentStart; from: number; to: number };
  try {
    if (question.start !== undefined) run = await environmentOf(question.start);
    const answer = question.start === undefined ? await run!(question.from, question.to) : {};
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: (error as Error).message })}\n`);
  }
}
