/** The lines of `bench/results/train.json` that are about an algorithm, as a table. */
import { existsSync, readFileSync } from 'node:fs';
import type { Measurement } from '../bench/report.ts';

const file = new URL('../bench/results/train.json', import.meta.url);

/** All others are of classes. */
const regressionSets: ReadonlySet<string> = new Set(['housing']);

const peerNames: Readonly<Record<string, string>> = {
  hgb: "scikit-learn's histogram gradient boosting",
  xgb: 'XGBoost, `tree_method=hist`',
  rf: "scikit-learn's random forest",
  lr: "scikit-learn's logistic regression",
};

export function measurements(): Measurement[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Measurement);
}

/** Lines of Markdown; none when nothing was measured of the algorithm. */
export function measuredSection(algorithm: string, all: readonly Measurement[]): string[] {
  const own = all.filter((one) => algorithmOf(one) === algorithm);
  if (own.length === 0) return [];
  const metrics = new Set(own.map(metricOf));
  const isWithMemory = own.some((one) => one.rss_over_baseline_mb !== null);
  const memoryTitles = isWithMemory ? [' MB | its MB |', '---:|---:|'] : ['', ''];
  return [
    '## Measured',
    '',
    'Seconds of a fit on four fifths of the rows, beside another library with the same settings, which are in',
    '[bench/benchmark.ts](../../bench/benchmark.ts). Both took turns on one machine in one run, each in a process that had',
    'fitted before; the median of the rounds counts, and loading does not. Ours includes the preprocessing of the table as it',
    'is, the other starts from float32 numbers. Seconds belong to that machine; the ratio is what carries over, and below 1',
    `ours was faster. The metric is ${[...metrics].join(', or ')}, on the fifth that was held out.`,
    '[How to repeat it](../../bench/README.md).',
    '',
    `| data | threads | s | beside | its s | ratio | metric | its metric |${memoryTitles[0]}`,
    `|---|---:|---:|---|---:|---:|---:|---:|${memoryTitles[1]}`,
    ...own.map((one) => rowOf(one, isWithMemory)),
    '',
  ];
}

function algorithmOf({ bench, set }: Measurement): string | undefined {
  if (bench === 'boosting') return 'gradient_boosting';
  if (bench === 'forest') return 'random_forest';
  if (bench === 'logistic') return regressionSets.has(set) ? 'ridge' : 'logistic_regression';
  return undefined;
}

function metricOf({ set }: Measurement): string {
  if (regressionSets.has(set)) return 'RMSE (less is better)';
  return set === 'synth7' ? 'accuracy of seven classes' : 'ROC AUC';
}

function peerOf({ peer, set }: Measurement): string {
  if (peer === null) return '';
  if (peer === 'lr' && regressionSets.has(set)) return "scikit-learn's ridge";
  return peerNames[peer] ?? peer;
}

function rowOf(one: Measurement, isWithMemory: boolean): string {
  const number = (value: number | null, digits: number) => (value === null ? '' : value.toFixed(digits));
  const cells = [
    one.set,
    String(one.threads),
    number(one.ours_s, 3),
    peerOf(one),
    number(one.peer_s, 3),
    number(one.ratio, 2),
    number(one.metric, 4),
    number(one.peer_metric, 4),
    ...(isWithMemory ? [number(one.rss_over_baseline_mb, 0), number(one.peer_rss_over_baseline_mb, 0)] : []),
  ];
  return `| ${cells.join(' | ')} |`;
}
