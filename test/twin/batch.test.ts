import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse as parseCsv } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../../src/client/http-client.ts';
import type { Dataset } from '../../src/contracts/datasets.ts';
import type { Prediction } from '../../src/contracts/prediction.ts';
import type { Job } from '../../src/contracts/training.ts';
import {
  executionHistory,
  jobEnd,
  type RunningTwin,
  rawRequest,
  runTwin,
  sampleRows,
  trainSample,
} from '../support/running-twin.ts';

const folder = mkdtempSync(join(tmpdir(), 'tenantml-batch-'));
let running: RunningTwin;
let client: HttpClient;

const rows: Record<string, string | number | boolean | null>[] = sampleRows(250).map((row, i) => ({
  id: `r${i}`,
  ...row,
}));
const dateOf = (i: number) => `2026-0${1 + (i % 9)}-1${i % 10}T0${i % 10}:30:00Z`;
const withDates = rows.map((row, i) => ({ ...row, opened: i % 11 === 0 ? null : dateOf(i) }));

beforeAll(async () => {
  running = await runTwin({ functionEnvironment: { BATCH_PART_ROWS: '100' } });
  client = running.client('acme');
  const { dataset_id } = await create(withDates);
  const features = ['amount', 'country', 'is_new', 'age', 'opened'];
  await trainSample(client, 'risk', { dataset_id, features });
  await trainSample(client, 'score', { dataset_id, features, target: 'score' });
});
afterAll(async () => {
  await running?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const create = async (some: object[]): Promise<Dataset> =>
  (await client.call('createDataset', { body: { rows: some as never } })) as Dataset;

const start = (body: Record<string, unknown>) =>
  client.call('batchPredict', { body: body as never }) as Promise<Job>;

async function finished(body: Record<string, unknown>): Promise<Job> {
  const job = await jobEnd(client, (await start(body)).job_id);
  expect(job.error).toBeUndefined();
  return job;
}

async function download(job: Job): Promise<Buffer> {
  const response = await fetch(job.result!.url!);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

async function parquetRows(bytes: Buffer): Promise<Record<string, unknown>[]> {
  const file = join(folder, 'result.parquet');
  writeFileSync(file, bytes);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const read = await connection.runAndReadAll(`SELECT * FROM read_parquet('${file}')`);
  const result = read.getRowObjectsJson();
  connection.closeSync();
  instance.closeSync();
  return result;
}

const online = async (model: string, some: object[]) =>
  (await client.call('predict', {
    params: { model_name: model as never },
    body: { input_data: some as never },
  })) as Prediction[];

describe('a batch prediction', () => {
  it('equals the online predictions of the same rows in Parquet, with the columns asked for beside them', async () => {
    const { dataset_id } = await create(withDates);
    const job = await finished({
      ...{ model_name: 'risk', dataset_id, probabilities: true },
      include_columns: ['id', 'opened'],
    });
    expect(job).toMatchObject({
      ...{ kind: 'batch', model_name: 'risk', model_version: '1.0.0', progress: 1, dataset_id },
      rows: { done: 250, total: 250 },
      result: { format: 'parquet', n_rows: 250, n_failed_rows: 0 },
    });
    const bytes = await download(job);
    expect(bytes.length).toBe(job.result!.bytes);
    const scored = await parquetRows(bytes);
    const expected = await online('risk', withDates);
    expect(scored.map(({ opened: _opened, ...rest }) => rest)).toEqual(
      expected.map(({ prediction, confidence, probabilities }, i) => ({
        ...{ id: `r${i}`, prediction, confidence, probabilities },
        prediction_error: null,
      })),
    );
    expect(scored.map(({ opened }) => opened === null)).toEqual(
      withDates.map(({ opened }) => opened === null),
    );
    const entered = await executionHistory(running.twin, job.job_id, 'Batch');
    expect(entered.filter((state) => state === 'ScorePart')).toHaveLength(3);
    expect(entered).not.toContain('ResolveVersion');
  });

  it('equals them in CSV, where rows with a value of the wrong type fail and no other does', async () => {
    const header = Object.keys(rows[0]!);
    const broken = rows.map((row, i) => ({ ...row, amount: i === 7 || i === 120 ? 'lots' : row.amount }));
    const csv = [header, ...broken.map((row) => header.map((name) => (row as never)[name] ?? ''))]
      .map((cells) => cells.join(','))
      .join('\n');
    const { dataset_id, columns } = (await client.call('createDataset', {
      body: { csv: `${csv.replaceAll('\n', ',\n').replace(',\n', ',opened\n')},\n` },
    })) as Dataset;
    expect(columns.find(({ name }) => name === 'amount')!.type).toBe('category');
    const job = await finished({ model_name: 'score', dataset_id, format: 'csv', include_columns: 'all' });
    expect(job.result).toMatchObject({ format: 'csv', n_rows: 250, n_failed_rows: 2 });
    const scored = parseCsv(await download(job), { columns: true }) as Record<string, string>[];
    const expected = await online(
      'score',
      rows.map(({ amount, ...row }, i) => (i === 7 || i === 120 ? row : { amount, ...row })),
    );
    expect(Object.keys(scored[0]!)).toEqual([...header, 'opened', 'prediction', 'prediction_error']);
    for (const [i, row] of scored.entries()) {
      expect(row.id).toBe(`r${i}`);
      if (i === 7 || i === 120) {
        expect([row.prediction, row.prediction_error]).toEqual(['', 'amount must be a number, got "lots"']);
      } else expect([Number(row.prediction), row.prediction_error]).toEqual([expected[i]!.prediction, '']);
    }
  });

  it('is scored by one version, named or champion, whatever is deployed meanwhile', async () => {
    const { dataset_id } = await create(withDates);
    await trainSample(client, 'risk', {
      ...{ dataset_id, features: ['amount', 'country', 'is_new', 'age', 'opened'] },
      ...{ hyperparameters: { n_estimators: 3 }, auto_promote: false },
    });
    const pinned = await start({ model_name: 'risk', dataset_id });
    expect(pinned.model_version).toBe('1.0.0');
    await client.call('deployModel', {
      params: { model_name: 'risk' as never, model_version: '1.1.0' as never },
    });
    expect(await jobEnd(client, pinned.job_id)).toMatchObject({
      status: 'completed',
      model_version: '1.0.0',
    });
    // The pointer knows 1.1.0 only: the registry is asked for the other, and for a name that nobody has.
    const named = await start({ model_name: 'risk', version: '1.0.0', dataset_id });
    expect(named.model_version).toBeUndefined();
    const byName = await jobEnd(client, named.job_id);
    expect(byName).toMatchObject({ status: 'completed', model_version: '1.0.0' });
    expect(await executionHistory(running.twin, named.job_id, 'Batch')).toContain('ResolveVersion');
    expect(await download(byName)).toEqual(await download(await jobEnd(client, pinned.job_id)));
    const unknown = await start({ model_name: 'risk', version: '9.9.9', dataset_id });
    expect(await jobEnd(client, unknown.job_id)).toMatchObject({
      status: 'failed',
      error: { code: 'VERSION_NOT_FOUND', step: 'resolve-version' },
    });
  });

  it('is refused at once where the champion cannot score the dataset', async () => {
    const { dataset_id } = await create(rows.map(({ amount, ...row }) => ({ ...row, Amount: amount })));
    await expect(start({ model_name: 'score', dataset_id })).rejects.toMatchObject({
      status: 422,
      code: 'FEATURE_COLUMN_MISSING',
      message: expect.stringMatching(/lacks 2 of the 5 .*"amount" \(nearest: "Amount"\), "opened"/),
    });
    await expect(start({ model_name: 'nobody', dataset_id })).rejects.toMatchObject({
      status: 404,
      code: 'MODEL_NOT_FOUND',
    });
    await expect(start({ model_name: 'score', dataset_id: '0'.repeat(64) })).rejects.toMatchObject({
      status: 404,
      code: 'DATASET_NOT_FOUND',
    });
  });

  it('is started once for one Idempotency-Key', async () => {
    const { dataset_id } = await create(withDates);
    const once = () =>
      client.call(
        'batchPredict',
        { body: { model_name: 'score' as never, dataset_id } },
        { idempotencyKey: 'batch-once' },
      ) as Promise<Job>;
    expect((await once()).job_id).toBe((await once()).job_id);
  });
});

describe('a long batch prediction', () => {
  const many = sampleRows(6_000).map((row, i) => ({
    amount: row.amount,
    country: row.country,
    is_new: i % 2 === 0,
    age: 3,
    opened: dateOf(i),
  }));
  let dataset_id: string;
  beforeAll(async () => {
    ({ dataset_id } = await create(many));
  });

  const halfWay = async (job: Job) => {
    await expect
      .poll(
        async () =>
          ((await client.call('getJob', { params: { job_id: job.job_id } })) as Job).rows?.done ?? 0,
        { timeout: 30_000, interval: 10 },
      )
      .toBeGreaterThan(0);
  };

  async function partsOf(job: Job): Promise<Map<string, string>> {
    const s3 = new S3Client({
      region: 'us-east-1',
      endpoint: running.twin.endpoints.s3,
      forcePathStyle: true,
      credentials: running.twin.administrator,
    });
    const bucket = running.twin.template
      .ofType('AWS::S3::Bucket')
      .find(({ logicalId }) => logicalId.startsWith('StagingBucket'))!;
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({
        Bucket: bucket.physicalId,
        Prefix: `tenants/acme/batch/${job.job_id}/parts/`,
      }),
    );
    return new Map(Contents.map(({ Key, LastModified }) => [Key!, LastModified!.toISOString()]));
  }

  it('goes on after kill -9 of its functions, and scores no finished part again', async () => {
    const job = await start({ model_name: 'score', dataset_id, format: 'csv' });
    await halfWay(job);
    const before = await partsOf(job);
    const pids = running.twin.functionPids('batch');
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    const ended = await jobEnd(client, job.job_id);
    expect(ended.error).toBeUndefined();
    expect(ended.result).toMatchObject({ n_rows: 6_000, n_failed_rows: 0 });
    const after = await partsOf(job);
    expect(before.size).toBeLessThan(60);
    expect(after.size).toBe(60);
    for (const [key, modified] of before) expect([key, after.get(key)]).toEqual([key, modified]);
    const scored = parseCsv(await download(ended), { columns: true }) as { prediction: string }[];
    const expected = await online('score', many.slice(5_000));
    expect(scored.slice(5_000).map(({ prediction }) => Number(prediction))).toEqual(
      expected.map(({ prediction }) => prediction),
    );
  });

  it('stops when it is cancelled, and leaves no result', async () => {
    const job = await start({ model_name: 'score', dataset_id });
    await halfWay(job);
    const cancelled = (await client.call('cancelJob', { params: { job_id: job.job_id } })) as Job;
    expect(cancelled.status).toBe('cancelled');
    expect(cancelled.rows!.done).toBeLessThan(6_000);
    const later = (await client.call('getJob', { params: { job_id: job.job_id } })) as Job;
    expect(later).toMatchObject({ status: 'cancelled' });
    expect(later.result).toBeUndefined();
  });
});

describe('rows that came with a call', () => {
  it('end as a JSON list of what the same rows get online, one that cannot be read with its error', async () => {
    const some = withDates.slice(0, 20);
    const answer = await rawRequest(`${running.twin.url}/api/v1/ml/predict/score`, {
      method: 'POST',
      token: await running.twin.issueToken('acme'),
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      body: JSON.stringify({ input_data: [...some, { amount: 'lots' }] }),
    });
    expect([answer.status, answer.json.status], answer.text).toEqual([202, 'queued']);
    const job_id = answer.json.job_id as Job['job_id'];
    expect(answer.headers.get('location')).toBe(`/api/v1/ml/jobs/${job_id}`);
    const job = await jobEnd(client, job_id);
    expect(job).toMatchObject({ kind: 'batch', status: 'completed', rows: { done: 21, total: 21 } });
    expect(job.result).toMatchObject({ format: 'json', n_rows: 21, n_failed_rows: 1 });
    const list = JSON.parse((await download(job)).toString()) as Prediction[];
    const expected = await online('score', some);
    expect(list.slice(0, 20)).toEqual(expected.map(({ prediction_id: _id, ...rest }) => rest));
    expect(list[20]).toMatchObject({ error: { code: 'INVALID_INPUT' } });
  });
});

describe('another tenant', () => {
  it('finds neither dataset, model, job nor result', async () => {
    const { dataset_id } = await create(withDates);
    const job = await finished({ model_name: 'score', dataset_id });
    const stranger = running.client('acme-two');
    await expect(
      stranger.call('batchPredict', { body: { model_name: 'score' as never, dataset_id } }),
    ).rejects.toMatchObject({ status: 404 });
    await expect(stranger.call('getJob', { params: { job_id: job.job_id } })).rejects.toMatchObject({
      status: 404,
      code: 'JOB_NOT_FOUND',
    });
    // A link opens one file: signed for another key it opens nothing.
    const elsewhere = job.result!.url!.replace('/tenants/acme/', '/tenants/acme-two/');
    expect(elsewhere).not.toBe(job.result!.url);
    expect((await rawRequest(elsewhere, {})).status).toBe(403);
  });
});
