import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { problemOf } from '../../../src/contracts/problem-status.ts';
import { environmentKept } from '../../support/environment.ts';
import { datasetId, newJobId } from '../../support/samples.ts';

interface Received {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}
type Answer = { status?: number; body?: unknown; problem?: string };

let server: Server;
let url: string;
let received: Received[];
let answers: Record<string, Answer | ((request: Received) => Answer)>;
let out: string;
let err: string;
const folder = mkdtempSync(join(tmpdir(), 'tenantml-cli-'));
const restore = environmentKept();

const bodyOf = async (request: IncomingMessage) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const text = await bodyOf(request);
    const isJson = request.headers['content-type']?.includes('json');
    const one: Received = {
      method: request.method!,
      url: request.url!,
      authorization: request.headers.authorization,
      body: isJson ? JSON.parse(text) : text,
    };
    received.push(one);
    const found = answers[`${one.method} ${one.url.split('?')[0]}`] ?? { problem: 'ROUTE_NOT_FOUND' };
    const { problem, ...answer } = typeof found === 'function' ? found(one) : found;
    const refusal =
      problem === undefined
        ? undefined
        : problemOf({ code: problem, message: `refused: ${problem}` }, { instance: one.url, requestId: 'r' });
    response.statusCode = refusal?.status ?? answer.status ?? 200;
    response.end(JSON.stringify(refusal ?? answer.body ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  received = [];
  answers = {};
  out = '';
  err = '';
  process.env.TENANTML_URL = url;
  process.env.TENANTML_TOKEN = 'a-token';
  process.env.NO_COLOR = '1';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  restore();
});

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe('the command line', () => {
  it.each([
    [['--help'], 0],
    [['--version'], 0],
    [['train', '--help'], 0],
    [['no-such-command'], 2],
    [['train'], 2],
    [['train', 'x.csv'], 2],
    [['train', 'x.csv', '--name', 'm'], 2],
    [['train', 'x.csv', '--name', 'm', '--target', 'y', '--type', 'clustering'], 2],
    [['train', 'x.csv', '--name', 'm', '--target', 'y', '--no-such-option'], 2],
    [['train', 'x.xlsx', '--name', 'm', '--target', 'y'], 2],
    [['train', 'no-such-file.csv', '--name', 'm', '--target', 'y'], 2],
    [['predict', 'm'], 2],
    [['predict', 'm', '--input', '{}', '--file', 'x.json'], 2],
    [['predict', 'm', '--input', '{age:1}'], 2],
    [['predict', 'm', '--file', 'no-such-file.json'], 2],
    [['models', 'deploy', 'm'], 2],
    [['token'], 2],
  ])('%j ends with %i, without a request', async (argv, code) => {
    expect(await main(argv)).toBe(code);
    expect(received).toEqual([]);
    expect([out !== '', err !== '']).toEqual(code === 0 ? [true, false] : [false, true]);
  });

  it.each([
    ['--param', 'n_estimators', 'write name=value'],
    ['--param', '=5', 'write name=value'],
    ['--test-size', 'much', 'must be a number'],
    ['--min-samples', '', 'must be a number'],
  ])('train %s %j is wrong before anything is sent', async (option, value, message) => {
    const data = file('data.csv', 'a,y\n1,2\n');
    expect(await main(['train', data, '--name', 'm', '--target', 'y', option, value])).toBe(2);
    expect(err).toContain(message);
    expect(received).toEqual([]);
  });

  it.each([
    ['TOKEN_INVALID', 4],
    ['TENANT_CLAIM_INVALID', 4],
    ['MODEL_NOT_FOUND', 5],
    ['VALIDATION_FAILED', 1],
    ['VERSION_DEPLOYED', 1],
    ['DATABASE_RESUMING', 1],
    ['INTERNAL', 1],
  ])('a refusal with %s ends with %i, said on stderr only', async (problem, code) => {
    answers['GET /api/v1/ml/models/m'] = { problem };
    expect(await main(['models', 'show', 'm'])).toBe(code);
    expect([out, err]).toEqual(['', `error: refused: ${problem}\n`]);
    err = '';
    expect(await main(['models', 'show', 'm', '--json'])).toBe(code);
    expect(JSON.parse(err)).toMatchObject({ error: { code: problem, request_id: 'r' } });
  });

  it('says that nobody answers', async () => {
    process.env.TENANTML_URL = 'http://127.0.0.1:9';
    expect(await main(['models'])).toBe(1);
    expect(err).toContain('nothing answers at http://127.0.0.1:9');
  });

  it('survives an answer that is no JSON', async () => {
    answers['GET /api/v1/ml/models/m'] = { status: 502, body: undefined };
    expect(await main(['models', 'show', 'm'])).toBe(1);
    expect(err).toContain('502');
  });
});

