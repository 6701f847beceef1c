/**
 * The model cache under the traffic of 1,000 models of 50 tenants, beside a plain LRU of the same bytes; ends with 1
 * when ours misses its target. npm run bench:cache -- [--executor onnxruntime|typescript|both] [--environments 1,4,16]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../src/ml/random.ts';
import { residentMarks } from '../src/serving/cache/resident-watch.ts';
import type { BlockResult, EnvironmentStart } from './cache-environment.ts';
import { hitOverheadNs } from './cache-hit.ts';
import { logNormalSizes, writeModels } from './cache-models.ts';
import { cacheTrace } from './cache-trace.ts';
import { JsonLinesProcess } from './json-lines-process.ts';
import { residentSvg } from './resident-plot.ts';

const { values: options } = parseArgs({
  options: {
    executor: { type: 'string', default: 'typescript' },
    environments: { type: 'string', default: '1,4,16' },
    predictions: { type: 'string', default: '200000' },
    'memory-mib': { type: 'string', default: '1769' },
    'disk-mib': { type: 'string', default: '384' },
    /** The sweep is made of ordinary calls, unless this says that it is a batch's. */
    'sweep-told': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const [nModels, nTenants, exponent] = [1_000, 50, 1.1];
const nPredictions = Number(options.predictions);
const memoryMiB = Number(options['memory-mib']);
const mebibyte = 1024 * 1024;
const targetHitRate = 0.95;
const nBlocks = 20;
const policies = ['cache', 'lru'] as const;
type Policy = (typeof policies)[number];

const name = `cache-models-${nModels}`;
const models = writeModels(name, logNormalSizes(nModels, new Random(5)), nTenants);
const index = join(tmpdir(), 'tenantml-bench', name, 'index.json');

/** One environment of one policy; its process is replaced when its memory says so, its folder stays. */
class Environment {
  readonly blocks: BlockResult[] = [];
  recycled = 0;
  readonly #start: EnvironmentStart;
  #process: JsonLinesProcess | undefined;

  constructor(start: Omit<EnvironmentStart, 'tierFolder'>) {
    this.#start = { ...start, tierFolder: mkdtempSync(join(tmpdir(), 'tenantml-tier-')) };
  }

  async run(from: number, to: number): Promise<void> {
    for (let at = from; at < to; ) {
      if (this.#process === undefined) {
        this.#process = new JsonLinesProcess(process.execPath, [
          resolve(import.meta.dirname, 'cache-environment.ts'),
        ]);
        await this.#process.ask({ start: this.#start });
      }
      const block = await this.#process.ask<BlockResult>({ from: at, to });
      this.blocks.push(block);
      at = block.stoppedAt;
      if (at === to) return;
      this.recycled++;
      this.#process.end();
      this.#process = undefined;
    }
  }

  end(): void {
    this.#process?.end();
    rmSync(this.#start.tierFolder, { recursive: true, force: true });
  }
}

async function measured(executor: string, nEnvironments: number) {
  const trace = { nModels, nPredictions, exponent, nEnvironments };
  const total = nPredictions + nModels;
  const byPolicy: Record<Policy, Environment[]> = { cache: [], lru: [] };
  // One environment after the other, each a process of its own; the policies take turns, block by block.
  for (let environment = 0; environment < nEnvironments; environment++) {
    const pair = policies.map(
      (policy) =>
        new Environment({
          ...{ policy, executor, memoryMiB, index, trace, environment },
          tierBytes: Number(options['disk-mib']) * mebibyte,
          isSweepTold: options['sweep-told'],
        }),
    );
    try {
      for (let block = 0; block < nBlocks; block++) {
        const [from, to] = [
          Math.floor((total * block) / nBlocks),
          Math.floor((total * (block + 1)) / nBlocks),
        ];
        for (const one of block % 2 === 0 ? pair : pair.toReversed()) await one.run(from, to);
      }
    } finally {
      for (const one of pair) one.end();
    }
    policies.forEach((policy, i) => {
      byPolicy[policy].push(pair[i]!);
    });
  }
  return policies.map((policy) => ({
    executor,
    n_environments: nEnvironments,
    policy,
    ...summaryOf(byPolicy[policy]),
    curve: byPolicy[policy][0]!.blocks.flatMap(({ resident }) => resident),
  }));
}

