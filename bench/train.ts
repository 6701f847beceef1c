/**
 * Training of ours against the peers on the same machine, interleaved in one run.
 * npm run bench:train -- [--json] [--sets adult,census] [--threads 1,2] [--rounds 5] [--benches boosting]
 *   [--data FOLDER] [--no-memory] [--markdown FILE]
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Benchmark, benchmarks, specOf } from './benchmark.ts';
import { type BenchmarkSet, benchmarkSets, preparedFolder } from './benchmark-set.ts';
import { type Measurement, markdown, tableHeader, tableRow } from './report.ts';
import { findPython, OurProcess, PeerProcess, type Subject } from './subject.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    sets: { type: 'string', default: benchmarkSets.map((set) => set.name).join(',') },
    benches: { type: 'string', default: benchmarks.map((one) => one.name).join(',') },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '5' },
    data: { type: 'string', default: resolve(import.meta.dirname, '../../shared/data') },
    memory: { type: 'boolean', default: true },
    markdown: { type: 'string' },
  },
  allowNegative: true,
});

const say = (text: string) => process.stderr.write(`${text}\n`);
const sets = chosen(options.sets, benchmarkSets, 'set');
const benches = chosen(options.benches, benchmarks, 'bench');
const rounds = Number(options.rounds);
const threadCounts = options.threads.split(',').map(Number);
for (const count of [rounds, ...threadCounts]) {
  if (!Number.isInteger(count) || count < 1) fail(`--rounds and --threads take whole numbers of at least 1`);
}

const found = await findPython();
if (found === undefined)
  say('no Python with scikit-learn found (/usr/bin/python3, python3): ours runs alone');
else if (found.versions.xgboost === undefined) say(`${found.python} has no xgboost: it is left out`);
const folders = await preparedSets();
const measurements: Measurement[] = [];
if (!options.json) process.stdout.write(`${tableHeader()}\n`);
for (const threads of threadCounts) await raceWith(threads);
if (options.markdown !== undefined) writeFileSync(options.markdown, markdown(measurements, facts()));

function chosen<T extends { name: string }>(list: string, all: readonly T[], kind: string): T[] {
  return list.split(',').map((name) => {
    const one = all.find((candidate) => candidate.name === name);
    return one ?? fail(`there is no ${kind} "${name}"; there are ${all.map((each) => each.name).join(', ')}`);
  });
}

function fail(message: string): never {
  say(message);
  process.exit(2);
}

async function preparedSets(): Promise<Map<string, string>> {
  const prepared = new Map<string, string>();
  for (const set of sets) {
    try {
      prepared.set(set.name, await preparedFolder(set, options.data));
    } catch (error) {
      say(`set ${set.name} is left out: ${(error as Error).message}`);
    }
  }
  return prepared;
}

/** Both processes live as long as the races with this many threads, so that neither pays for its start. */
async function raceWith(threads: number): Promise<void> {
  const ours = new OurProcess(threads);
  const peers = found === undefined ? undefined : new PeerProcess(found.python, threads);
  try {
    for (const benchmark of benches) {
      for (const set of sets) {
        if (!benchmark.sets.includes(set.name) || !folders.has(set.name)) continue;
        try {
          await race(benchmark, set, threads, ours, peers);
        } catch (error) {
          say(`${benchmark.name} on ${set.name} failed: ${(error as Error).message}`);
        }
      }
    }
  } finally {
    ours.end();
    peers?.end();
  }
}

async function race(
  benchmark: Benchmark,
  set: BenchmarkSet,
  threads: number,
  ours: OurProcess,
  peers: PeerProcess | undefined,
): Promise<void> {
  const spec = specOf(benchmark, set);
  if (spec === undefined) {
    say(`${benchmark.name} on ${set.name} is left out: no algorithm "${benchmark.algorithm(set)}"`);
    return;
  }
  const names = peers === undefined ? [] : benchmark.peers.filter(isInstalled);
  const subjects = [ours.subject(spec), ...names.map((name) => peers!.subject(name, benchmark.settings))];
  // One load serves all peers: they are one process.
  for (const subject of subjects.slice(0, 2)) await subject.load(folders.get(set.name)!);
  if (ours.fitThreads < threads)
    say(`ours has ${ours.fitThreads} of ${threads} threads in ${benchmark.name} on ${set.name}`);
  const metrics: number[] = [];
  for (const subject of subjects) metrics.push(await subject.score());
  const seconds = await interleaved(subjects);
  const memory = await memoryOf(benchmark, set, threads, names);
  for (let i = names.length === 0 ? 0 : 1; i < subjects.length; i++) {
    const isPeer = i > 0;
    report({
      bench: benchmark.name,
      set: set.name,
      threads,
      ours_s: rounded(seconds[0]!),
      peer: isPeer ? names[i - 1]! : null,
      peer_s: isPeer ? rounded(seconds[i]!) : null,
      ratio: isPeer ? rounded(seconds[0]! / seconds[i]!) : null,
      metric: rounded(metrics[0]!),
      peer_metric: isPeer ? rounded(metrics[i]!) : null,
      rss_over_baseline_mb: megabytes(memory[0]),
      peer_rss_over_baseline_mb: isPeer ? megabytes(memory[i]) : null,
    });
  }
}

function isInstalled(peer: string): boolean {
  return peer !== 'xgb' || found?.versions.xgboost !== undefined;
}

/** Median per subject; each round goes through all of them, so that a busy machine slows all alike. */
async function interleaved(subjects: readonly Subject[]): Promise<number[]> {
  const times: number[][] = subjects.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, subject] of subjects.entries()) times[i]!.push(await subject.fitSeconds());
  }
  return times.map(median);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A process of its own for each, so that nothing of an earlier fit is there to be used again. */
async function memoryOf(
  benchmark: Benchmark,
  set: BenchmarkSet,
  threads: number,
  peers: readonly string[],
): Promise<(number | undefined)[]> {
  if (!options.memory || process.platform !== 'linux') return [];
  const folder = folders.get(set.name)!;
  const measure = async (owner: OurProcess | PeerProcess, subject: Subject) => {
    try {
      await subject.load(folder);
      return await subject.memoryBytes();
    } catch (error) {
      say(`memory of ${benchmark.name} on ${set.name}: ${(error as Error).message}`);
      return undefined;
    } finally {
      owner.end();
    }
  };
  const ours = new OurProcess(threads);
  const bytes = [await measure(ours, ours.subject(specOf(benchmark, set)!))];
  for (const name of peers) {
    const peer = new PeerProcess(found!.python, threads);
    bytes.push(await measure(peer, peer.subject(name, benchmark.settings)));
  }
  return bytes;
}

function report(measurement: Measurement): void {
  measurements.push(measurement);
  process.stdout.write(`${options.json ? JSON.stringify(measurement) : tableRow(measurement)}\n`);
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

function megabytes(bytes: number | undefined): number | null {
  return bytes === undefined ? null : Math.round(bytes / 1e5) / 10;
}

function facts(): string {
  const peers = Object.entries(found?.versions ?? {}).map(([name, version]) => `${name} ${version}`);
  return `Node ${process.versions.node}, ${[...peers, `${availableParallelism()} CPUs (${cpus()[0]?.model ?? 'unknown'})`].join(', ')}; median of ${rounds} rounds, seconds of fit.`;
}
