import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../../src/client/http-client.ts';
import type { DatasetUpload } from '../../src/contracts/datasets.ts';
import type { ImportUpload } from '../../src/contracts/imports.ts';
import type { Prediction } from '../../src/contracts/prediction.ts';
import { type OperationId, type Route, routes } from '../../src/contracts/routes.ts';
import type { Job } from '../../src/contracts/training.ts';
import {
  clientOf,
  createSample,
  jobEnd,
  type RunningTwin,
  rawRequest,
  runTwin,
  trainSample,
} from '../support/running-twin.ts';

/** The owner's name is a prefix of one attacker's, and the other's a prefix of the owner's. */
const owner = 'acme';
const attackers = ['acme-two', 'acm', 'zeta'];

let running: RunningTwin;
let job: Job;
let ids: Record<string, string>;
let ownersKey: string;

beforeAll(async () => {
  running = await runTwin();
  const client: HttpClient = running.client(owner);
  const { dataset_id } = await createSample(client);
  job = await trainSample(client, 'private', { dataset_id });
  const upload = (await client.call('createDataset', {
    body: { upload: { format: 'csv', size_bytes: 8 } },
  })) as DatasetUpload;
  await fetch(upload.url, { method: 'PUT', body: 'a,b\n1,2\n' });
  // Written before it is answered, so that it can be asked for at once.
  await client.call('putServing', {
    params: { model_name: 'private' as never },
    body: { settings: { log: 'durable' } },
  });
  const { prediction_id } = (await client.call('predict', {
    params: { model_name: 'private' as never },
    body: { input_data: { amount: 1 } },
  })) as Prediction;
  const { key_id, api_key } = await client.call('createApiKey', { body: { name: 'private', role: 'admin' } });
  ownersKey = api_key;
  await client.call('putMember', { params: { subject: 'user-7' as never }, body: { role: 'viewer' } });
  ids = {
    key_id,
    subject: 'user-7',
    prediction_id,
    dataset_id,
    job_id: job.job_id,
    upload_id: upload.upload_id,
    model_name: 'private',
    model_id: 'private',
    model_version: '1.0.0',
    alias: 'golden',
    environment: 'staging',
  };
  await client.call('setAlias', {
    params: { model_name: 'private' as never, alias: 'golden' as never },
    body: { version: '1.0.0' },
  });
  await client.call('putEnvironment', {
    params: { model_name: 'private' as never, environment: 'staging' },
    body: { version: '1.0.0' },
  });
});
afterAll(() => running.stop());

const tensors = { inputs: [{ name: 'amount', shape: [1, 1], datatype: 'FP32', data: [1] }] };
const instances = { instances: [{ amount: 1 }] };

/** A body that the owner would succeed with. */
const bodyOf = (id: OperationId): unknown => {
  if (id === 'trainModel') return { model_name: 'stolen', dataset_id: ids.dataset_id, target: 'risk' };
  if (id === 'recordFeedback') return { prediction_id: ids.prediction_id, actual_outcome: 'high' };
  if (id === 'batchPredict') return { model_name: 'private', dataset_id: ids.dataset_id };
  return bodies[id];
};
const bodies: Partial<Record<OperationId, unknown>> = {
  createDataset: { rows: [{ a: 1 }] },
  createImport: { size_bytes: 1 },
  predict: { input_data: { amount: 1 } },
  predictAlias: { amount: 1 },
  predictBatch: { input_batch: [{ amount: 1 }] },
  putServing: { settings: { log: 'off' } },
  ...{ updateModel: { description: 'stolen' }, updateVersion: { notes: 'stolen' } },
  retrainModel: {},
  createModelVersion: { from_version: '1.0.0' },
  transitionStage: { stage: 'Archived', force: true },
  ...{ setAlias: { version: '1.0.0' }, putEnvironment: { version: '1.0.0' } },
  ...{ rollback: {}, promote: { version: '1.0.0', force: true }, archiveOldVersions: { keep_latest: 1 } },
  ...{ infer: tensors, inferVersion: tensors, invocations: instances, targetedInvocations: instances },
};

/** Without these the question is refused before anything is looked up. */
const queryOf: Partial<Record<OperationId, string>> = { compareVersions: '&a=1.0.0&b=golden' };

const pathOf = (route: Route): string => route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name]!);

/** Lists show one's own; what is created belongs to who creates it. Neither names a resource of anyone. */
const namesNoResource = new Set<OperationId>([
  ...([
    'createImport',
    'databaseHealth',
    'createDataset',
    'exportRegistry',
    'importRegistry',
    'listAudit',
    'listDatasets',
    'listJobs',
    'listModels',
    'listPredictions',
    'modelCache',
    'shadowReport',
    'createApiKey',
    'listApiKeys',
    'getSettings',
    'putSettings',
    'listMembers',
    // Answered as for a user of nobody, and without effect: the test of members below.
    'putMember',
  ] as const),
]);
const authorizedRoutes = (Object.keys(routes) as OperationId[]).filter((id) => routes[id].authorized);

