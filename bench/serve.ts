/**
 * Serving, measured from the bare executor to requests over HTTP, each beside its peer and in turns.
 * npm run bench:serve -- [--json] [--rounds N] [--seconds N] [--data FOLDER] [--parts process,http,cold,density]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startTwin, type Twin } from '../local/main.ts';
import { HttpClient } from '../src/client/http-client.ts';
import type { Dataset } from '../src/contracts/datasets.ts';
import type { Job } from '../src/contracts/training.ts';
import { terminalStatuses } from '../src/contracts/training.ts';
import { adultModel, type BenchModel, recordsOf } from './serve/adult-model.ts';
import { measureColdStart } from './serve/cold-start.ts';
import { measureInProcess } from './serve/in-process.ts';
import { measureOverHttp, peerVersions } from './serve/over-http.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    parts: { type: 'string', default: 'process,http,cold,density' },
    data: { type: 'string', default: resolve(import.meta.dirname, '../../shared/data') },
  },
});
const rounds = Number(options.rounds);
const parts = new Set(options.parts.split(','));
const say = (text: string): void => {
  if (!options.json) process.stdout.write(`${text}\n`);
};
const result = (part: string, value: object): void => {
  if (options.json) process.stdout.write(`${JSON.stringify({ part, ...value })}\n`);
};

const bench = await adultModel(options.data);
say(`adult, boosting of 100 trees with 31 leaves, ${Math.round(bench.graph.length / 1000)} kB of ONNX`);
if (parts.has('process')) await inProcess(bench);
if (parts.has('density')) density(bench);
if (parts.has('http') || parts.has('cold')) await withTwin(bench);

async function inProcess(model: BenchModel): Promise<void> {
  say('\nin one process             rows    p50 µs    p99 µs     rows/s  p50 / bare');
  for (const one of await measureInProcess(model, rounds)) {
    result('process', one);
    const name = {
      typescript: 'bare, TypeScript',
      onnxruntime: 'bare, onnxruntime',
      handler: 'whole handler',
    }[one.subject];
    say(
      `${name.padEnd(24)}${String(one.rows).padStart(7)}${one.p50_us.toFixed(1).padStart(10)}${one.p99_us.toFixed(1).padStart(10)}${String(one.rows_per_s).padStart(11)}${one.ratio.toFixed(2).padStart(12)}`,
    );
  }
}

function density(model: BenchModel): void {
  const folder = mkdtempSync(join(tmpdir(), 'tenantml-density-'));
  const file = join(folder, 'model.onnx');
  writeFileSync(file, model.graph);
  say('\nmodels in memory        kB a model  models a GiB  stated kB');
  for (const kind of ['typescript', 'onnxruntime']) {
    const script = join(import.meta.dirname, 'serve/density.ts');
    const text = execFileSync(process.execPath, ['--expose-gc', script, kind, file, '200'], {
      encoding: 'utf8',
    });
    const one = JSON.parse(text) as { rss_bytes_per_model: number; stated_bytes_per_model: number };
    const perGib = Math.floor(2 ** 30 / one.rss_bytes_per_model);
    result('density', { executor: kind, ...one, models_per_gib: perGib });
    say(
      `${kind.padEnd(22)}${(one.rss_bytes_per_model / 1000).toFixed(0).padStart(12)}${String(perGib).padStart(14)}${(one.stated_bytes_per_model / 1000).toFixed(0).padStart(11)}`,
    );
  }
  rmSync(folder, { recursive: true, force: true });
}

async function withTwin(model: BenchModel): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tenantml-serve-twin-'));
  const twin = await startTwin({ port: 0, dataDir, quiet: true });
  try {
    await trainIn(twin);
    if (parts.has('http')) {
      const results = await measureOverHttp(model, twin, {
        rounds: Math.min(rounds, 3),
        seconds: Number(options.seconds),
      });
      say(
        `\none row over HTTP, 8 connections    req/s    p50 ms    p99 ms  errors  / FastAPI (fastapi uvicorn scikit-learn ${peerVersions()})`,
      );
      for (const one of results) {
        result('http', one);
        say(
          `${one.subject.padEnd(30)}${one.requests_per_s.toFixed(0).padStart(11)}${one.p50_ms.toFixed(2).padStart(10)}${one.p99_ms.toFixed(2).padStart(10)}${String(one.errors).padStart(8)}${(one.ratio?.toFixed(2) ?? '–').padStart(11)}`,
        );
      }
    }
    if (parts.has('cold')) {
      const cold = await measureColdStart(twin, recordsOf(model.model, model.test, 1)[0]!, 2 * rounds + 1);
      result('cold', cold);
      say(
        `\ncold start: bare node ${cold.bare_node_ms.toFixed(1)} ms, predict to its first answer ${cold.first_answer_ms.toFixed(1)} ms, ratio ${cold.ratio.toFixed(2)}`,
      );
    }
  } finally {
    await twin.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** The same model again, through the platform, as tenant demo. */
async function trainIn(twin: Twin): Promise<void> {
  const token = await twin.issueToken('demo');
  const client = new HttpClient(twin.url, async () => token);
  const csv = readFileSync(join(options.data, 'adult.csv'), 'utf8');
  const { dataset_id } = (await client.call('createDataset', { body: { name: 'adult', csv } })) as Dataset;
  const { job_id } = await client.call('trainModel', {
    body: {
      ...{ model_name: 'income', dataset_id, target: 'income', split: 'every_5th' },
      hyperparameters: { n_estimators: 100, max_leaf_nodes: 31, min_samples_leaf: 20 },
    } as never,
  });
  for (;;) {
    const job = (await client.call('getJob', { params: { job_id } })) as Job;
    if (job.status === 'completed') return;
    if (terminalStatuses.includes(job.status))
      throw new Error(`training ended as ${JSON.stringify(job.error)}`);
    await new Promise((done) => setTimeout(done, 200));
  }
}
