import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../../src/client/http-client.ts';
import { auditKind } from '../../src/contracts/audited.ts';
import type { AuditEntry } from '../../src/contracts/registry.ts';
import { type OperationId, type Route, routes } from '../../src/contracts/routes.ts';
import { createSample, type RunningTwin, rawRequest, runTwin, trainSample } from '../support/running-twin.ts';

let running: RunningTwin;
let client: HttpClient;
let token: string;

beforeAll(async () => {
  running = await runTwin();
  client = running.client('acme');
  token = await running.twin.issueToken('acme');
  const { dataset_id } = await createSample(client);
  await trainSample(client, 'model', { dataset_id });
  await trainSample(client, 'kept', { dataset_id });
});
afterAll(() => running.stop());

const changing = (Object.keys(routes) as OperationId[]).filter((id) => routes[id].method !== 'GET');
const named: Record<string, string> = {
  ...{ model_name: 'model', model_id: 'model', model_version: '1.0.0', alias: 'golden' },
  environment: 'staging',
  ...{ job_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV', upload_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' },
  ...{ key_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV', subject: 'user-x', dataset_id: 'f'.repeat(64) },
};

/** Sends an operation with a body that is taken, where one is needed. @returns its request id */
async function send(id: OperationId, model = 'model'): Promise<string> {
  const route: Route = routes[id];
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'model_name' ? model : (named[name] ?? 'x'),
  );
  const bodies: Partial<Record<OperationId, unknown>> = {
    setAlias: { version: '1.0.0' },
    putServing: { settings: {} },
    putEnvironment: { version: '1.0.0' },
    transitionStage: { stage: 'Archived' },
    createModelVersion: { from_version: '1.0.0' },
    promote: { version: '1.0.0', force: true },
    importRegistry: {
      format: 'tenantml.registry',
      format_version: 1,
      exported_at: '2026-01-31T12:00:00Z',
      models: [],
    },
  };
  const body = bodies[id] ?? route.example ?? {};
  const answer = await rawRequest(`${running.twin.url}${path}`, {
    ...{ method: route.method, token, headers: { 'content-type': 'application/json' } },
    ...(route.body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect([400, 404, 409, 412, 422, 500].includes(answer.status) || answer.status < 300, answer.text).toBe(
    true,
  );
  return answer.headers.get('x-request-id')!;
}

const entriesOf = async (requestId: string): Promise<AuditEntry[]> => {
  const { items } = await client.call('listAudit', { query: { limit: 1_000 } });
  return (items as AuditEntry[]).filter(({ request_id }) => request_id === requestId);
};

describe('the audit log', () => {
  it.each(changing.filter((id) => auditKind(id) === 'trail'))(
    'has an entry for %s, made or refused',
    async (id) => {
      const [entry, ...more] = await entriesOf(await send(id));
      expect(entry, id).toMatchObject({ action: id, actor: 'user-of-acme' });
      expect(entry!.detail.role).toBe('admin');
      expect(more).toEqual([]);
    },
  );

  it('has an entry for every change of the registry that was made', async () => {
    // In an order in which each of them can be made.
    const order: OperationId[] = [
      ...([
        'updateModel',
        'updateVersion',
        'createModelVersion',
        'setAlias',
        'putServing',
        'putEnvironment',
      ] as const),
    ];
    for (const id of order) {
      const entries = await entriesOf(await send(id, 'kept'));
      expect([id, entries.length]).toEqual([id, 1]);
      expect(entries[0]!.subject).toMatch(/^kept(\/|$)/);
    }
    const made = async (work: Promise<unknown>) => {
      await work;
      const { items } = await client.call('listAudit', { query: { limit: 1, subject: 'kept' } });
      return (items as AuditEntry[])[0]!.action;
    };
    const params = { model_name: 'kept' as never };
    const version = (model_version: string) => ({ ...params, model_version });
    const staging = { ...params, environment: 'staging' } as const;
    expect(await made(client.call('deleteEnvironment', { params: staging }))).toBe('withdraw');
    expect(await made(client.call('deployModel', { params: version('1.0.1') }))).toBe('deploy');
    expect(await made(client.call('rollback', { params, body: {} }))).toBe('rollback');
    expect(await made(client.call('promote', { params, body: { version: '1.0.1', force: true } }))).toBe(
      'deploy',
    );
    const stage = { stage: 'Staging', reason: 'again' } as const;
    expect(await made(client.call('transitionStage', { params: version('1.0.0'), body: stage }))).toBe(
      'transition',
    );
    // The first has an alias, the second serves: the third of four is the one that goes.
    for (const from_version of ['1.0.0', '1.0.0'])
      await client.call('createModelVersion', { params, body: { from_version } });
    expect(await made(client.call('archiveOldVersions', { params, body: { keep_latest: 1 } }))).toBe(
      'archive-old-versions',
    );
    expect(await made(client.call('removeAlias', { params: { ...params, alias: 'golden' as never } }))).toBe(
      'remove-alias',
    );
    expect(await made(client.call('deleteModelVersion', { params: version('1.0.0'), query: {} }))).toBe(
      'delete',
    );
    expect(await made(client.call('deleteModel', { params, query: { force: 'true' } }))).toBe('delete');
    const covered = [
      ...order,
      ...([
        'deployModel',
        'rollback',
        'promote',
        'transitionStage',
        'archiveOldVersions',
        'removeAlias',
        'deleteEnvironment',
      ] as const),
      // An import that adds nothing changes nothing; what it adds is shown by the suite of the catalog.
      ...(['deleteModelVersion', 'deleteModel', 'importRegistry'] as const),
    ];
    const owed = changing.filter((id) => auditKind(id) === 'registry');
    expect([...covered].sort()).toEqual([...owed].sort());
  });

  it('says what came of a change: refused ones with their code', async () => {
    const body = { model_name: 'other', dataset_id: 'f'.repeat(64), target: 'y' };
    await expect(client.call('trainModel', { body: body as never })).rejects.toMatchObject({ status: 404 });
    const { items } = await client.call('listAudit', { query: { limit: 1, subject: 'other' } });
    expect(items[0]).toMatchObject({
      action: 'trainModel',
      detail: { after: { target: 'y' }, refused_with: 'DATASET_NOT_FOUND' },
    });
  });

  it('leaves out only what records itself', () => {
    expect(changing.filter((id) => auditKind(id) === undefined).sort()).toEqual(
      [
        ...['infer', 'inferVersion', 'invocations', 'predict', 'predictAlias', 'predictBatch'],
        ...['recordFeedback', 'targetedInvocations'],
      ].sort(),
    );
  });
});