function summaryOf(environments: readonly Environment[]) {
  const blocks = environments.flatMap((one) => one.blocks);
  const sum = (of: (block: BlockResult) => number) => blocks.reduce((all, block) => all + of(block), 0);
  const predictions = sum(({ predictions: n }) => n);
  const hits = sum((block) => block.hits);
  const evictions: Record<string, number> = {};
  for (const block of blocks) {
    for (const [reason, n] of Object.entries(block.evictions))
      evictions[reason] = (evictions[reason] ?? 0) + n;
  }
  const last = environments.map((one) => one.blocks.at(-1)!);
  return {
    predictions,
    memory_hit_rate: hits / predictions,
    disk_hit_rate: sum(({ tierHits }) => tierHits) / Math.max(1, predictions - hits),
    failures: sum(({ failures }) => failures),
    evictions,
    models_held: Math.round(last.reduce((all, { models: n }) => all + n, 0) / last.length),
    hit_us: quantiles(blocks.flatMap(({ hitUs }) => hitUs)),
    miss_ms: quantiles(blocks.flatMap(({ missUs }) => missUs)).map((us) => us / 1_000),
    peak_rss_mib: Math.round(
      Math.max(...blocks.map(({ peakResidentBytes }) => peakResidentBytes)) / mebibyte,
    ),
    recycled: environments.reduce((all, one) => all + one.recycled, 0),
  };
}

/** @returns the median and the 99th percentile */
function quantiles(values: number[]): [number, number] {
  const sorted = values.sort((a, b) => a - b);
  return [sorted[Math.floor(sorted.length * 0.5)] ?? 0, sorted[Math.floor(sorted.length * 0.99)] ?? 0];
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`;

type Row = Awaited<ReturnType<typeof measured>>[number];

function printed(row: Row): string {
  const reasons = Object.entries(row.evictions).map(([reason, n]) => `${n} ${reason}`);
  return [
    `${row.executor}, ${row.n_environments} environments, ${row.policy === 'cache' ? 'model cache' : 'plain LRU'}`,
    `  hits in memory ${percent(row.memory_hit_rate)}, of the rest on disk ${percent(row.disk_hit_rate)}, failed ${row.failures}`,
    `  hit p50 ${row.hit_us[0].toFixed(1)} us, p99 ${row.hit_us[1].toFixed(1)} us; miss p50 ${row.miss_ms[0].toFixed(2)} ms, p99 ${row.miss_ms[1].toFixed(2)} ms`,
    `  evicted ${reasons.join(', ') || 'none'}; ${row.models_held} models held at the end`,
    `  peak RSS ${row.peak_rss_mib} of ${memoryMiB} MiB; ${row.recycled} processes replaced`,
  ].join('\n');
}

const executors = options.executor === 'both' ? ['onnxruntime', 'typescript'] : [options.executor];
const results = resolve(import.meta.dirname, 'results');
mkdirSync(results, { recursive: true });
const totalMB = models.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
const hitNs = Math.round(await hitOverheadNs());
if (options.json) process.stdout.write(`${JSON.stringify({ bench: 'cache-hit', overhead_ns: hitNs })}\n`);
if (!options.json) {
  process.stdout.write(`the cache adds ${hitNs} ns to a call whose model is held\n`);
  process.stdout.write(
    `${nModels} models of ${nTenants} tenants, ${totalMB.toFixed(0)} MB; ${nPredictions} predictions\n`,
  );
}
let isMet = true;
for (const executor of executors) {
  const rows: Row[] = [];
  for (const n of options.environments.split(',').map(Number)) {
    const pair = await measured(executor, n);
    rows.push(...pair);
    for (const { curve, ...row } of pair) {
      process.stdout.write(`${options.json ? JSON.stringify(row) : printed({ curve, ...row })}\n`);
    }
    if (n !== 1) continue;
    const [ours] = pair;
    isMet &&=
      ours!.memory_hit_rate >= targetHitRate && ours!.failures === 0 && ours!.peak_rss_mib <= memoryMiB;
    writeFileSync(join(results, `cache-rss-${executor}.svg`), plotOf(executor, pair));
  }
  const kept = rows.map(({ curve: _curve, ...row }) => row);
  writeFileSync(join(results, `cache-${executor}.json`), `${JSON.stringify(kept, undefined, 2)}\n`);
}
if (!options.json) {
  const target = `>= ${percent(targetHitRate)} in memory, none failed, RSS <= ${memoryMiB} MiB, one environment`;
  process.stdout.write(`target (${target}): ${isMet ? 'met' : 'NOT met'}\n`);
}
process.exitCode = isMet ? 0 : 1;

function plotOf(executor: string, pair: readonly Row[]): string {
  const trace = cacheTrace({ nModels, nPredictions, exponent, nEnvironments: 1 });
  const { softBytes } = residentMarks(memoryMiB);
  return residentSvg({
    title: `Resident memory, ${executor}, one environment of ${memoryMiB} MiB`,
    curves: pair.map(({ policy, curve }) => ({
      name: policy === 'cache' ? 'model cache' : 'plain LRU',
      colour: policy === 'cache' ? '#0b62a4' : '#d1791a',
      points: curve,
    })),
    marks: [
      { name: 'limit', bytes: memoryMiB * mebibyte },
      { name: 'soft mark', bytes: softBytes },
    ],
    span: { name: 'sweep', from: trace.sweep[0], to: trace.sweep[1] },
    end: trace.models.length,
  });
}
