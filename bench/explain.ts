/**
 * Explanations of boosting of 100 trees with 31 leaves: one row at a time, and many rows in a call, beside XGBoost's
 * `pred_contribs` on a model of its own. npm run bench:explain -- [--json] [--data FOLDER]
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { explain } from '../src/ml/explain/explain.ts';
import { fitPipeline } from '../src/ml/pipeline.ts';
import { takeRows } from '../src/ml/table.ts';
import { benchmarks, specOf } from './benchmark.ts';
import { benchmarkSets, preparedFolder, trainAndTestRows } from './benchmark-set.ts';
import { findPython, PeerProcess } from './subject.ts';
import { readTable } from './table-file.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    data: { type: 'string', default: resolve(import.meta.dirname, '../../shared/data') },
  },
});

const MANY_ROWS = 1000;
const adult = benchmarkSets.find((set) => set.name === 'adult')!;
const boosting = benchmarks.find((one) => one.name === 'boosting')!;
const folder = await preparedFolder(adult, options.data).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
});
const table = readTable(`${folder}/table.bin`);
const { train, test } = trainAndTestRows(table.nRows);
const fitted = fitPipeline(takeRows(table, train), specOf(boosting, adult)!);
if (!fitted.done) throw new Error('the fit paused though nobody asked it to');
const rows = takeRows(table, test.subarray(0, MANY_ROWS));
const single = Array.from({ length: 200 }, (_, row) => takeRows(rows, Int32Array.of(row)));

const first = timed(() => explain(fitted.model, single[0]!));
const one = single.map((row) => timed(() => explain(fitted.model, row))).sort((a, b) => a - b);
const many = Array.from({ length: 5 }, () => timed(() => explain(fitted.model, rows))).sort((a, b) => a - b);
const peer = await peerMilliseconds();
const result = {
  bench: 'explain',
  set: adult.name,
  first_row_ms: rounded(first),
  one_row_p50_ms: rounded(one[one.length >> 1]!),
  one_row_p99_ms: rounded(one[Math.floor(one.length * 0.99)]!),
  rows: MANY_ROWS,
  rows_ms: rounded(many[2]!),
  peer: peer === undefined ? null : 'xgb',
  peer_one_row_ms: peer === undefined ? null : rounded(peer.one),
  peer_rows_ms: peer === undefined ? null : rounded(peer.many),
};
if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else
  for (const [name, value] of Object.entries(result)) process.stdout.write(`${name.padEnd(18)} ${value}\n`);

function timed(work: () => unknown): number {
  const before = performance.now();
  work();
  return performance.now() - before;
}

function rounded(milliseconds: number): number {
  return Number(milliseconds.toPrecision(4));
}

async function peerMilliseconds(): Promise<{ one: number; many: number } | undefined> {
  const found = await findPython();
  if (found?.versions.xgboost === undefined) {
    process.stderr.write('no Python with xgboost found: ours runs alone\n');
    return undefined;
  }
  const python = new PeerProcess(found.python, 1);
  try {
    const subject = python.subject('xgb', { ...boosting.settings });
    await subject.load(folder);
    return await python.explain(boosting.settings, MANY_ROWS);
  } finally {
    python.end();
  }
}
