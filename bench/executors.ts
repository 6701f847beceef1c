/**
 * The executor in TypeScript beside onnxruntime on the same graphs and the same rows, in turns, one thread.
 * npm run bench:executors -- [--json] [--rounds N] [--cases adult,...] [--data FOLDER]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { OnnxruntimeExecutor } from '../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { exportOnnx, onnxInputs } from '../src/ml/onnx/export-onnx.ts';
import { fitPipeline, type PipelineSpec } from '../src/ml/pipeline.ts';
import { takeRows } from '../src/ml/table.ts';
import { batchOfTable } from '../src/serving/feature-batch.ts';
import { TypeScriptExecutor } from '../src/serving/graph/typescript-executor.ts';
import type { LoadedModel } from '../src/serving/model-executor.ts';
import { benchmarkSets, preparedFolder, trainAndTestRows } from './benchmark-set.ts';
import type { ColdStart, ColdStartOf } from './executor-cold-start.ts';
import { readTable } from './table-file.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    cases: { type: 'string' },
    data: { type: 'string', default: resolve(import.meta.dirname, '../../shared/data') },
  },
});

type Spec = Omit<PipelineSpec, 'randomState'>;

const boosting = { n_estimators: 100, max_leaf_nodes: 31, max_bins: 255, min_samples_leaf: 20 };

const cases: readonly { name: string; set: string; spec: Spec }[] = [
  {
    name: 'boosting',
    set: 'adult',
    spec: {
      task: 'classification',
      target: 'income',
      algorithm: 'gradient_boosting',
      hyperparameters: boosting,
    },
  },
  {
    name: 'boosting7',
    set: 'adult',
    spec: {
      task: 'classification',
      target: 'marital_status',
      algorithm: 'gradient_boosting',
      hyperparameters: boosting,
    },
  },
  {
    name: 'forest',
    set: 'adult',
    spec: {
      task: 'classification',
      target: 'income',
      algorithm: 'random_forest',
      hyperparameters: { n_estimators: 100 },
    },
  },
  {
    name: 'logistic',
    set: 'adult',
    spec: { task: 'classification', target: 'income', algorithm: 'logistic_regression', hyperparameters: {} },
  },
  {
    name: 'ridge',
    set: 'housing',
    spec: { task: 'regression', target: 'median_house_value', algorithm: 'ridge', hyperparameters: {} },
  },
];

const BATCHES = [1, 32, 1_000, 10_000];
/** Calls of a round: long enough to be measured, short enough to take turns. */
const ROWS_PER_ROUND = 20_000;
const LEAST_CALLS = 3;
const MOST_CALLS = 2_000;

interface Measurement {
  readonly model: string;
  readonly graph_kB: number;
  readonly rows: number;
  readonly ours_p50_us: number;
  readonly ours_p99_us: number;
  readonly onnxruntime_p50_us: number;
  readonly onnxruntime_p99_us: number;
  readonly ours_rows_per_s: number;
  readonly onnxruntime_rows_per_s: number;
  /** ours / onnxruntime of the medians. */
  readonly ratio: number;
}

