import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../../src/client/http-client.ts';
import type { Dataset } from '../../src/contracts/datasets.ts';
import type { MLModelMetadata } from '../../src/contracts/models.ts';
import type { Prediction } from '../../src/contracts/prediction.ts';
import type { Job } from '../../src/contracts/training.ts';
import {
  createSample,
  executionHistory,
  jobEnd,
  type RunningTwin,
  runTwin,
  sampleRows,
  trainSample,
} from '../support/running-twin.ts';

let running: RunningTwin;
let client: HttpClient;

beforeAll(async () => {
  running = await runTwin();
  client = running.client('acme');
});
afterAll(() => running.stop());

const metadataOf = (name: string) =>
  client.call('getModelMetadata', {
    params: { model_name: name as never },
    query: {},
  }) as Promise<MLModelMetadata>;

describe('auto', () => {
  it('ends on the example with a leaderboard, the winner deployed, and its baselines on the test part', async () => {
    const csv = readFileSync(new URL('../../examples/support-tickets.csv', import.meta.url), 'utf8');
    const { dataset_id } = (await client.call('createDataset', {
      body: { name: 'tickets', csv },
    })) as Dataset;
    const job = await trainSample(client, 'tickets', {
      ...{ dataset_id, target: 'priority', algorithm: 'auto', hyperparameters: {} },
      cross_validation: { folds: 3 },
    });
    expect(job.error).toBeUndefined();
    const { leaderboard, baselines, cross_validation, metrics } = job;
    expect(leaderboard!.metric).toBe('log_loss');
    const winner = leaderboard!.entries.find(({ status }) => status === 'winner')!;
    expect(job.algorithm).toBe(winner.algorithm);
    expect(leaderboard!.over_naive).toBeGreaterThan(0);
    expect(leaderboard!.over_linear).toBeGreaterThanOrEqual(0);
    expect(leaderboard!.entries.every(({ seconds }) => seconds! >= 0)).toBe(true);
    expect(cross_validation!.cv_mean.log_loss).toBeCloseTo(winner.mean!, 9);
    expect(metrics!.log_loss).toBeLessThan(baselines!.naive!.metrics.log_loss!);
    expect(baselines!.linear!.metrics).toHaveProperty('roc_auc');

    const { algorithm, manifest } = await metadataOf('tickets');
    expect([algorithm, manifest.algorithm]).toEqual([winner.algorithm, winner.algorithm]);
    expect(manifest.hyperparameters).toMatchObject(winner.hyperparameters);
    expect(manifest.leaderboard!.entries).toEqual(leaderboard!.entries);
    expect(manifest).toMatchObject({ baselines, cross_validation });

    const entered = await executionHistory(running.twin, job.job_id);
    expect(entered.filter((name) => name === 'EvaluateCandidate')).toHaveLength(leaderboard!.n_candidates);
    expect(entered.filter((name) => name === 'Choose')).toHaveLength(1);
  });

  it('can be cancelled while candidates are evaluated, and never says that it goes back', async () => {
    const { job_id } = await client.call('trainModel', {
      body: {
        ...{ model_name: 'cancelled' as never, target: 'score', algorithm: 'auto' },
        dataset_id: (await createSample(client, 20_000)).dataset_id,
      },
    });
    const seen: number[] = [];
    const look = async () => {
      const job = (await client.call('getJob', { params: { job_id } })) as Job;
      seen.push(job.progress);
      return job;
    };
    await expect
      .poll(async () => (await look()).step, { timeout: 20_000, interval: 50 })
      .toBe('evaluate-candidate');
    for (let i = 0; i < 20; i++) await look();
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    const cancelled = (await client.call('cancelJob', { params: { job_id } })) as Job;
    expect(cancelled.status).toBe('cancelled');
    expect(await jobEnd(client, job_id)).not.toHaveProperty('model_version');
    expect((await trainSample(client, 'afterwards')).status).toBe('completed');
  });

  it('serves what won', async () => {
    const [row] = (await client.call('predict', {
      params: { model_name: 'tickets' as never },
      body: { input_data: [{ channel: 'phone', affected_users: 80 }] },
    })) as Prediction[];
    expect(row!.probabilities!.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 5);
  });
});

describe('a search', () => {
  it('finds hyperparameters, keeps what is given, and registers what it found', async () => {
    const job = await trainSample(client, 'searched', {
      ...{ target: 'score', algorithm: 'ridge', hyperparameters: {} },
      search: {
        ...{ method: 'grid', n_candidates: 3 },
        space: { alpha: { type: 'choice', values: [0.001, 1, 100_000] } },
      },
    });
    expect(job.error).toBeUndefined();
    expect(job.leaderboard).toMatchObject({ metric: 'rmse', n_candidates: 3 });
    const { manifest } = await metadataOf('searched');
    expect(manifest.hyperparameters?.alpha).not.toBe(100_000);
  });
});

describe('cross-validation', () => {
  it('gives mean and deviation of every metric, by groups that are not learnt from', async () => {
    const job = await trainSample(client, 'validated', {
      cross_validation: { folds: 3, kind: 'group', group_column: 'country' },
    });
    expect(job.cross_validation).toMatchObject({ kind: 'group', n_folds: 3 });
    expect(job.cross_validation!.cv_mean).toHaveProperty('accuracy');
    expect(job.cross_validation!.cv_std).toHaveProperty('accuracy');
    const { manifest } = await metadataOf('validated');
    expect(manifest.features.map(({ name }) => name)).not.toContain('country');
  });

  it('is no part of a training that does not ask for it', async () => {
    const job = await trainSample(client, 'plain');
    for (const field of ['leaderboard', 'baselines', 'cross_validation', 'algorithm']) {
      expect(job).not.toHaveProperty(field);
    }
    const entered = await executionHistory(running.twin, job.job_id);
    expect(entered).not.toContain('Plan');
    expect((await metadataOf('plain')).manifest).not.toHaveProperty('leaderboard');
  });
});

describe('a training with a limit for slices', () => {
  it('fits in several, each from the checkpoint of the last, and ends with the same bytes', async () => {
    const request = {
      ...{ target: 'score', random_state: 7 },
      hyperparameters: { n_estimators: 2_000, learning_rate: 0.01 },
    };
    const rows = sampleRows(40_000);
    const csv = [Object.keys(rows[0]!), ...rows.map((row) => Object.values(row))].join('\n');
    const datasetIn = async (twin: HttpClient) =>
      ((await twin.call('createDataset', { body: { csv } })) as Dataset).dataset_id;
    const whole = await trainSample(client, 'sliced', { ...request, dataset_id: await datasetIn(client) });
    expect(whole.error).toBeUndefined();
    const slicing = await runTwin({ functionEnvironment: { TRAINING_SLICE_SECONDS: '1' } });
    try {
      const limited = slicing.client('acme');
      const job = await trainSample(limited, 'sliced', {
        ...request,
        dataset_id: await datasetIn(limited),
      });
      expect(job.error).toBeUndefined();
      const fits = (await executionHistory(slicing.twin, job.job_id)).filter((name) => name === 'Fit');
      expect(fits.length).toBeGreaterThan(1);
      expect(
        (await executionHistory(running.twin, whole.job_id)).filter((name) => name === 'Fit'),
      ).toHaveLength(1);
      const metadata = (await limited.call('getModelMetadata', {
        params: { model_name: 'sliced' as never },
        query: {},
      })) as MLModelMetadata;
      expect(metadata.sha256).toBe((await metadataOf('sliced')).sha256);
      expect(job.metrics).toEqual(whole.metrics);
    } finally {
      await slicing.stop();
    }
  });
});
