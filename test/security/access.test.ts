import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../../src/client/http-client.ts';
import type { Prediction } from '../../src/contracts/prediction.ts';
import { type OperationId, type Route, routes } from '../../src/contracts/routes.ts';
import { roleScopes, roles } from '../../src/contracts/scopes.ts';
import type { ApiKeyCreated } from '../../src/contracts/tenant.ts';
import { clientOf, type RunningTwin, rawRequest, runTwin, trainSample } from '../support/running-twin.ts';

let running: RunningTwin;
let admin: HttpClient;

beforeAll(async () => {
  running = await runTwin();
  admin = running.client('acme');
});
afterAll(() => running.stop());

const ulid = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
/** Ids of the right form that lead to nothing. */
const unknown: Record<string, string> = {
  ...{ dataset_id: '0'.repeat(64), job_id: ulid, upload_id: ulid, key_id: ulid },
  ...{
    model_name: 'none',
    model_id: 'none',
    model_version: '1.0.0',
    subject: 'nobody',
    prediction_id: 'none',
  },
};
const pathOf = (route: Route) => route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => unknown[name]!);
const guarded = (Object.entries(routes) as [OperationId, Route][]).filter(([, route]) => route.authorized);

/** Whether it was the lack of a scope that kept a caller from an operation. The body is none that would change anything. */
async function isForbidden(route: Route, token: string): Promise<boolean> {
  const answer = await rawRequest(`${running.twin.url}${pathOf(route)}`, {
    ...{ method: route.method, token, headers: { 'content-type': 'application/json' } },
    ...(route.method === 'GET' || route.method === 'DELETE' ? {} : { body: '[]' }),
  });
  // Refused for another reason, or done: what fails says nothing of scopes.
  expect(answer.status, answer.text).toBeLessThan(500);
  if (answer.status !== 403) return false;
  expect(answer.text).toMatch(/SCOPE_MISSING|PERMISSION_DENIED/);
  return true;
}

describe('each role on each route', () => {
  it.each(roles)('%s is refused where its scopes say so, and nowhere else', async (role) => {
    const token = await running.twin.issueToken('acme', role);
    for (const [id, route] of guarded) {
      expect([id, await isForbidden(route, token)]).toEqual([id, !roleScopes[role].includes(route.scope!)]);
    }
  });

  it('the scopes of a token narrow an admin to one route in every dialect, and widen no viewer', async () => {
    const narrowed = await running.twin.issueToken('acme', 'admin', { scope: 'openid predict' });
    const widened = await running.twin.issueToken('acme', 'viewer', { scope: 'predict models:read' });
    for (const [id, route] of guarded) {
      expect([id, await isForbidden(route, narrowed)]).toEqual([id, route.scope !== 'predict']);
      expect([id, await isForbidden(route, widened)]).toEqual([id, route.scope !== 'models:read']);
    }
  });

  it('a role that there is not is refused everywhere, with the reason', async () => {
    const token = await running.twin.issueToken('acme', 'owner');
    const answer = await rawRequest(`${running.twin.url}/api/v1/ml/models`, { token });
    expect([answer.status, answer.json.code]).toEqual([403, 'ROLE_UNKNOWN']);
    expect(answer.json.detail).toContain('viewer, data-scientist, deployer, admin, service');
  });
});

describe('what asks for more than its route', () => {
  const scientist = () => clientOf(running.twin.url, () => running.twin.issueToken('acme', 'data-scientist'));
  const model_name = 'none' as never;

  it.each([
    [
      'an import that deploys',
      (client: HttpClient) =>
        client.call('createImport', { params: { model_name }, body: { size_bytes: 1, deploy: true } }),
    ],
    [
      'a forced deletion',
      (client: HttpClient) =>
        client.call('deleteModelVersion', {
          params: { model_name, model_version: '1.0.0' },
          query: { force: 'true' },
        }),
    ],
  ] as const)('%s is refused to a data scientist', async (_, act) => {
    await expect(act(scientist())).rejects.toMatchObject({ status: 403, code: 'SCOPE_MISSING' });
  });

  it('a batch prediction that copies columns is refused to who may not read data', async () => {
    const service = clientOf(running.twin.url, () => running.twin.issueToken('acme', 'service'));
    const body = { model_name, dataset_id: '0'.repeat(64) as never };
    await expect(
      service.call('batchPredict', { body: { ...body, include_columns: 'all' } }),
    ).rejects.toMatchObject({ code: 'SCOPE_MISSING' });
    await expect(service.call('batchPredict', { body })).rejects.toMatchObject({ status: 404 });
  });
});