let hasHeader = false;
const folder = mkdtempSync(join(tmpdir(), 'tenantml-executors-'));
const wanted = options.cases?.split(',');
try {
  for (const one of cases) if (wanted?.includes(one.name) !== false) await race(one);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function race({ name, set, spec }: (typeof cases)[number]): Promise<void> {
  const description = benchmarkSets.find((known) => known.name === set)!;
  const prepared = await preparedFolder(description, options.data).catch((error: Error) => {
    process.stderr.write(`${name} is left out: ${error.message}\n`);
    return undefined;
  });
  if (prepared === undefined) return;
  const table = readTable(join(prepared, 'table.bin'));
  const { train, test } = trainAndTestRows(table.nRows);
  const fitted = fitPipeline(takeRows(table, train), { ...spec, randomState: 0 });
  if (!fitted.done) throw new Error('the fit paused though nobody asked it to');
  const graph = exportOnnx(fitted.model);
  const ours = await new TypeScriptExecutor().load(graph);
  const theirs = await new OnnxruntimeExecutor().load(graph);
  for (const rows of BATCHES) {
    const taken = Int32Array.from({ length: rows }, (_, i) => test[i % test.length]!);
    const batch = batchOfTable(onnxInputs(fitted.model), takeRows(table, taken));
    const calls = Math.min(MOST_CALLS, Math.max(LEAST_CALLS, Math.ceil(ROWS_PER_ROUND / rows)));
    const times = { ours: [] as number[], theirs: [] as number[] };
    const turn = async (model: LoadedModel, into: number[]) => {
      for (let call = 0; call < calls; call++) {
        const before = performance.now();
        // What comes at once is not waited for, as in the predictor.
        const output = model.run(batch);
        if (output instanceof Promise) await output;
        into.push((performance.now() - before) * 1_000);
      }
    };
    await turn(ours, []);
    await turn(theirs, []);
    for (let round = 0; round < Number(options.rounds); round++) {
      await turn(ours, times.ours);
      await turn(theirs, times.theirs);
    }
    const [a, b] = [times.ours, times.theirs].map((list) => list.sort((x, y) => x - y)) as [
      number[],
      number[],
    ];
    const at = (list: readonly number[], share: number) => list[Math.floor(share * list.length)]!;
    report({
      model: name,
      graph_kB: Math.round(graph.length / 1000),
      rows,
      ours_p50_us: at(a, 0.5),
      ours_p99_us: at(a, 0.99),
      onnxruntime_p50_us: at(b, 0.5),
      onnxruntime_p99_us: at(b, 0.99),
      ours_rows_per_s: Math.round((rows * 1e6) / at(a, 0.5)),
      onnxruntime_rows_per_s: Math.round((rows * 1e6) / at(b, 0.5)),
      ratio: at(a, 0.5) / at(b, 0.5),
    });
  }
  await theirs.release();
  reportCold(name, graph);
}

/** Load and first row in fresh processes, each executor with all that it brings along. */
function reportCold(name: string, graph: Uint8Array): void {
  const file = join(folder, `${name}.onnx`);
  writeFileSync(file, graph);
  const cold = (executor: ColdStartOf): ColdStart => {
    const runs = Array.from({ length: Number(options.rounds) }, () => {
      const script = join(import.meta.dirname, 'executor-cold-start.ts');
      return JSON.parse(execFileSync(process.execPath, [script, executor, file], { encoding: 'utf8' }));
    }) as ColdStart[];
    return runs.sort((a, b) => a.load_ms - b.load_ms)[runs.length >> 1]!;
  };
  const [ours, theirs] = [cold('typescript'), cold('onnxruntime')];
  const ratio = ours.load_ms / theirs.load_ms;
  if (options.json)
    process.stdout.write(`${JSON.stringify({ model: name, cold: { ours, theirs, ratio } })}\n`);
  else {
    const figures = [ours, theirs].map(
      (one) => `${one.load_ms.toFixed(1)} ms, ${(one.rss_bytes / 1e6).toFixed(1)} MB`,
    );
    process.stdout.write(
      `${name.padEnd(10)} first load in a process: ours ${figures[0]}; onnxruntime ${figures[1]}; ratio ${ratio.toFixed(2)}\n`,
    );
  }
}

function report(one: Measurement): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify(one)}\n`);
    return;
  }
  if (!hasHeader) {
    process.stdout.write(
      'model         kB   rows  ours p50 µs   p99 µs   ort p50 µs   p99 µs  ours rows/s   ort rows/s  ratio\n',
    );
  }
  hasHeader = true;
  const micros = (value: number) => value.toFixed(1).padStart(9);
  process.stdout.write(
    `${one.model.padEnd(10)}${String(one.graph_kB).padStart(6)} ${String(one.rows).padStart(6)}    ${micros(one.ours_p50_us)}${micros(one.ours_p99_us)}    ${micros(one.onnxruntime_p50_us)}${micros(one.onnxruntime_p99_us)} ${String(one.ours_rows_per_s).padStart(12)} ${String(one.onnxruntime_rows_per_s).padStart(12)}  ${one.ratio.toFixed(2)}\n`,
  );
}
