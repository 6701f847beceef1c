import { formatOf } from '../../client/dataset-upload.ts';
import type { HttpClient } from '../../client/http-client.ts';
import type { Job } from '../../contracts/training.ts';
import { UsageError } from '../exit-code.ts';
import { followJob } from '../follow-job.ts';
import { bold, type Output, ProgressBar, print, printJson, table } from '../output.ts';
import { uploadDataset } from '../upload-dataset.ts';

export interface TrainOptions extends Output {
  readonly name: string;
  readonly target: string;
  readonly type?: 'classification' | 'regression';
  readonly algorithm?: string;
  readonly param: readonly string[];
  readonly feature: readonly string[];
  readonly split?: string;
  readonly testSize?: string;
  readonly minSamples?: string;
  readonly randomState?: string;
  readonly notes?: string;
  readonly retrainEveryDays?: string;
  /** false with --no-promote */
  readonly promote: boolean;
}

type Value = number | string | boolean | null;

/** @returns `name=value` pairs as hyperparameters: numbers, true, false and null as such */
export function hyperparametersOf(pairs: readonly string[]): Record<string, Value> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`--param ${pair}: write name=value, such as n_estimators=200`);
      const text = pair.slice(at + 1);
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

/** Uploads a file, trains on it, follows the job to its end, and says what came out. */
export async function train(client: HttpClient, file: string, options: TrainOptions): Promise<void> {
  const format = formatOf(file);
  if (format === undefined) {
    throw new UsageError(
      `${file}: the name must end in .csv, .tsv, .jsonl or .ndjson (each also with .gz), or in .parquet`,
    );
  }
  const request = {
    model_type: options.type,
    algorithm: options.algorithm as never,
    hyperparameters: hyperparametersOf(options.param),
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
  return [
    `${bold(`${job.model_name} ${job.model_version}`)} trained${seconds}, ${promotion}: ${job.promotion?.reasons.join('; ') ?? ''}`,
    '',
    table(['metric (test part)', 'value'], rows),
  ].join('\n');
}
