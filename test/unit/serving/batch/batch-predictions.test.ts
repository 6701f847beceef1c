import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { BatchPredictRequest } from '../../../../src/contracts/batch.ts';
import type { Dataset } from '../../../../src/contracts/datasets.ts';
import {
  type BatchPredictionParts,
  BatchPredictions,
} from '../../../../src/serving/batch/batch-predictions.ts';
import { BatchStarter } from '../../../../src/serving/batch/batch-starter.ts';
import { unsignedManifests } from '../../../../src/serving/manifest-signatures.ts';
import type { ServingPointer } from '../../../../src/serving/serving-pointer.ts';
import type { Executions, RunInput } from '../../../../src/training/executions.ts';
import { jobView } from '../../../../src/training/job-view.ts';
import { TrainingJobs } from '../../../../src/training/training-jobs.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { MemoryBatchFiles } from '../../../support/memory-batch.ts';
import { MemoryJobStore } from '../../../support/memory-job-store.ts';
import { datasetId, hex, newJobId, sampleDataset, sampleManifest } from '../../../support/samples.ts';
import { modelName, tenantA, tenantAb } from '../../../support/tenants.ts';

class Recorder implements Executions {
  readonly started: RunInput[] = [];
  async start(_jobId: string, input: RunInput) {
    this.started.push(input);
  }
  async stop() {}
}

const manifestText = JSON.stringify(sampleManifest());
const pointer: ServingPointer = {
  ...{ model_name: modelName('income'), version: '1.2.0', revision: 3 },
  artifact_key: 'tenants/aa/models/income/builds/20260131T120000Z-1a2b3c4d/model.onnx',
  ...{ artifact_sha256: hex('1'), artifact_bytes: 1_000 },
  manifest_key: 'tenants/aa/models/income/builds/20260131T120000Z-1a2b3c4d/manifest.json',
  manifest_sha256: createHash('sha256').update(manifestText).digest('hex'),
};
const { model_name: _model, revision: _revision, ...pinned } = pointer;
const columns: Dataset['columns'] = [
  { name: 'age', type: 'number', n_missing: 0, n_distinct: 50 },
  { name: 'city', type: 'category', n_missing: 0, n_distinct: 2 },
];

let clock: ManualClock;
let jobs: MemoryJobStore;
let executions: Recorder;
let files: MemoryBatchFiles;
let batches: BatchPredictions;
let starter: BatchStarter;
let dataset: Dataset;
let canary: ServingPointer['canary'];

beforeEach(() => {
  clock = new ManualClock();
  jobs = new MemoryJobStore(clock);
  executions = new Recorder();
  files = new MemoryBatchFiles();
  dataset = sampleDataset({ columns, n_columns: 2 });
  canary = undefined;
  const parts: BatchPredictionParts = {
    ...{ jobs, executions, files, clock, newJobId: () => newJobId() },
    datasets: { get: async (tenant) => (tenant.tenantId === 'aa' ? dataset : undefined) },
    champions: {
      read: async (tenant, model, environment) => {
        if (tenant.tenantId !== 'aa' || model !== 'income' || environment === 'development') return undefined;
        return environment === 'staging'
          ? { ...pointer, environment, version: '1.3.0' }
          : { ...pointer, ...(canary && { canary }) };
      },
    },
    signatures: unsignedManifests,
    versions: {
      bytes: async (_tenant, key) => (key === pointer.manifest_key ? Buffer.from(manifestText) : undefined),
    },
  };
  batches = new BatchPredictions(parts);
  starter = new BatchStarter(parts);
});

const request = (over: object = {}) =>
  BatchPredictRequest.parse({ model_name: 'income', dataset_id: datasetId(), ...over });