describe.each(attackers)('tenant %s', (attacker) => {
  it.each(authorizedRoutes.filter((id) => !namesNoResource.has(id)))(
    "gets 404 for the owner's resource by %s",
    async (id) => {
      const route: Route = routes[id];
      const body = bodyOf(id);
      const request = {
        method: route.method,
        token: await running.twin.issueToken(attacker),
        headers: {
          ...{ 'content-type': 'application/json', 'x-tenant-id': owner, 'x-tenant': owner },
          'x-amzn-sagemaker-target-model': 'private',
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      };
      const answer = await rawRequest(
        `${running.twin.url}${pathOf(route)}?tenant=${owner}&tenant_id=${owner}${queryOf[id] ?? ''}`,
        request,
      );
      expect(answer.status, answer.text).toBe(404);
      const said = {
        native: answer.json.code,
        'open-inference': answer.json.error,
        scoring: answer.json.error_code,
      }[route.dialect ?? 'native'];
      expect(said).toMatch(/^(\w+_NOT_FOUND|RESOURCE_DOES_NOT_EXIST)/);
    },
  );

  it('sees nothing of the owner in any list, even with a cursor of the owner', async () => {
    const client = running.client(attacker);
    for (const id of ['listDatasets', 'listJobs', 'listModels', 'listPredictions', 'listMembers'] as const) {
      expect((await client.call(id, { query: {} })).items).toEqual([]);
    }
    const { items: audited } = await client.call('listAudit', { query: { limit: 1_000 } });
    expect(new Set(audited.map(({ actor }) => actor))).not.toContain(`user-of-${owner}`);
    expect((await client.call('exportRegistry', { query: {} })).models).toEqual([]);
    expect((await client.call('listApiKeys', {})).items).toEqual([]);
    await createSample(running.client(owner), 101);
    const { next_cursor } = await running.client(owner).call('listDatasets', { query: { limit: 1 } });
    expect(next_cursor).toBeDefined();
    expect((await client.call('listDatasets', { query: { cursor: next_cursor } })).items).toEqual([]);
  });
});

describe('a member', () => {
  it.each(attackers)('of the owner is not taken over by %s, who learns nothing', async (attacker) => {
    const client = running.client(attacker);
    const put = async (subject: string) => {
      const body = { role: 'admin' } as const;
      const { changed_at: _, ...member } = await client.call('putMember', {
        params: { subject: subject as never },
        body,
      });
      await client.call('removeMember', { params: { subject: subject as never } });
      return JSON.stringify(member).replaceAll(subject, 'somebody');
    };
    expect(await put('user-7')).toBe(await put('user-of-nobody'));
    expect(
      (await running.client(owner).call('getMember', { params: { subject: 'user-7' as never } })).role,
    ).toBe('viewer');
  });
});

describe('settings', () => {
  it('that another tenant changes are its own', async () => {
    const { revision } = await running.client(owner).call('getSettings', {});
    for (const attacker of attackers)
      await running.client(attacker).call('putSettings', { body: { revision: 0, log_features: 'drop' } });
    expect(await running.client(owner).call('getSettings', {})).toMatchObject({
      revision,
      log_features: 'keep',
    });
  });
});

describe('an import', () => {
  it.each(attackers)(
    "of %s is a model of its own, and the owner's upload stays the owner's",
    async (attacker) => {
      const body = { size_bytes: 8 } as never;
      const params = { model_name: 'private' as never };
      const theirs = (await running.client(owner).call('createImport', { params, body })) as ImportUpload;
      await fetch(theirs.url, { method: 'PUT', body: 'whatever' });
      const complete = { params: { ...params, upload_id: theirs.upload_id } };
      await expect(running.client(attacker).call('completeImport', complete)).rejects.toMatchObject({
        status: 404,
        code: 'UPLOAD_NOT_FOUND',
      });
      // Of the same name, and seen by nobody else; the link leads below the attacker's own prefix.
      const own = (await running.client(attacker).call('createImport', { params, body })) as ImportUpload;
      expect(new URL(own.url).pathname).toContain(`/tenants/${attacker}/`);
    },
  );
});

describe('a batch prediction', () => {
  it.each(attackers)('of %s finds neither the model nor the dataset of the owner', async (attacker) => {
    const client = running.client(attacker);
    const { dataset_id: own } = await createSample(client, 120);
    // The owner's model with a dataset of one's own, by champion and by name; then the reverse.
    await expect(
      client.call('batchPredict', { body: { model_name: 'private' as never, dataset_id: own } }),
    ).rejects.toMatchObject({ status: 404, code: 'MODEL_NOT_FOUND' });
    const named = await client.call('batchPredict', {
      body: { model_name: 'private' as never, version: '1.0.0', dataset_id: own },
    });
    expect(await jobEnd(client, named.job_id)).toMatchObject({
      status: 'failed',
      error: { code: 'MODEL_NOT_FOUND' },
    });
    await expect(
      client.call('batchPredict', {
        body: { model_name: 'private' as never, dataset_id: ids.dataset_id as never },
      }),
    ).rejects.toMatchObject({ status: 404 });
  });
});

describe('the owner', () => {
  it('still has its API key, which acts for the owner and nobody else', async () => {
    const client = clientOf(running.twin.url, async () => ownersKey);
    expect((await client.call('getModel', { params: { model_name: 'private' as never } })).n_versions).toBe(
      1,
    );
  });

  it('still has everything after the attacks, and it still serves', async () => {
    const client = running.client(owner);
    const logged = await client.call('getPrediction', { params: { prediction_id: ids.prediction_id! } });
    expect(logged.features).toMatchObject({ amount: 1 });
    expect((await client.call('getJob', { params: { job_id: job.job_id } })).status).toBe('completed');
    expect((await client.call('getModel', { params: { model_name: 'private' as never } })).n_versions).toBe(
      1,
    );
    expect(
      await client.call('predict', {
        params: { model_name: 'private' as never },
        body: { input_data: { amount: 9 } },
      }),
    ).toHaveProperty('prediction');
  });

  it('cannot be named by a body: a tenant field is an unknown field', async () => {
    const answer = await rawRequest(`${running.twin.url}/api/v1/ml/train`, {
      method: 'POST',
      token: await running.twin.issueToken('zeta'),
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model_name: 'm', dataset_id: ids.dataset_id, target: 'risk', tenant_id: owner }),
    });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain('tenant_id');
  });
});
