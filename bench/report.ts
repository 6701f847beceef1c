/** Results of `bench:train` as lines of JSON, as a table for the eye and as Markdown. */

export interface Measurement {
  readonly bench: string;
  readonly set: string;
  readonly threads: number;
  readonly ours_s: number;
  readonly peer: string | null;
  readonly peer_s: number | null;
  /** ours_s / peer_s. */
  readonly ratio: number | null;
  /** Of ours on the test rows: ROC AUC of two classes, accuracy of more, RMSE of a regression. */
  readonly metric: number;
  readonly peer_metric: number | null;
  readonly rss_over_baseline_mb: number | null;
  readonly peer_rss_over_baseline_mb: number | null;
}

const columns: readonly [title: string, text: (one: Measurement) => string][] = [
  ['bench', (one) => one.bench],
  ['set', (one) => one.set],
  ['threads', (one) => String(one.threads)],
  ['ours s', (one) => one.ours_s.toFixed(3)],
  ['peer', (one) => one.peer ?? '–'],
  ['peer s', (one) => fixed(one.peer_s, 3)],
  ['ratio', (one) => fixed(one.ratio, 2)],
  ['metric', (one) => one.metric.toFixed(5)],
  ['peer metric', (one) => fixed(one.peer_metric, 5)],
  ['MB over baseline', (one) => fixed(one.rss_over_baseline_mb, 0)],
  ['peer MB', (one) => fixed(one.peer_rss_over_baseline_mb, 0)],
];

const widths = [9, 8, 7, 8, 5, 8, 6, 9, 11, 16, 7];

function fixed(value: number | null, digits: number): string {
  return value === null ? '–' : value.toFixed(digits);
}

export function tableHeader(): string {
  return columns.map(([title], i) => title.padStart(widths[i]!)).join(' ');
}

export function tableRow(measurement: Measurement): string {
  return columns.map(([, text], i) => text(measurement).padStart(widths[i]!)).join(' ');
}

export function markdown(measurements: readonly Measurement[], facts: string): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return `${[
    facts,
    '',
    row(columns.map(([title]) => title)),
    row(columns.map((_, i) => (i < 2 || i === 4 ? '---' : '---:'))),
    ...measurements.map((one) => row(columns.map(([, text]) => text(one)))),
  ].join('\n')}\n`;
}