describe('who the command line is', () => {
  it('sends the token of the environment', async () => {
    answers['GET /api/v1/ml/models'] = { body: { items: [] } };
    expect(await main(['models', 'list', '--json'])).toBe(0);
    expect([out, received[0]!.authorization]).toEqual(['[]\n', 'Bearer a-token']);
  });

  it('asks the twin for a token of tenant demo when there is none', async () => {
    delete process.env.TENANTML_TOKEN;
    answers['POST /_twin/identity/token'] = { body: { access_token: 'demo-token', expires_in: 60 } };
    answers['GET /api/v1/ml/models'] = { body: { items: [] } };
    expect(await main(['models'])).toBe(0);
    expect(received.map(({ body, authorization }) => [body, authorization])).toEqual([
      [{ tenant: 'demo' }, undefined],
      ['', 'Bearer demo-token'],
    ]);
  });

  it('asks no other machine for a token', async () => {
    delete process.env.TENANTML_TOKEN;
    process.env.TENANTML_URL = 'https://ml.example.com';
    expect(await main(['models'])).toBe(2);
    expect(err).toContain('set TENANTML_TOKEN');
    expect(await main(['token', '--tenant', 'acme'])).toBe(2);
  });

  it('prints a token and nothing else', async () => {
    answers['POST /_twin/identity/token'] = { body: { access_token: 'abc', expires_in: 60 } };
    expect(await main(['token', '--tenant', 'acme', '--role', 'viewer'])).toBe(0);
    expect([out, received[0]!.body]).toEqual(['abc\n', { tenant: 'acme', role: 'viewer' }]);
  });
});

describe('keys', () => {
  const key = {
    key_id: 'K1',
    name: 'shop',
    prefix: 'tml_abcdef',
    scopes: ['predict'],
    created_by: 'me',
    created_at: '2026-01-01T00:00:00Z',
  };

  it('prints a new key alone, so that a script can take it', async () => {
    answers['POST /api/v1/ml/api-keys'] = {
      status: 201,
      body: { ...key, role: 'service', api_key: 'tml_secret' },
    };
    expect(await main(['keys', 'create', 'shop', '--role', 'service', '--expires-in-days', '7'])).toBe(0);
    expect([out, received[0]!.body]).toEqual([
      'tml_secret\n',
      { name: 'shop', role: 'service', expires_in_days: 7 },
    ]);
    await main(['keys', 'create', 'shop', '--scope', 'predict', '--scope', 'models:read']);
    expect(received[1]!.body).toEqual({ name: 'shop', scopes: ['predict', 'models:read'] });
  });

  it.each([
    [['create', 'x']],
    [['create', 'x', '--role', 'admin', '--scope', 'predict']],
    [['create', 'x', '--role', 'owner']],
    [['create', 'x', '--role', 'admin', '--expires-in-days', 'soon']],
  ])('is wrong with %j, and sends nothing', async (argv) => {
    expect(await main(['keys', ...argv])).toBe(2);
    expect(received).toEqual([]);
  });

  it('lists what is known of keys, and revokes by id', async () => {
    answers['GET /api/v1/ml/api-keys'] = { body: { items: [key] } };
    answers['DELETE /api/v1/ml/api-keys/K1'] = { body: { key_id: 'K1', status: 'revoked' } };
    expect(await main(['keys'])).toBe(0);
    expect(out).toMatch(/K1 +shop +tml_abcdef… +predict +me +2026-01-01 +never/);
    expect(await main(['keys', 'revoke', 'K1'])).toBe(0);
    expect(out).toContain('K1 is revoked');
  });
});

