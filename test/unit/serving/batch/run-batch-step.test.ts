import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Dataset } from '../../../../src/contracts/datasets.ts';
import { KeptDataset } from '../../../../src/data/kept-dataset.ts';
import type { Table } from '../../../../src/ml/table.ts';
import type { BatchParts, BatchState, BatchStepName } from '../../../../src/serving/batch/batch-step.ts';
import type { BatchWork } from '../../../../src/serving/batch/batch-work.ts';
import { LastModel } from '../../../../src/serving/batch/pinned-version.ts';
import { runBatchStep } from '../../../../src/serving/batch/run-batch-step.ts';
import type { FeatureBatch } from '../../../../src/serving/feature-batch.ts';
import { unsignedManifests } from '../../../../src/serving/manifest-signatures.ts';
import type { ServingVariant } from '../../../../src/serving/serving-pointer.ts';
import type { StoredJob } from '../../../../src/training/job-store.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { MemoryBatchEngine, MemoryBatchFiles } from '../../../support/memory-batch.ts';
import { MemoryJobStore } from '../../../support/memory-job-store.ts';
import { datasetId, newJobId, sampleDataset, sampleJob, sampleManifest } from '../../../support/samples.ts';
import { modelName, tenantA } from '../../../support/tenants.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const graph = Buffer.from('graph');
const manifest = Buffer.from(
  JSON.stringify(
    sampleManifest({
      ...{ task: 'regression', classes: undefined },
      features: [{ name: 'age', type: 'number', input: 'age' }],
    }),
  ),
);
const pinned: ServingVariant = {
  ...{ version: '1.0.0', artifact_key: 'graph', artifact_bytes: graph.length, manifest_key: 'manifest' },
  ...{ artifact_sha256: sha256(graph), manifest_sha256: sha256(manifest) },
};
const work: BatchWork = {
  ...{ model_name: modelName('income'), dataset_id: datasetId(), format: 'csv' },
  ...{ include_columns: [], probabilities: false },
};

let clock: ManualClock;
let jobs: MemoryJobStore;
let files: MemoryBatchFiles;
let stored: Map<string, Buffer>;
let dataset: Dataset;
let parts: BatchParts;
let job: StoredJob;
/** Rows of every call of the model, and how often it was loaded. */
let runs: number[];
let loads: number;

