/**
 * `auto` against its own baselines: who wins the race on the train part, and what winner, linear and naive model make
 * of the test part. Ends with 1 when a winner is behind. npm run bench:auto -- [--json] [--sets a,b] [--data FOLDER]
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { improvement } from '../src/ml/metrics/metric-table.ts';
import { modelMetrics } from '../src/ml/metrics/score-model.ts';
import { autoCandidates, autoRace } from '../src/ml/model-selection/auto.ts';
import { runRace } from '../src/ml/model-selection/run-race.ts';
import { fitPipeline } from '../src/ml/pipeline.ts';
import { takeRows } from '../src/ml/table.ts';
import { type BenchmarkSet, benchmarkSets, preparedFolder, trainAndTestRows } from './benchmark-set.ts';
import { readTable } from './table-file.ts';

const thyroid: BenchmarkSet = {
  name: 'thyroid',
  task: 'classification',
  target: 'anomaly',
  file: 'thyroid.csv.gz',
};

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    sets: { type: 'string', default: 'adult,housing,thyroid' },
    data: { type: 'string', default: resolve(import.meta.dirname, '../../shared/data') },
  },
});

const RANDOM_STATE = 42;
let isBehind = false;
for (const name of options.sets.split(',')) {
  const set = [...benchmarkSets, thyroid].find((one) => one.name === name);
  if (set === undefined) {
    process.stderr.write(`there is no set ${name}\n`);
    continue;
  }
  try {
    await race(set);
  } catch (error) {
    process.stderr.write(`${name}: ${(error as Error).message}\n`);
    process.exitCode = 2;
  }
}
if (isBehind) process.exitCode = 1;

async function race(set: BenchmarkSet): Promise<void> {
  const { task, target } = set;
  const table = readTable(`${await preparedFolder(set, options.data)}/table.bin`);
  const { train, test } = trainAndTestRows(table.nRows);
  const trainRows = takeRows(table, train);
  const testRows = takeRows(table, test);
  const rules = autoRace(trainRows, { task, target, randomState: RANDOM_STATE });
  const beginMs = performance.now();
  const outcome = runRace(trainRows, rules, autoCandidates(task), { nowMs: () => performance.now() });
  if (!outcome.done) throw new Error('the race paused though nobody asked it to');
  const raceSeconds = (performance.now() - beginMs) / 1000;
  const { metric, winner, leaderboard } = outcome.result;
  const entries = leaderboard.map((entry) => {
    const { algorithm, hyperparameters } = entry;
    const spec = {
      task,
      target,
      algorithm,
      hyperparameters: { ...hyperparameters },
      randomState: RANDOM_STATE,
    };
    const fit = fitPipeline(trainRows, spec);
    if (!fit.done) throw new Error('the fit paused though nobody asked it to');
    return { ...entry, test: modelMetrics(fit.model, testRows) };
  });
  const ofWinner = entries.find(({ id }) => id === winner.id)!;
  const behind = entries.filter(
    ({ role, test: metrics }) =>
      role !== 'candidate' && improvement(metric, ofWinner.test[metric]!, metrics[metric]!) < 0,
  );
  isBehind ||= behind.length > 0;
  if (options.json) {
    for (const { id, status, role, mean, standard_error, seconds, test: metrics } of entries) {
      const shown = { bench: 'auto', set: set.name, metric, candidate: id, role, status };
      const figures = {
        mean,
        standard_error,
        seconds,
        test_metric: metrics[metric],
        roc_auc: metrics.roc_auc,
      };
      process.stdout.write(`${JSON.stringify({ ...shown, ...figures, behind: behind.length > 0 })}\n`);
    }
    return;
  }
  process.stdout.write(
    `\n${set.name}: ${winner.id} wins by ${metric} in ${raceSeconds.toFixed(1)} s, ` +
      `${behind.length === 0 ? 'behind no baseline' : `BEHIND ${behind.map(({ id }) => id).join(' and ')}`} on the test part\n`,
  );
  for (const { id, status, mean, standard_error: error, seconds, test: metrics } of entries) {
    process.stdout.write(
      [
        id.padEnd(22),
        status.padEnd(7),
        `folds ${rounded(mean)} ± ${rounded(error)}`.padEnd(30),
        `test ${rounded(metrics[metric])}`.padEnd(15),
        metrics.roc_auc === undefined ? '' : `AUC ${rounded(metrics.roc_auc)}`.padEnd(14),
        `${(seconds ?? 0).toFixed(1)} s\n`,
      ].join(' '),
    );
  }
}

function rounded(value: number | undefined): string {
  return value === undefined ? '-' : String(Number(value.toPrecision(5)));
}