describe('members', () => {
  it('are set and removed', async () => {
    const member = { subject: 'u', role: 'viewer', changed_by: 'me', changed_at: '2026-01-01T00:00:00Z' };
    answers['PUT /api/v1/ml/members/u'] = { body: member };
    answers['DELETE /api/v1/ml/members/u'] = { body: { subject: 'u', status: 'removed' } };
    answers['GET /api/v1/ml/members'] = { body: { items: [member] } };
    for (const argv of [['set', 'u', '--role', 'viewer'], ['remove', 'u'], []])
      expect(await main(['members', ...argv])).toBe(0);
    expect(received[0]!.body).toEqual({ role: 'viewer' });
    expect(out).toMatch(/u +viewer +me +2026-01-01/);
    expect(await main(['members', 'set', 'u'])).toBe(2);
  });
});

describe('settings', () => {
  const view = {
    ...{ revision: 3, plan: 'gold', agreed: { burst: 9 }, limits: { burst: 5 }, log_features: 'hash' },
    ...{ performance_threshold: 0.7, retraining_feedback_threshold: 50 },
    retention: { prediction_log_days: 90, job_days: 30 },
    own: { limits: { burst: 5 }, log_features: 'hash', retention: { job_days: 30 } },
  };
  beforeEach(() => {
    answers['GET /api/v1/ml/settings'] = { body: view };
    answers['PUT /api/v1/ml/settings'] = ({ body }) => ({ body: { ...view, revision: 4, own: body } });
  });

  it('show what holds, what is set and what is agreed', async () => {
    expect(await main(['settings'])).toBe(0);
    expect(out).toMatch(/limits.burst +5 +5 +9/);
    expect(out).toMatch(/performance_threshold +0.7 +- +-/);
  });

  it('change what is named, and leave the rest', async () => {
    const pairs = ['limits.max_models=2', 'limits.burst=', 'performance_threshold=0.9'];
    expect(await main(['settings', 'set', ...pairs])).toBe(0);
    expect(received[1]!.body).toEqual({
      ...{ revision: 3, limits: { max_models: 2 }, performance_threshold: 0.9 },
      ...{ log_features: 'hash', retention: { job_days: 30 } },
    });
    await main(['settings', 'set', '--reset', 'log_features=drop']);
    expect(received.at(-1)!.body).toEqual({ revision: 3, log_features: 'drop' });
    expect(await main(['settings', 'set', 'burst'])).toBe(2);
  });
});

