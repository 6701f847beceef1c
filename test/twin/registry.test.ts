import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../../src/client/http-client.ts';
import type { MLModelMetadata, ModelDetail } from '../../src/contracts/models.ts';
import type { Prediction } from '../../src/contracts/prediction.ts';
import type { DeploymentList, RegistryExport, VersionComparison } from '../../src/contracts/registry.ts';
import {
  createSample,
  jobEnd,
  type RunningTwin,
  rawRequest,
  runTwin,
  trainSample,
} from '../support/running-twin.ts';

let running: RunningTwin;
let client: HttpClient;
let datasetId: string;
const params = { model_name: 'risk' as never };
const of = (model_version: string) => ({ ...params, model_version });
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code });

beforeAll(async () => {
  running = await runTwin();
  client = running.client('acme');
  datasetId = (await createSample(client)).dataset_id;
  await trainSample(client, 'risk', { dataset_id: datasetId });
  const other = { hyperparameters: { n_estimators: 5 }, auto_promote: false };
  await trainSample(client, 'risk', { dataset_id: datasetId, ...other });
});
afterAll(() => running.stop());

/** Settings take a moment until they are known everywhere. */
async function untilWritten<Result>(ask: () => Promise<Result>): Promise<Result> {
  const endsMs = performance.now() + 5_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > endsMs) throw error;
    }
  }
}

const predict = () =>
  client.call('predict', { params, body: { input_data: { amount: 9 } } }) as Promise<Prediction>;

describe('the nine routes of the seed', () => {
  it('train, deploy, tell performance, take feedback, retrain, list, show, delete, and say that they are up', async () => {
    // 1: train (above, and here), 7: list with filters.
    const job = await trainSample(client, 'nine', { dataset_id: datasetId });
    expect(job).toMatchObject({ status: 'completed', model_version: '1.0.0' });
    const listed = await client.call('listModels', { query: { task: 'classification', search: 'NIN' } });
    expect(listed.items.map(({ model_name }) => model_name)).toEqual(['nine']);
    const nine = { model_name: 'nine' as never };
    // 2: deploy.
    expect(await client.call('deployModel', { params: { ...nine, model_version: '1.0.0' } })).toMatchObject({
      model_version: '1.0.0',
      status: 'deployed',
    });
    // 4 and 3: feedback for predictions, then what it says.
    await client.call('putServing', { params: nine, body: { settings: { log: 'durable' } } });
    let right = 0;
    for (let i = 0; i < 50; i++) {
      const { prediction, prediction_id } = (await client.call('predict', {
        ...{ params: nine, body: { input_data: { amount: i / 5 } } },
      })) as Prediction;
      const actual = i % 10 === 0 ? (prediction === 'high' ? 'low' : 'high') : prediction;
      const answer = await client.call('recordFeedback', { body: { prediction_id, actual_outcome: actual } });
      expect(answer).toMatchObject({ predicted: prediction, actual_outcome: actual, model_version: '1.0.0' });
      if (answer.is_correct) right++;
      // Said again it counts once.
      if (i === 0) await client.call('recordFeedback', { body: { prediction_id, actual_outcome: actual } });
    }
    const performance = await client.call('getPerformance', { params: nine, query: {} });
    expect(performance).toMatchObject({ status: 'healthy', threshold: 0.7, live: { n_samples: 50 } });
    expect(performance.live.metrics.accuracy).toBe(right / 50);
    expect(right).toBe(45);
    await refused(
      client.call('recordFeedback', { body: { prediction_id: 'nothing', actual_outcome: 'high' } }),
      'PREDICTION_NOT_FOUND',
    );
    // 5: metadata.
    const metadata = (await client.call('getModelMetadata', { params: nine, query: {} })) as MLModelMetadata;
    expect(metadata).toMatchObject({ version: '1.0.0', champion: true, stage: 'Production' });
    // 6: retrain, one at a time.
    const both = await Promise.allSettled(
      [1, 2].map(() => client.call('retrainModel', { params: nine, body: { notes: 'again' } })),
    );
    const [won] = both.filter((one) => one.status === 'fulfilled');
    expect(both.filter(({ status }) => status === 'rejected')).toMatchObject([
      { reason: { status: 409, code: 'RETRAINING_IN_PROGRESS' } },
    ]);
    const end = await jobEnd(client, won!.value.job_id as never);
    expect(end).toMatchObject({ status: 'completed', model_version: '1.1.0', trigger: 'retrain' });
    expect(end.promotion).toMatchObject({ decision: 'keep' });
    // What was known of the version that serves is in the database now, for whoever asks in SQL.
    const sql = running.twin.database.connect();
    try {
      const [told] = await sql`
        SELECT count(*)::int AS n, count(*) FILTER (WHERE predicted = actual)::int AS right FROM model_feedback
        WHERE tenant_id = 'acme' AND model_name = 'nine' AND model_version = '1.0.0'`;
      expect(told).toEqual({ n: 50, right });
      const [day] = await sql`
        SELECT n_samples, metrics FROM model_performance WHERE tenant_id = 'acme' AND model_name = 'nine'`;
      expect(day).toMatchObject({ n_samples: 50, metrics: { accuracy: right / 50 } });
    } finally {
      await sql.end();
    }
    const next = await client.call('retrainModel', { params: nine, body: {} });
    await client.call('cancelJob', { params: { job_id: next.job_id as never } });
    // 8: delete, 9: health.
    await client.call('deleteModelVersion', {
      ...{ params: { ...nine, model_version: '1.1.0' }, query: { force: 'false' } },
    });
    const { versions } = (await client.call('getModel', { params: nine })) as ModelDetail;
    expect(versions.map(({ version }) => version)).toEqual(['1.0.0']);
    const { status, checks } = await client.call('health', {});
    expect(status).toBe('healthy');
    expect(Object.entries(checks).map(([name, check]) => [name, check.status])).toEqual(
      ['serving', 'store', 'cache', 'queue', 'database'].map((name) => [name, 'healthy']),
    );
    expect(checks.database).toHaveProperty('checked_at');
    expect(await client.call('databaseHealth', {})).toMatchObject({ status: 'healthy' });
  });
});

