/**
 * The whole product in one run on this machine: starts the twin in a folder of its own, trains on a sample table
 * through HTTP and the state machine, deploys, predicts, prints what happened, and stops.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startTwin } from '../local/main.ts';
import { bold, ProgressBar, print, table } from '../src/cli/output.ts';
import { followJob } from '../src/client/follow-job.ts';
import { HttpClient } from '../src/client/http-client.ts';
import { uploadDataset } from '../src/client/upload-dataset.ts';
import type { ModelName } from '../src/contracts/names.ts';
import type { Prediction } from '../src/contracts/prediction.ts';

const file = fileURLToPath(new URL('../examples/support-tickets.csv', import.meta.url));
const model = 'ticket-priority' as ModelName;

const tickets: Record<string, string | number | boolean>[] = [
  {
    channel: 'phone',
    product: 'api',
    plan: 'enterprise',
    region: 'EMEA',
    seats: 120,
    open_tickets: 3,
    affected_users: 80,
    is_outage_reported: true,
    last_satisfaction: 2,
  },
  {
    channel: 'email',
    product: 'mobile',
    plan: 'free',
    region: 'APAC',
    seats: 1,
    open_tickets: 0,
    affected_users: 0,
  },
];

async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; ms: number }> {
  const startMs = performance.now();
  const result = await work();
  return { result, ms: performance.now() - startMs };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

async function demo(dataDir: string): Promise<void> {
  print(bold('1. Start the platform on this machine, from its CloudFormation template'));
  const started = await timed(() => startTwin({ port: 0, dataDir }));
  const twin = started.result;
  try {
    print(`   ${twin.url} is up after ${seconds(started.ms)}\n`);
    const token = await twin.issueToken('demo');
    const client = new HttpClient(twin.url, async () => token);
    const bar = new ProgressBar({ json: false, quiet: false });

    print(bold('2. Upload examples/support-tickets.csv as tenant "demo"'));
    const upload = await timed(() =>
      uploadDataset(client, file, { format: 'csv', compression: 'none' }, bar),
    );
    const dataset = await client.call('getDataset', { params: { dataset_id: upload.result } });
    const kilobytes = ((await stat(file)).size / 1000).toFixed(0);
    print(
      `   ${kilobytes} kB became ${dataset.n_rows} rows × ${dataset.n_columns} columns in ${seconds(upload.ms)}`,
    );
    print(
      `   dataset ${dataset.dataset_id.slice(0, 16)}…, ${(dataset.parquet_bytes / 1000).toFixed(0)} kB of Parquet\n`,
    );

    print(bold('3. Train through the state machine, register, pass the promotion gate, deploy'));
    const training = await timed(async () => {
      const { job_id } = await client.call('trainModel', {
        body: { model_name: model, dataset_id: upload.result, target: 'priority' },
      });
      return followJob(client, job_id, bar);
    });
    const job = training.result;
    const metric = (name: string) => job.metrics?.[name]?.toFixed(4) ?? '-';
    print(
      `   ${model} ${job.model_version} in ${seconds(training.ms)}; ${job.promotion?.decision}: ${job.promotion?.reasons.join('; ')}`,
    );
    print(
      `   on 20 % held out: accuracy ${metric('accuracy')}, f1_score ${metric('f1_score')}, roc_auc ${metric('roc_auc')}\n`,
    );

    print(bold('4. Predict over HTTP'));
    const predict = () =>
      client.call('predict', { params: { model_name: model }, body: { input_data: tickets } }) as Promise<
        Prediction[]
      >;
    const first = await timed(predict);
    const warmMs: number[] = [];
    for (let i = 0; i < 100; i++) warmMs.push((await timed(predict)).ms);
    warmMs.sort((a, b) => a - b);
    const rows = first.result.map((prediction, i) => [
      Object.values(tickets[i]!).slice(0, 3).join(', '),
      String(prediction.prediction),
      prediction.confidence!.toFixed(3),
      prediction.model_version,
    ]);
    print(
      table(
        ['   ticket', 'prediction', 'confidence', 'version'],
        rows.map(([ticket, ...rest]) => [`   ${ticket}`, ...rest]),
      ),
    );
    print(
      `   first call ${first.ms.toFixed(0)} ms (cold start), then p50 ${warmMs[50]!.toFixed(1)} ms, p99 ${warmMs[98]!.toFixed(1)} ms\n`,
    );
    print(
      'That was the deployed system: the same template, functions and policies that `cdk deploy` takes to AWS.',
    );
  } finally {
    await twin.stop();
  }
}

const dataDir = await mkdtemp(join(tmpdir(), 'tenantml-demo-'));
try {
  await demo(dataDir);
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