describe('predict', () => {
  const result = (prediction: unknown) => ({
    prediction,
    model_id: 'm',
    model_version: '1.0.0',
    prediction_id: 'p',
  });
  const path = '/api/v1/ml/predict/m';
  const rowsIn = (one: Received) => (one.body as { input_data: unknown }).input_data;

  it('sends a row and prints its result', async () => {
    answers[`POST ${path}`] = { body: result('yes') };
    expect(await main(['predict', 'm', '--input', '{"age": 1}', '--json'])).toBe(0);
    expect(received.map(rowsIn)).toEqual([{ age: 1 }]);
    expect(JSON.parse(out)).toEqual(result('yes'));
    expect(out.trim().split('\n')).toHaveLength(1);
  });

  it('sends 2,500 rows in calls of a thousand and keeps their order', async () => {
    answers[`POST ${path}`] = (one) => ({ body: (rowsIn(one) as { i: number }[]).map(({ i }) => result(i)) });
    const lines = Array.from({ length: 2_500 }, (_, i) => `{"i":${i}}`).join('\n');
    expect(await main(['predict', 'm', '--file', file('rows.jsonl', `${lines}\n\n`), '--json'])).toBe(0);
    expect(received.map((one) => (rowsIn(one) as unknown[]).length)).toEqual([1_000, 1_000, 500]);
    expect((JSON.parse(out) as { prediction: number }[]).map(({ prediction }) => prediction)).toEqual(
      Array.from({ length: 2_500 }, (_, i) => i),
    );
  });

  it('types the fields of CSV as the features of the model, and sends other columns as they are', async () => {
    const features = [
      { name: 'age', type: 'number', input: 'age' },
      { name: 'open', type: 'boolean', input: 'open' },
      { name: 'zip', type: 'category', input: 'zip' },
    ];
    answers['GET /api/v1/ml/models/m/metadata'] = { body: { manifest: { features } } };
    answers[`POST ${path}`] = (one) => ({ body: (rowsIn(one) as unknown[]).map(() => result(1)) });
    const csv = file('rows.csv', '\uFEFFid,age,open,zip\r\n1,42,yes,"0,7"\r\n2,NA,?,\r\n3,old,0,x\r\n');
    expect(await main(['predict', 'm', '--file', csv])).toBe(0);
    expect(rowsIn(received[1]!)).toEqual([
      { id: '1', age: 42, open: true, zip: '0,7' },
      { id: '2', age: null, open: null, zip: null },
      { id: '3', age: 'old', open: false, zip: 'x' },
    ]);
  });

  it('names the line of a file that is no JSON', async () => {
    expect(await main(['predict', 'm', '--file', file('bad.jsonl', '{"a":1}\n{bad\n')])).toBe(2);
    expect(err).toContain('line 2');
  });
});

