/** Fits of ours on request: one line of JSON in, one out. Started by `subject.ts` with the number of threads. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { classificationMetrics } from '../src/ml/metrics/classification-metrics.ts';
import { regressionMetrics } from '../src/ml/metrics/regression-metrics.ts';
import { fitPipeline, type PipelineModel, type PipelineSpec } from '../src/ml/pipeline.ts';
import { classTarget } from '../src/ml/preprocessing/target.ts';
import { columnNamed, type NumericColumn, type Table, takeRows } from '../src/ml/table.ts';
import { trainAndTestRows } from './benchmark-set.ts';
import { hooksFor } from './fit-hooks.ts';
import { readTable } from './table-file.ts';

export interface OursQuestion {
  readonly command: 'load' | 'fit' | 'score' | 'memory';
  /** For load. */
  readonly tableFile?: string;
  /** For the others. */
  readonly spec?: PipelineSpec;
}

const { hooks, threads, close } = await hooksFor(Number(process.argv[2]));
let train: Table | undefined;
let test: Table | undefined;

for await (const line of createInterface({ input: process.stdin })) {
  let answer: unknown;
  try {
    answer = answerTo(JSON.parse(line) as OursQuestion);
  } catch (error) {
    answer = { error: (error as Error).message };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await close();

function answerTo({ command, tableFile, spec }: OursQuestion): unknown {
  if (command === 'load') {
    const table = readTable(tableFile!);
    const rows = trainAndTestRows(table.nRows);
    train = takeRows(table, rows.train);
    test = takeRows(table, rows.test);
    return { threads };
  }
  if (command === 'score') return { metric: metricOf(fitted(spec!), test!) };
  if (command === 'memory') return { bytes: peakBytesOver(() => fitted(spec!)) };
  const before = performance.now();
  fitted(spec!);
  return { seconds: (performance.now() - before) / 1000 };
}

function fitted(spec: PipelineSpec): PipelineModel {
  const result = fitPipeline(train!, spec, hooks);
  if (!result.done) throw new Error('the fit paused though nobody asked it to');
  return result.model;
}

function metricOf(model: PipelineModel, table: Table): number {
  const { values, probabilities } = model.predict(table);
  const target = columnNamed(table, model.target)!;
  if (values !== undefined) return regressionMetrics((target as NumericColumn).values, values).rmse!;
  const metrics = classificationMetrics(
    classTarget(target, model.classes!).indices,
    probabilities!,
    model.classes!,
  );
  return model.classes!.length === 2 ? metrics.roc_auc! : metrics.accuracy!;
}

/** Linux only: the peak is reset, and read after the fit. */
function peakBytesOver(fitOnce: () => unknown): number {
  warmUp(fitOnce);
  test = undefined;
  globalThis.gc?.();
  writeFileSync('/proc/self/clear_refs', '5');
  const before = statusBytes('VmRSS');
  fitOnce();
  return statusBytes('VmHWM') - before;
}

function statusBytes(field: string): number {
  const found = new RegExp(`${field}:\\s*(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(found![1]) * 1024;
}

/** Compiled code and threads are not memory of the fit: a few rows are fitted first, as with the peers. */
function warmUp(fitOnce: () => unknown): void {
  const whole = train!;
  train = takeRows(
    whole,
    Int32Array.from({ length: 500 }, (_, i) => i),
  );
  fitOnce();
  train = whole;
}
