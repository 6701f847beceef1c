import { downloadFile } from '../../client/download-file.ts';
import { followJob } from '../../client/follow-job.ts';
import type { HttpClient } from '../../client/http-client.ts';
import { datasetFormatOf, uploadDataset } from '../../client/upload-dataset.ts';
import type { Job } from '../../contracts/training.ts';
import { UsageError } from '../exit-code.ts';
import { type Output, ProgressBar, print, printJson, table } from '../output.ts';

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
  const fileFormat = file === undefined ? undefined : datasetFormatOf(file);
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
  if (options.output !== undefined) await downloadFile(job.result!.url!, options.output, job.result!.sha256);
  if (options.json) printJson(job);
  else if (!options.quiet) print(summaryOf(job, options.output));
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