describe('a version', () => {
  it('goes through the stages, and past Staging by force only', async () => {
    const to = (stage: string, force = false) =>
      client.call('transitionStage', { params: of('1.1.0'), body: { stage, force } as never });
    await refused(to('Production'), 'STAGE_TRANSITION_REFUSED');
    expect(await to('Staging')).toMatchObject({ stage: 'Staging', champion: false });
    expect(await to('Production')).toMatchObject({ stage: 'Production', champion: true });
    expect((await predict()).model_version).toBe('1.1.0');
    const back = await client.call('rollback', { params, body: { reason: 'test' } });
    expect(back).toMatchObject({ decision: 'deployed', model_version: '1.0.0', reason: 'in place of 1.1.0' });
    const { items, production_at } = (await client.call('listDeployments', {
      ...{ params, query: { at: '2999-01-01T00:00:00Z' } },
    })) as DeploymentList;
    expect(items[0]).toMatchObject({ action: 'rollback', model_version: '1.0.0', previous_version: '1.1.0' });
    expect(production_at).toMatchObject({ model_version: '1.0.0' });
  });

  it('is compared, and promoted only when it is better', async () => {
    const compared = (await client.call('compareVersions', {
      ...{ params, query: { a: 'champion', b: '1.1.0' } },
    })) as VersionComparison;
    expect(compared).toMatchObject({
      a: '1.0.0',
      b: '1.1.0',
      newer: 'b',
      same_data: true,
      same_holdout: true,
    });
    expect(compared.hyperparameters).toEqual([{ name: 'n_estimators', a: 10, b: 5 }]);
    // Nothing is better by a whole f1 score.
    const body = { version: '1.1.0', improvement_threshold: 1, reason: 'smaller' };
    const promote = (force: boolean) => client.call('promote', { params, body: { ...body, force } });
    expect(await promote(false)).toMatchObject({ decision: 'kept', champion_version: '1.0.0' });
    expect(await promote(true)).toMatchObject({ decision: 'deployed', champion_version: '1.1.0' });
    const { items } = await client.call('listAudit', { query: { subject: 'risk/1.1.0', action: 'deploy' } });
    expect(items[0]!.detail).toMatchObject({ forced: true, reason: 'smaller' });
  });

  it('has a card, as JSON and as a page', async () => {
    const card = await client.call('getModelCard', { params: of('1.0.0'), query: {} });
    expect(card.summary).toMatch(
      /^risk 1\.0\.0 is a classification model that predicts risk from \d features/,
    );
    const page = await rawRequest(
      `${running.twin.url}/api/v1/ml/models/risk/versions/1.0.0/card?format=markdown`,
      { token: await running.twin.issueToken('acme') },
    );
    expect(page.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(page.text).toMatch(/^# risk 1\.0\.0\n/);
  });
});

describe('an environment', () => {
  const risk = { model_name: 'tried' as never };
  const version = async (environment?: 'development' | 'staging' | 'production') =>
    (
      (await client.call('predict', {
        params: risk,
        query: environment === undefined ? {} : { environment },
        body: { input_data: { amount: 9 } },
      })) as Prediction
    ).model_version;

  it('serves a version to those who ask for it, within five seconds of the answer', async () => {
    await trainSample(client, 'tried', { dataset_id: datasetId });
    const other = { hyperparameters: { n_estimators: 5 }, auto_promote: false };
    await trainSample(client, 'tried', { dataset_id: datasetId, ...other });
    await refused(version('staging'), 'MODEL_NOT_FOUND');
    const to = (model_version: string) =>
      client.call('putEnvironment', {
        params: { ...risk, environment: 'staging' },
        body: { version: model_version },
      });
    expect(await to('1.1.0')).toMatchObject({ environment: 'staging', model_version: '1.1.0' });
    expect([await version(), await version('production'), await version('staging')]).toEqual([
      ...['1.0.0', '1.0.0', '1.1.0'],
    ]);
    await to('1.0.0');
    const endsMs = performance.now() + 5_000;
    while ((await version('staging')) !== '1.0.0') expect(performance.now()).toBeLessThan(endsMs);
    await to('1.1.0');
    const { items } = await client.call('listEnvironments', { params: risk });
    expect(items).toMatchObject([
      { environment: 'development' },
      { environment: 'staging', model_version: '1.1.0', actor: 'user-of-acme' },
      { environment: 'production', model_version: '1.0.0' },
    ]);
    expect(items[0]).not.toHaveProperty('model_version');
  });

  it('is found in the log, and scores jobs', async () => {
    const token = await running.twin.issueToken('acme');
    const answer = await rawRequest(`${running.twin.url}/api/v1/ml/predict/tried?environment=staging`, {
      ...{ method: 'POST', token, body: JSON.stringify({ input_data: [{ amount: 1 }] }) },
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
    });
    expect(await jobEnd(client, answer.json.job_id as never)).toMatchObject({ model_version: '1.1.0' });
    const started = await client.call('batchPredict', {
      body: { ...risk, version: 'staging', dataset_id: datasetId } as never,
    });
    expect(await jobEnd(client, started.job_id)).toMatchObject({
      ...{ status: 'completed', model_version: '1.1.0' },
    });
    await refused(
      client.call('batchPredict', {
        body: { ...risk, version: 'development', dataset_id: datasetId } as never,
      }),
      'MODEL_NOT_FOUND',
    );
    await client.call('putServing', { params: risk, body: { settings: { log: 'durable' } } });
    const { prediction_id } = await untilWritten(async () => {
      const asked = (await client.call('predict', {
        ...{ params: risk, query: { environment: 'staging' }, body: { input_data: { amount: 9 } } },
      })) as Prediction;
      return client.call('getPrediction', { params: { prediction_id: asked.prediction_id } });
    });
    const logged = await client.call('getPrediction', { params: { prediction_id } });
    expect(logged).toMatchObject({ model_version: '1.1.0', environment: 'staging' });
  });

  it('is tried before production, which takes what it serves', async () => {
    const promoted = await client.call('promote', {
      params: risk,
      body: { version: 'staging', force: true, reason: 'tests passed' },
    });
    expect(promoted).toMatchObject({ decision: 'deployed', model_version: '1.1.0' });
    const { items } = await client.call('listStageTransitions', {
      params: { ...risk, model_version: '1.1.0' },
    });
    expect(items.map(({ to_stage }) => to_stage)).toEqual(['Staging', 'Production']);
    await client.call('deleteEnvironment', { params: { ...risk, environment: 'staging' } });
    await refused(
      client.call('deleteEnvironment', { params: { ...risk, environment: 'staging' } }),
      'NOTHING_DEPLOYED',
    );
  });

  it('of the name production is changed by deploying only', async () => {
    await expect(
      client.call('putEnvironment', {
        params: { ...risk, environment: 'production' as never },
        body: { version: '1.0.0' },
      }),
    ).rejects.toMatchObject({ status: 422, message: expect.stringContaining('POST /api/v1/ml/deploy/') });
  });
});

describe('a change', () => {
  it('is made on top of what was read, or not at all', async () => {
    const token = await running.twin.issueToken('acme');
    const url = `${running.twin.url}/api/v1/ml/models/risk`;
    const etag = (await rawRequest(url, { token })).headers.get('etag')!;
    const change = (ifMatch: string) =>
      rawRequest(url, {
        ...{ method: 'PATCH', token, body: JSON.stringify({ tags: { team: 'fraud' } }) },
        headers: { 'content-type': 'application/json', 'if-match': ifMatch },
      });
    const made = await change(etag);
    expect([made.status, made.json.tags]).toEqual([200, { team: 'fraud' }]);
    expect(made.headers.get('etag')).not.toBe(etag);
    expect((await change(etag)).status).toBe(412);
    expect((await change('"seven"')).json.code).toBe('IF_MATCH_INVALID');
    expect((await change('*')).status).toBe(200);
  });
});

describe('a registry', () => {
  it('is exported and taken in by another tenant without anything that could serve there', async () => {
    const document = (await client.call('exportRegistry', { query: {} })) as RegistryExport;
    const other = running.client('other');
    const result = await other.call('importRegistry', { body: document as never });
    expect(result.models_created).toBe(document.models.length);
    expect(result.versions_without_bytes).toContain('risk/1.0.0');
    await refused(other.call('deployModel', { params: of('1.0.0') }), 'VERSION_NOT_VERIFIED');
    // Taken in where its bytes are, it is there already.
    expect(await client.call('importRegistry', { body: document as never })).toMatchObject({
      ...{ models_created: 0, versions_created: 0 },
    });
  });
});

describe('a model that is deleted', () => {
  it('serves no more at once, and nothing of it is left but history', async () => {
    await trainSample(client, 'gone', { dataset_id: datasetId });
    const gone = { model_name: 'gone' as never };
    await refused(client.call('deleteModel', { params: gone, query: {} }), 'MODEL_DEPLOYED');
    const link = await client.call('getModelArtifact', { params: { ...gone, model_version: '1' } });
    expect((await fetch(link.url)).status).toBe(200);
    expect(await client.call('deleteModel', { params: gone, query: { force: 'true' } })).toMatchObject({
      ...{ versions: ['1.0.0'], status: 'deleted' },
    });
    // Who may not list the bucket is not told that an object is missing.
    expect((await fetch(link.url)).status).toBe(403);
    await refused(client.call('getModel', { params: gone }), 'MODEL_NOT_FOUND');
    const { items } = await client.call('listAudit', { query: { subject: 'gone' } });
    expect(items.map(({ action }) => action)).toEqual([
      ...['delete', 'delete', 'withdraw', 'deploy', 'register', 'trainModel'],
    ]);
  });
});
