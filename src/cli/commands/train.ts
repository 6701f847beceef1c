import { followJob } from '../../client/follow-job.ts';
import type { HttpClient } from '../../client/http-client.ts';
import { datasetFormatOf, uploadDataset } from '../../client/upload-dataset.ts';
import type { Job } from '../../contracts/training.ts';
import { UsageError } from '../exit-code.ts';
import { leaderboardText } from '../leaderboard.ts';
import { bold, type Output, ProgressBar, print, printJson, table } from '../output.ts';

export interface TrainOptions extends Output {
  readonly name: string;
  readonly target: string;
  readonly type?: 'classification' | 'regression';
  readonly algorithm?: string;
  readonly param: readonly string[];
  readonly feature: readonly string[];
  readonly cv?: string;
  readonly cvKind?: string;
  readonly groupColumn?: string;
  readonly timeColumn?: string;
  readonly search?: string;
  readonly candidates?: string;
  readonly searchSpace?: string;
  readonly split?: string;
  readonly testSize?: string;
  readonly minSamples?: string;
  readonly randomState?: string;
  readonly notes?: string;
  readonly retrainEveryDays?: string;
  /** false with --no-promote */
  readonly promote: boolean;
}

type Value = number | string | boolean | null | Record<string, number>;

/** @returns `name=value` pairs as hyperparameters: numbers, true, false, null and JSON objects as such */
export function hyperparametersOf(pairs: readonly string[]): Record<string, Value> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`--param ${pair}: write name=value, such as n_estimators=200`);
      const text = pair.slice(at + 1);
      if (text.startsWith('{'))
        return [pair.slice(0, at), jsonOption(`--param ${pair.slice(0, at)}`, text) as Value];
      const literals: Record<string, Value> = { true: true, false: false, null: null };
      const number = text.trim() === '' ? Number.NaN : Number(text);
      return [
        pair.slice(0, at),
        Object.hasOwn(literals, text) ? literals[text]! : Number.isNaN(number) ? text : number,
      ];
    }),
  );
}

function numberOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new UsageError(`${name} ${text}: must be a number`);
  return value;
}

/** @returns folds of the training part, when any of their options is given */
function crossValidationOf({ cv, cvKind, groupColumn, timeColumn }: TrainOptions) {
  // What a column is given for is what is meant.
  const kind =
    cvKind ??
    (groupColumn === undefined ? undefined : 'group') ??
    (timeColumn === undefined ? undefined : 'time');
  if (cv === undefined && kind === undefined) return undefined;
  return {
    folds: numberOption('--cv', cv),
    kind: kind as never,
    group_column: groupColumn,
    time_column: timeColumn,
  };
}

function searchOf({ search, candidates, searchSpace }: TrainOptions) {
  if (search === undefined) {
    const alone = candidates === undefined ? searchSpace && '--search-space' : '--candidates';
    if (alone) throw new UsageError(`${alone} belongs to --search grid, random or halving`);
    return undefined;
  }
  return {
    method: search as never,
    n_candidates: numberOption('--candidates', candidates),
    space: searchSpace === undefined ? undefined : (jsonOption('--search-space', searchSpace) as never),
  };
}

function jsonOption(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${name} ${text}: is not JSON`);
  }
}

/** Uploads a file, trains on it, follows the job to its end, and says what came out. */
export async function train(client: HttpClient, file: string, options: TrainOptions): Promise<void> {
  const format = datasetFormatOf(file);
  const request = {
    model_type: options.type,
    algorithm: options.algorithm as never,
    hyperparameters: hyperparametersOf(options.param),
    cross_validation: crossValidationOf(options),
    search: searchOf(options),
    features: options.feature.length === 0 ? undefined : [...options.feature],
    split: options.split as never,
    test_size: numberOption('--test-size', options.testSize),
    min_samples: numberOption('--min-samples', options.minSamples),
    random_state: numberOption('--random-state', options.randomState),
    auto_promote: options.promote,
    notes: options.notes,
    // 0 is easier to type than null.
    retrain_every_days:
      numberOption('--retrain-every-days', options.retrainEveryDays) ||
      (options.retrainEveryDays === undefined ? undefined : null),
  };
  const bar = new ProgressBar(options);
  const datasetId = await uploadDataset(client, file, format, bar);
  const { job_id } = await client.call('trainModel', {
    body: {
      model_name: options.name as never,
      dataset_id: datasetId,
      target: options.target,
      ...request,
    },
  });
  const job = await followJob(client, job_id, bar);
  if (options.json) printJson(job);
  else if (!options.quiet) print(summaryOf(job));
}

/** What people look at first; the rest follows by name. */
const metricOrder = [
  'roc_auc',
  'accuracy',
  'f1_score',
  'precision',
  'recall',
  'log_loss',
  'r2',
  'rmse',
  'mae',
  'mape',
];

function summaryOf(job: Job): string {
  const place = (name: string) =>
    metricOrder.includes(name) ? metricOrder.indexOf(name) : metricOrder.length;
  const rows = Object.entries(job.metrics ?? {})
    .sort(([a], [b]) => place(a) - place(b) || a.localeCompare(b))
    .map(([name, value]) => [name, Number(value.toPrecision(6))] as const);
  const seconds = job.training_time === undefined ? '' : ` in ${job.training_time.toFixed(1)} s`;
  const promotion = job.promotion?.decision === 'deploy' ? 'deployed' : 'kept, not deployed';
  const winner = job.algorithm === undefined ? '' : ` with ${job.algorithm}`;
  const leaderboard = leaderboardText(job);
  return [
    `${bold(`${job.model_name} ${job.model_version}`)} trained${winner}${seconds}, ${promotion}: ${job.promotion?.reasons.join('; ') ?? ''}`,
    '',
    ...(leaderboard === undefined ? [] : [leaderboard, '']),
    table(...metricColumns(job, rows)),
  ].join('\n');
}

type Cell = string | number | undefined;

/** The metrics of the model beside those of the folds and of the baselines, where there are any. */
function metricColumns(
  { cross_validation: cv, baselines }: Job,
  rows: readonly (readonly [string, number])[],
): [string[], Cell[][]] {
  const columns: [string, (name: string) => number | undefined][] = [
    ...(cv === undefined
      ? []
      : ([
          [`mean of ${cv.n_folds} folds`, (name) => cv.cv_mean[name]],
          ['±', (name) => cv.cv_std[name]],
        ] as [string, (name: string) => number | undefined][])),
    ...(['naive', 'linear'] as const)
      .filter((role) => baselines?.[role] !== undefined)
      .map((role): [string, (name: string) => number | undefined] => [
        `${role} (test part)`,
        (name) => baselines![role]!.metrics[name],
      ]),
  ];
  return [
    ['metric (test part)', 'value', ...columns.map(([title]) => title)],
    rows.map(([name, value]) => [
      name,
      value,
      ...columns.map(([, of]) => {
        const other = of(name);
        return other === undefined ? undefined : Number(other.toPrecision(6));
      }),
    ]),
  ];
}
