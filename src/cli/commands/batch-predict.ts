import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { formatOf } from '../../client/dataset-upload.ts';
import type { HttpClient } from '../../client/http-client.ts';
import type { Job } from '../../contracts/training.ts';
import { UsageError } from '../exit-code.ts';
import { followJob } from '../follow-job.ts';
import { type Output, ProgressBar, print, printJson, table } from '../output.ts';
import { uploadDataset } from '../upload-dataset.ts';

export interface BatchPredictOptions extends Output {
  readonly dataset?: string;
  readonly modelVersion?: string;
  readonly format?: 'csv' | 'parquet';
  readonly include: readonly string[];
  readonly includeAll: boolean;
  readonly probabilities: boolean;
  readonly output?: string;
}

/** Scores a dataset, or a file that becomes one, follows the job to its end, and fetches the result. */
export async function batchPredict(
  client: HttpClient,
  model: string,
  file: string | undefined,
  options: BatchPredictOptions,
): Promise<void> {
  if ((file === undefined) === (options.dataset === undefined)) {
    throw new UsageError('give either a file or --dataset ID');
  }
  if (options.includeAll && options.include.length > 0) {
    throw new UsageError('give either --include COLUMN or --include-all');
  }
  const fileFormat = file === undefined ? undefined : formatOf(file);
  if (file !== undefined && fileFormat === undefined) {
    throw new UsageError(
      `${file}: the name must end in .csv, .tsv, .jsonl or .ndjson (each also with .gz), or in .parquet`,
    );
  }
  const bar = new ProgressBar(options);
  const dataset_id =
    file === undefined ? options.dataset! : await uploadDataset(client, file, fileFormat!, bar);
  const started = (await client.call('batchPredict', {
    body: {
      model_name: model as never,
      dataset_id: dataset_id as never,
      version: options.modelVersion as never,
      format: options.format ?? (options.output?.toLowerCase().endsWith('.csv') ? 'csv' : 'parquet'),
      include_columns: options.includeAll ? 'all' : [...options.include],
      probabilities: options.probabilities,
    },
  })) as Job;
  const job = await followJob(client, started.job_id, bar);
  if (options.output !== undefined) await download(job, options.output);
  if (options.json) printJson(job);
  else if (!options.quiet) print(summaryOf(job, options.output));
}

/** Writes the result to a file; one that did not arrive whole is removed. */
async function download({ result }: Job, file: string): Promise<void> {
  const response = await fetch(result!.url!);
  if (!response.ok || response.body === null) {
    throw new Error(`the result could not be fetched: its link answered ${response.status}`);
  }
  try {
    await pipeline(Readable.fromWeb(response.body as never), createWriteStream(file));
  } catch (cause) {
    await rm(file, { force: true });
    throw new Error(`the result could not be written to ${file}: ${(cause as Error).message}`, { cause });
  }
}

function summaryOf({ job_id, model_name, model_version, result }: Job, output: string | undefined): string {
  const { n_rows, n_failed_rows, bytes, format, url, expires_at } = result!;
  return table(
    ['field', 'value'],
    [
      ['job', job_id],
      ['model', `${model_name} ${model_version}`],
      ['rows', `${n_rows}${n_failed_rows === 0 ? '' : `, ${n_failed_rows} of them failed`}`],
      ['result', `${format}, ${bytes} bytes`],
      output === undefined ? ['link', `${url} (until ${expires_at})`] : ['file', output],
    ],
  );
}