describe('an API key', () => {
  const make = (body: object) => admin.call('createApiKey', { body: { name: 'k', ...body } as never });
  const asks = (key: ApiKeyCreated, path = '/api/v1/ml/models') =>
    rawRequest(`${running.twin.url}${path}`, { token: key.api_key });

  it('works as bearer token and as password, for what it was made for', async () => {
    const key = await make({ scopes: ['models:read'] });
    expect((await asks(key)).status).toBe(200);
    const basic = Buffer.from(`anybody:${key.api_key}`).toString('base64');
    const headers = { authorization: `Basic ${basic}` };
    expect((await rawRequest(`${running.twin.url}/api/v1/ml/models`, { headers })).status).toBe(200);
    expect((await asks(key, '/api/v1/ml/datasets')).json.code).toBe('SCOPE_MISSING');
  });

  it('is shown once, also to who asks again with the same Idempotency-Key', async () => {
    const options = { idempotencyKey: 'the same' };
    const body = { name: 'twice', role: 'viewer' } as const;
    const first = await admin.call('createApiKey', { body }, options);
    const second = await admin.call('createApiKey', { body }, options);
    expect(first.api_key).not.toBe(second.api_key);
    const { items } = await admin.call('listApiKeys', {});
    expect(items.filter(({ name }) => name === 'twice')).toHaveLength(2);
    expect(JSON.stringify(items)).not.toContain(first.api_key.slice(10));
  });

  it('that was revoked before the gateway saw it is refused', async () => {
    const key = await make({ role: 'admin' });
    await admin.call('revokeApiKey', { params: { key_id: key.key_id } });
    expect((await asks(key)).json.code).toBe('API_KEY_INVALID');
  });

  it('that was revoked makes no other, although the gateway still believes in it', async () => {
    const key = await make({ role: 'admin' });
    const client = clientOf(running.twin.url, async () => key.api_key);
    await client.call('listModels', { query: {} });
    await admin.call('revokeApiKey', { params: { key_id: key.key_id } });
    // What the gateway remembers of the key is what lets it come so far.
    await client.call('listModels', { query: {} });
    for (const act of [
      client.call('createApiKey', { body: { name: 'again', role: 'admin' } }),
      client.call('putMember', { params: { subject: 'x' as never }, body: { role: 'admin' } }),
      client.call('putSettings', { body: { revision: 0 } }),
    ])
      await expect(act).rejects.toMatchObject({ status: 401, code: 'API_KEY_INVALID' });
  });

  it.each([
    ['neither role nor scopes', {}],
    ['both', { role: 'viewer', scopes: ['predict'] }],
    ['a scope that there is not', { scopes: ['models:own'] }],
    ['no scope', { scopes: [] }],
    ['a role that there is not', { role: 'owner' }],
    ['an end in the past', { role: 'viewer', expires_in_days: 0 }],
    ['an end that is no day', { role: 'viewer', expires_in_days: 1.5 }],
    ['a name with a line break', { role: 'viewer', name: 'a\nb' }],
    ['a tenant', { role: 'viewer', tenant: 'other' }],
  ])('is not made with %s', async (_, body) => {
    await expect(make(body)).rejects.toMatchObject({ status: 422, code: 'VALIDATION_FAILED' });
  });
});

describe('settings', () => {
  it('hold for predictions: a lower limit, and what the log keeps', async () => {
    const client = running.client('quiet');
    await trainSample(client, 'm');
    const params = { model_name: 'm' as never };
    await client.call('putServing', { params, body: { settings: { log: 'durable' } } });
    const own = { limits: { requests_per_second: 0.01, burst: 1 }, log_features: 'drop' } as const;
    await client.call('putSettings', { body: { revision: 0, ...own } });
    // The first call of the tenant in any environment: nothing is remembered of settings before.
    const predict = () => client.call('predict', { params, body: { input_data: { amount: 1 } } });
    const { prediction_id } = (await predict()) as Prediction;
    await expect(predict()).rejects.toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    const logged = await client.call('getPrediction', { params: { prediction_id } });
    expect(logged).not.toHaveProperty('features');
    expect(logged).toHaveProperty('features_hash');
  });

  it('of a data scientist are read, and a version that one trains waits for somebody who deploys', async () => {
    const scientist = clientOf(running.twin.url, () => running.twin.issueToken('labs', 'data-scientist'));
    expect(await scientist.call('getSettings', {})).toMatchObject({ plan: 'default' });
    const job = await trainSample(scientist, 'm');
    expect(job).toMatchObject({ status: 'completed', promotion: { decision: 'keep' } });
    await expect(
      scientist.call('deployModel', { params: { model_name: 'm' as never, model_version: '1.0.0' } }),
    ).rejects.toMatchObject({ code: 'SCOPE_MISSING' });
    const deployer = clientOf(running.twin.url, () => running.twin.issueToken('labs', 'deployer'));
    await deployer.call('deployModel', { params: { model_name: 'm' as never, model_version: '1.0.0' } });
  });

  it.each([
    ['no revision', {}],
    ['a threshold above 1', { revision: 0, performance_threshold: 1.1 }],
    ['half a piece of feedback', { revision: 0, retraining_feedback_threshold: 0.5 }],
    ['a limit of nothing', { revision: 0, limits: { requests_per_second: 0 } }],
    ['a limit that there is not', { revision: 0, limits: { gpus: 1 } }],
    ['another plan', { revision: 0, plan: 'gold' }],
    ['more days than the platform keeps anything', { revision: 0, retention: { job_days: 91 } }],
    ['no day', { revision: 0, retention: { prediction_log_days: 0 } }],
    ['privacy of an unknown kind', { revision: 0, log_features: 'sell' }],
  ])('are not changed by %s', async (_, body) => {
    await expect(admin.call('putSettings', { body: body as never })).rejects.toMatchObject({
      ...{ status: 422, code: 'VALIDATION_FAILED' },
    });
  });

  it('are changed by one of two admins who read the same', async () => {
    const { revision } = await admin.call('getSettings', {});
    const body = { revision, performance_threshold: 0.8 };
    expect(await admin.call('putSettings', { body })).toMatchObject({
      ...{ performance_threshold: 0.8, revision: revision + 1, changed_by: 'user-of-acme' },
    });
    await expect(admin.call('putSettings', { body })).rejects.toMatchObject({ code: 'SETTINGS_CHANGED' });
  });
});