const scratch = mkdtempSync(join(tmpdir(), 'batch-step-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const table: Table = {
  nRows: 250,
  columns: [
    {
      name: 'age',
      type: 'number',
      values: Float64Array.from({ length: 250 }, (_, i) => (i === 120 ? 1e300 : i)),
    },
  ],
};

beforeEach(async () => {
  clock = new ManualClock();
  jobs = new MemoryJobStore(clock);
  files = new MemoryBatchFiles();
  stored = new Map([
    ['graph', graph],
    ['manifest', manifest],
  ]);
  runs = [];
  loads = 0;
  dataset = sampleDataset({ n_rows: 250 });
  const datasets = {
    get: async () => dataset,
    fetchParquet: async (_tenant: unknown, _dataset: unknown, toFile: string) => {
      writeFileSync(toFile, '');
      return 0;
    },
  } as never;
  parts = {
    ...{ jobs, files, clock, datasets, resultDays: 30, rowsPerPart: 100, modelLimitBytes: 1024 ** 3 },
    keptDataset: new KeptDataset(datasets),
    signatures: unsignedManifests,
    versions: { bytes: async (_tenant, key) => stored.get(key) },
    lastModel: new LastModel({
      load: async () => {
        loads += 1;
        return {
          ...{ executor: 'typescript', residentBytes: 1, release: async () => {} },
          // Twice the age.
          run: ({ nRows, features }: FeatureBatch) => {
            runs.push(nRows);
            return { values: (features[0]!.data as Float32Array).map((age) => 2 * age) };
          },
        };
      },
    }),
    openEngine: async () => new MemoryBatchEngine(table),
  };
  job = await create();
});

async function create(over: Partial<StoredJob> = {}): Promise<StoredJob> {
  const { request: _request, ...plain } = sampleJob({ job_id: newJobId(), kind: 'batch' });
  const one: StoredJob = { ...plain, batch: work, pinned, ...over };
  await jobs.create(tenantA, one);
  return one;
}

const step = (name: BatchStepName, input: BatchState = {}, of = job) =>
  runBatchStep({ step: name, job_id: of.job_id, deadline: of.deadline, input }, parts, 'r');

const division = { n_rows: 250, rows_per_part: 100 };

describe('plan', () => {
  it('divides the rows and says so in the job', async () => {
    expect(await step('plan')).toEqual({ ...division, parts: [0, 1, 2] });
    expect(await jobs.get(tenantA, job.job_id)).toMatchObject({
      ...{ status: 'running', step: 'plan', parts: division },
    });
  });

  it('refuses a dataset that lacks a feature, and a model that is too large', async () => {
    dataset = sampleDataset({ columns: [{ ...dataset.columns[0]!, name: 'Age' }] });
    await expect(step('plan')).rejects.toMatchObject({ code: 'FEATURE_COLUMN_MISSING' });
    parts = { ...parts, modelLimitBytes: 1_000 };
    await expect(step('plan')).rejects.toMatchObject({ code: 'MODEL_TOO_LARGE' });
  });
});

describe('score', () => {
  it('scores the rows of its part, counts them, and keeps model and data for the next part', async () => {
    expect(await step('score', { ...division, part: 0 })).toEqual({});
    await step('score', { ...division, part: 2 });
    expect([runs, loads]).toEqual([[100, 50], 1]);
    expect([...files.written.keys()]).toEqual([`aa/${job.job_id}/0-100`, `aa/${job.job_id}/200-50`]);
    const after = (await jobs.get(tenantA, job.job_id))!;
    expect(after.parts_done).toEqual([0, 2]);
    // 150 of 250 rows, of the share between 0.05 and 0.9.
    expect(after.progress).toBeCloseTo(0.05 + 0.6 * 0.85, 12);
  });

  it('does not score a part that is there, but counts it, once', async () => {
    await step('score', { ...division, part: 1 });
    runs.length = 0;
    await step('score', { ...division, part: 1 });
    expect(runs).toEqual([]);
    expect((await jobs.get(tenantA, job.job_id))!.parts_done).toEqual([1]);
  });

  it('stops when the job was cancelled, and when its time is over', async () => {
    clock.advance(30 * 60_000);
    await expect(step('score', { ...division, part: 0 })).rejects.toMatchObject({ code: 'TIMED_OUT' });
    await jobs.end(tenantA, job.job_id, { status: 'cancelled' });
    await expect(
      runBatchStep(
        { step: 'score', job_id: job.job_id, deadline: '2099-01-01T00:00:00Z', input: division },
        parts,
        'r',
      ),
    ).rejects.toMatchObject({ code: 'JOB_ENDED' });
    expect(files.written.size).toBe(0);
  });

  it.each([
    ['graph', 'VERSION_NOT_FOUND', undefined],
    ['manifest', 'VERSION_NOT_FOUND', undefined],
    ['graph', 'ARTIFACT_DAMAGED', Buffer.from('grapf')],
    ['manifest', 'ARTIFACT_DAMAGED', Buffer.from('{}')],
  ])('refuses a version whose %s is not the one that was pinned: %s', async (key, code, bytes) => {
    if (bytes === undefined) stored.delete(key);
    else stored.set(key, bytes);
    await expect(step('score', { ...division, part: 0 })).rejects.toMatchObject({ code });
    expect(loads).toBe(0);
  });
});

describe('assemble', () => {
  const scoreAll = async () => {
    for (const part of [2, 0, 1]) await step('score', { ...division, part });
  };

  it('joins the parts in the order of the rows, and counts those that failed', async () => {
    await scoreAll();
    const { result } = await step('assemble', division);
    const bytes = files.written.get(`aa/${job.job_id}/result.csv`)!;
    expect(result).toEqual({
      ...{ format: 'csv', bytes: bytes.length, sha256: sha256(bytes), n_rows: 250, n_failed_rows: 1 },
      kept_until: '2026-03-02T12:00:00.000Z',
    });
    const lines = bytes
      .toString()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ prediction }) => prediction)).toEqual(
      Array.from({ length: 250 }, (_, i) => (i === 120 ? null : 2 * i)),
    );
    expect(lines[120].prediction_error).toBe('age must be a number within ±3.4e38, got 1e+300');
    expect(await files.result(tenantA, job.job_id)).toMatchObject({
      ...{ job_id: job.job_id, model_name: 'income', model_version: '1.0.0' },
      artifact_sha256: pinned.artifact_sha256,
    });
  });

  it('leaves a result that is whole as it is', async () => {
    await scoreAll();
    const first = await step('assemble', division);
    files.written.delete(`aa/${job.job_id}/0-100`);
    clock.advance(60_000);
    expect(await step('assemble', division)).toEqual(first);
  });

  it('makes no result of parts that are not all there', async () => {
    await step('score', { ...division, part: 0 });
    await expect(step('assemble', division)).rejects.toMatchObject({ code: 'BATCH_PART_MISSING' });
    expect(await files.result(tenantA, job.job_id)).toBeUndefined();
  });

  it('keeps the dataset and nothing else between parts, and makes room before it joins them', async () => {
    const before = process.env.TMPDIR;
    process.env.TMPDIR = scratch;
    try {
      await scoreAll();
      const folders = readdirSync(scratch);
      expect(folders).toHaveLength(1);
      expect(readdirSync(join(scratch, folders[0]!))).toEqual(['data.parquet']);
      await step('assemble', division);
      expect(readdirSync(scratch)).toEqual([]);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  });
});

describe('rows that came with the request', () => {
  it('are scored by the last step as an online prediction would, each by itself', async () => {
    const { dataset_id: _none, ...inline } = { ...work, format: 'json' as const, probabilities: true };
    const one = await create({ batch: inline });
    await files.putRows(tenantA, one.job_id, Buffer.from('[{"age":4},{"age":"old"},[5],{"aeg":1}]'));
    const planned = await step('plan', {}, one);
    expect(planned).toEqual({ n_rows: 4, rows_per_part: 4, parts: [] });
    const { result } = await step('assemble', planned, one);
    expect(result).toMatchObject({ format: 'json', n_rows: 4, n_failed_rows: 2 });
    expect(await jobs.get(tenantA, one.job_id)).toMatchObject({ parts: { n_rows: 4 }, parts_done: [0] });
    const list = JSON.parse(files.written.get(`aa/${one.job_id}/result.json`)!.toString());
    const about = { model_id: 'income', model_version: '1.0.0' };
    expect(list).toEqual([
      { prediction: 8, ...about },
      {
        error: expect.objectContaining({
          code: 'INVALID_INPUT',
          detail: expect.stringContaining('age must be a number'),
        }),
      },
      { prediction: 10, ...about },
      { error: expect.objectContaining({ code: 'INVALID_INPUT', errors: expect.any(Array) }) },
    ]);
  });

  it('fail the job when they are gone', async () => {
    const { dataset_id: _none, ...inline } = { ...work, format: 'json' as const };
    const one = await create({ batch: inline });
    await expect(step('plan', {}, one)).rejects.toMatchObject({ code: 'BATCH_ROWS_MISSING' });
  });
});