describe('train', () => {
  const job_id = newJobId();
  const uploadId = newJobId();
  let ending: Record<string, unknown>;

  beforeEach(() => {
    ending = {
      status: 'completed',
      progress: 1,
      model_name: 'm',
      model_version: '1.0.0',
      metrics: { accuracy: 0.9 },
    };
    const job = (over: object) => ({ job_id, kind: 'training', trigger: 'request', progress: 0, ...over });
    answers = {
      'POST /api/v1/ml/datasets': () => ({
        body: {
          upload_id: uploadId,
          url: `${url}/bucket/key`,
          method: 'PUT',
          headers: {},
          complete_path: 'x',
        },
      }),
      'PUT /bucket/key': {},
      [`POST /api/v1/ml/datasets/${uploadId}/complete`]: {
        status: 202,
        body: { job_id: uploadId, status: 'queued' },
      },
      [`GET /api/v1/ml/jobs/${uploadId}`]: { body: job({ status: 'completed', dataset_id: datasetId() }) },
      'POST /api/v1/ml/train': { status: 202, body: { job_id, status: 'queued' } },
      [`GET /api/v1/ml/jobs/${job_id}`]: () => ({ body: job(ending) }),
    };
  });

  const train = (...more: string[]) =>
    main(['train', file('data.csv', 'a,y\n1,2\n'), '--name', 'm', '--target', 'y', ...more]);

  it('uploads the file, trains on it and ends with one line of JSON', async () => {
    expect(await train('--json')).toBe(0);
    expect(received.map(({ method, url: path }) => `${method} ${path}`)).toEqual([
      'POST /api/v1/ml/datasets',
      'PUT /bucket/key',
      `POST /api/v1/ml/datasets/${uploadId}/complete`,
      `GET /api/v1/ml/jobs/${uploadId}`,
      'POST /api/v1/ml/train',
      `GET /api/v1/ml/jobs/${job_id}`,
    ]);
    expect([received[0]!.body, received[1]!.body, received[1]!.authorization]).toEqual([
      { name: 'data.csv', upload: { format: 'csv', compression: 'none', size_bytes: 8 } },
      'a,y\n1,2\n',
      undefined,
    ]);
    expect(JSON.parse(out)).toMatchObject({ job_id, metrics: { accuracy: 0.9 } });
    expect(out.trim().split('\n')).toHaveLength(1);
    expect(err).toBe('');
  });

  it('sends every option as the contract names it', async () => {
    const code = await train(
      ...['--type', 'regression', '--algorithm', 'ridge', '--split', 'every_5th', '--test-size', '0.3'],
      ...['--min-samples', '10', '--random-state', '7', '--notes', 'n', '--feature', 'a', '--feature', 'b'],
      ...[
        '--param',
        'alpha=0.5',
        '--param',
        'x=true',
        '--param',
        'y=null',
        '--param',
        'z=a=b',
        '--param',
        'w=',
      ],
      ...['--no-promote', '--quiet'],
    );
    expect([code, out]).toEqual([0, '']);
    expect(received.find(({ url: path }) => path === '/api/v1/ml/train')!.body).toEqual({
      ...{
        model_name: 'm',
        dataset_id: datasetId(),
        target: 'y',
        model_type: 'regression',
        algorithm: 'ridge',
      },
      ...{
        split: 'every_5th',
        test_size: 0.3,
        min_samples: 10,
        random_state: 7,
        notes: 'n',
        features: ['a', 'b'],
      },
      hyperparameters: { alpha: 0.5, x: true, y: null, z: 'a=b', w: '' },
      auto_promote: false,
    });
  });

  it('ends with 1 and the code of the job when it fails', async () => {
    ending = { status: 'failed', error: { code: 'CONSTANT_TARGET', message: 'one class', step: 'validate' } };
    expect(await train('--json')).toBe(1);
    expect(out).toBe('');
    expect(err).toContain('CONSTANT_TARGET in step validate: one class');
  });

  it('ends with 1 when the upload is refused', async () => {
    answers['PUT /bucket/key'] = { status: 403 };
    expect(await train()).toBe(1);
    expect(err).toContain('the upload was refused with status 403');
  });
});

describe('jobs and models', () => {
  it('prints jobs as a table and as JSON', async () => {
    const items = [
      { job_id: 'J', kind: 'training', status: 'running', progress: 0.5, created_at: '2026-01-31T12:00:00Z' },
    ];
    answers['GET /api/v1/ml/jobs'] = { body: { items } };
    expect(await main(['jobs', '--limit', '5'])).toBe(0);
    expect(received[0]!.url).toBe('/api/v1/ml/jobs?limit=5');
    expect(out).toContain('50 %');
    out = '';
    expect(await main(['--json', 'jobs', 'list'])).toBe(0);
    expect(JSON.parse(out)).toEqual(items);
  });

  it('reads every page of models', async () => {
    const page = (name: string, next?: string): Answer => ({
      body: { items: [{ model_name: name, n_versions: 1, updated_at: 'now' }], next_cursor: next },
    });
    answers['GET /api/v1/ml/models'] = ({ url: path }) =>
      path.includes('cursor=2') ? page('b') : page('a', '2');
    expect(await main(['models', '--json'])).toBe(0);
    expect((JSON.parse(out) as { model_name: string }[]).map(({ model_name }) => model_name)).toEqual([
      'a',
      'b',
    ]);
  });

  it('deletes with force only when told, and escapes names in paths', async () => {
    answers['DELETE /api/v1/ml/models/a%2Fb/1.0.0'] = { body: { model_name: 'a/b', model_version: '1.0.0' } };
    expect(await main(['models', 'delete', 'a/b', '1.0.0'])).toBe(0);
    expect(await main(['models', 'delete', 'a/b', '1.0.0', '--force'])).toBe(0);
    expect(received.map(({ url: path }) => path.split('?')[1])).toEqual(['force=false', 'force=true']);
  });
});