describe('starting a batch prediction', () => {
  it('pins the champion, stores the job, then starts its run with no data and no tenant', async () => {
    const job = await batches.start(tenantA, request({ include_columns: ['age'] }));
    expect(await jobs.get(tenantA, job.job_id)).toMatchObject({
      ...{ kind: 'batch', status: 'queued', model_name: 'income', model_version: '1.2.0', pinned },
      batch: {
        ...{ model_name: 'income', dataset_id: datasetId(), format: 'parquet' },
        ...{ include_columns: ['age'], probabilities: false },
      },
    });
    expect(executions.started).toEqual([
      {
        ...{ job_id: job.job_id, deadline: '2026-01-31T13:00:00.000Z' },
        ...{ timeout_seconds: 3_600, pinned: true },
      },
    ]);
  });

  it.each(['1.2.0', '20260131T120000Z-1a2b3c4d', hex('1')])(
    'pins the champion when it is named %s',
    async (version) => {
      expect((await batches.start(tenantA, request({ version }))).pinned).toEqual(pinned);
    },
  );

  it('pins a canary or a shadow when it is named', async () => {
    const other = { ...pinned, version: '1.3.0', artifact_sha256: hex('7') };
    canary = { ...other, weight: 0.1 };
    expect((await batches.start(tenantA, request({ version: '1.3.0' }))).pinned).toEqual(other);
    expect((await batches.start(tenantA, request())).pinned).toEqual(pinned);
  });

  it.each(['1.1.0', '3', '1.2', '20260131T120000Z', hex('2')])(
    'leaves version %s to the step that asks the registry',
    async (version) => {
      const job = await batches.start(tenantA, request({ version }));
      expect([job.pinned, job.model_version]).toEqual([undefined, undefined]);
      expect(executions.started[0]).toMatchObject({ pinned: false });
    },
  );

  it('pins what an environment serves, and asks no other store for it', async () => {
    for (const [version, model_version] of [
      ['production', '1.2.0'],
      ['staging', '1.3.0'],
    ]) {
      const job = await batches.start(tenantA, request({ version }));
      expect(job).toMatchObject({ model_version, pinned: { version: model_version } });
    }
    for (const one of [{ version: 'development' }, { version: 'production', model_name: 'other' }])
      await expect(batches.start(tenantA, request(one))).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  it('is refused without a champion, a dataset, or a column, and then leaves no job', async () => {
    const refused = [
      batches.start(tenantA, request({ model_name: 'other' })),
      batches.start(tenantAb, request()),
    ];
    for (const one of refused) await expect(one).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await expect(batches.start(tenantAb, request({ version: '1.2.0' }))).rejects.toMatchObject({
      code: 'DATASET_NOT_FOUND',
    });
    dataset = sampleDataset({ columns: columns.slice(0, 1) });
    await expect(batches.start(tenantA, request())).rejects.toMatchObject({
      code: 'FEATURE_COLUMN_MISSING',
    });
    expect((await jobs.list(tenantA)).items).toEqual([]);
    expect(executions.started).toEqual([]);
  });
});

describe('starting from rows', () => {
  it('keeps the rows under the job and asks for JSON', async () => {
    const rows = [{ age: 4 }, [5, 'here']];
    const job = await starter.startFromRows(tenantA, { model_name: modelName('income'), rows });
    expect(JSON.parse((await files.rows(tenantA, job.job_id))!.toString())).toEqual(rows);
    expect(job).toMatchObject({ pinned, batch: { format: 'json', probabilities: true } });
    expect(job).not.toHaveProperty('dataset_id');
    expect(executions.started).toHaveLength(1);
  });

  it('scores with the version that is asked for, where it serves', async () => {
    const start = (more: object) =>
      starter.startFromRows(tenantA, { model_name: modelName('income'), rows: [{ age: 4 }], ...more });
    expect(await start({ version: '1.2.0' })).toMatchObject({ pinned, batch: { version: '1.2.0' } });
    expect(await start({ environment: 'staging' })).toMatchObject({
      ...{ model_version: '1.3.0', batch: { version: 'staging' } },
    });
    expect(await start({ environment: 'staging', version: '1.3.0' })).toMatchObject({
      model_version: '1.3.0',
    });
    for (const other of [{ version: '1.3.0' }, { environment: 'staging', version: '1.2.0' }])
      await expect(start(other)).rejects.toMatchObject({ code: 'VERSION_NOT_SERVED' });
    await expect(start({ environment: 'development' })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    expect(executions.started).toHaveLength(3);
  });

  it('is refused for values that are nested too deeply to be kept', async () => {
    const rows = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
    await expect(
      starter.startFromRows(tenantA, { model_name: modelName('income'), rows }),
    ).rejects.toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('too deeply') });
    expect(executions.started).toEqual([]);
  });

  it('is refused for more rows than one call may have', async () => {
    const rows = Array.from({ length: 1_001 }, () => ({ age: 4 }));
    await expect(
      starter.startFromRows(tenantA, { model_name: modelName('income'), rows }),
    ).rejects.toMatchObject({ code: 'TOO_MANY_ROWS' });
  });
});

describe('a job as its tenant sees it', () => {
  it('says how many rows are done, and nothing of how the job works', async () => {
    const job = await batches.start(tenantA, request());
    await jobs.record(tenantA, job.job_id, { parts: { n_rows: 250, rows_per_part: 100 } });
    await jobs.finishPart(tenantA, job.job_id, 2);
    const view = jobView((await jobs.get(tenantA, job.job_id))!);
    expect(view.rows).toEqual({ done: 50, total: 250 });
    for (const inner of ['batch', 'pinned', 'parts', 'parts_done', 'actor'])
      expect(view).not.toHaveProperty(inner);
  });

  it('has a link to its result, made anew each time, until the file goes', async () => {
    const { job_id } = await batches.start(tenantA, request());
    const result = {
      ...{ kept_until: '2026-02-01T00:00:00.000Z', format: 'parquet' as const, bytes: 9 },
      ...{ sha256: hex('3'), n_rows: 2, n_failed_rows: 0 },
    };
    await jobs.end(tenantA, job_id, { status: 'completed', result });
    const stored = (await jobs.get(tenantA, job_id))!;
    expect(stored.result).toEqual(result);
    expect((await batches.view(tenantA, stored)).result).toEqual({
      ...result,
      ...{ url: `memory:aa/${job_id}/result.parquet`, expires_at: '1970-01-01T00:00:00.000Z' },
    });
    clock.advance(12 * 60 * 60_000);
    expect((await batches.view(tenantA, stored)).result).toEqual(result);
  });

  it('is started again when its run never began', async () => {
    const job = await batches.start(tenantA, request());
    const all = new TrainingJobs({
      ...{ jobs, executions, clock, timeoutMinutes: 30, newJobId: () => newJobId() },
      dataset: async () => undefined,
      restartBatch: (one) => batches.run(one),
    });
    await all.get(tenantA, job.job_id);
    expect(executions.started).toHaveLength(1);
    clock.advance(61_000);
    await all.get(tenantA, job.job_id);
    expect(executions.started[1]).toEqual(executions.started[0]);
  });
});
