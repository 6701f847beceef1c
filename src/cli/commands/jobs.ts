import type { HttpClient } from '../../client/http-client.ts';
import type { Job } from '../../contracts/training.ts';
import { leaderboardText } from '../leaderboard.ts';
import { type Output, print, printJson, table } from '../output.ts';

export async function listJobs(client: HttpClient, options: Output & { limit: string }): Promise<void> {
  const { items } = await client.call('listJobs', { query: { limit: options.limit } });
  if (options.json) return printJson(items);
  if (items.length === 0) return print('no jobs yet');
  print(
    table(
      ['job', 'kind', 'status', 'step', 'progress', 'model', 'created', 'error'],
      items.map((job) => [
        job.job_id,
        job.kind,
        job.status,
        job.step,
        `${Math.round(job.progress * 100)} %`,
        job.model_name === undefined ? '' : `${job.model_name} ${job.model_version ?? ''}`,
        job.created_at.slice(0, 19),
        job.error?.code,
      ]),
    ),
  );
}

export async function showJob(client: HttpClient, jobId: string, options: Output): Promise<void> {
  printJob((await client.call('getJob', { params: { job_id: jobId as never } })) as Job, options);
}

export async function cancelJob(client: HttpClient, jobId: string, options: Output): Promise<void> {
  printJob((await client.call('cancelJob', { params: { job_id: jobId as never } })) as Job, options);
}

function printJob(job: Job, options: Output): void {
  if (options.json) {
    printJson(job);
    return;
  }
  const { leaderboard: _leaderboard, cross_validation: _folds, baselines: _baselines, ...fields } = job;
  const rows = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
  print(table(['field', 'value'], rows));
  const leaderboard = leaderboardText(job);
  if (leaderboard !== undefined) print(`\n${leaderboard}`);
}
