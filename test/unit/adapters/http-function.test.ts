import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { dynamodbClients } from '../../../src/adapters/aws/document-client.ts';
import { httpFunction, type Operations } from '../../../src/adapters/aws/lambda/http-function.ts';
import { Idempotency } from '../../../src/adapters/aws/lambda/idempotency.ts';
import { AwsServiceError } from '../../../src/adapters/aws/signed-client.ts';
import { Problem } from '../../../src/contracts/problem.ts';
import { statusByCode } from '../../../src/contracts/problem-status.ts';
import { DatasetNotFoundError } from '../../../src/data/dataset-store.ts';
import { MLFrameworkError, TrainingError, ValidationError } from '../../../src/errors.ts';
import type { AuditTrail, TrailEntry } from '../../../src/tenancy/audit-trail.ts';
import { httpEvent, lambdaContext, type Request } from '../../support/http-event.ts';
import { type LocalStores, startLocalStores } from '../../support/local-stores.ts';
import { ownSessions } from '../../support/own-sessions.ts';
import { datasetId, newJobId } from '../../support/samples.ts';

// Powertools read these when they load: with the first they write to the global console.
vi.hoisted(() => {
  Object.assign(process.env, { POWERTOOLS_DEV: 'true', POWERTOOLS_METRICS_NAMESPACE: 'TenantML' });
});

const logs: string[] = [];
let stores: LocalStores;

beforeAll(async () => {
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...args: unknown[]) => void logs.push(args.join(' ')));
  }
  stores = await startLocalStores();
  process.env.IDEMPOTENCY_TABLE = stores.names.IdempotencyTable;
});
afterAll(async () => {
  vi.restoreAllMocks();
  await stores?.stop();
});
beforeEach(() => {
  logs.length = 0;
});

const training = { model_name: 'income', dataset_id: datasetId(), target: 'y' };
const job_id = newJobId();
let failure: unknown;
const calls: unknown[] = [];

const operations = {
  trainModel: async (call) => {
    calls.push(call);
    if (failure !== undefined) throw failure;
    return {
      body: { job_id: newJobId(), status: 'queued', model_name: call.body.model_name, created_at: 'now' },
    };
  },
  getJob: async (call) => {
    calls.push(call);
    if (failure !== undefined) throw failure;
    return { body: { job_id: call.params.job_id } };
  },
  listJobs: async (call) => {
    calls.push(call);
    return { body: { items: [] } };
  },
  health: async () => ({ status: 503, body: {}, headers: { 'x-extra': 'yes' } }),
} satisfies Operations;

const idempotency = () => new Idempotency(dynamodbClients(ownSessions), process.env.IDEMPOTENCY_TABLE!);
const recorded: TrailEntry[] = [];
const cameToNothing: string[] = [];
const trail = (): AuditTrail => ({
  begin: async (_, entry) => {
    recorded.push(entry);
    return String(recorded.length);
  },
  refused: async (_, auditId, code) => void cameToNothing.push(`${auditId} ${code}`),
  read: async () => [],
});
const handler = httpFunction(operations, {
  ...{ clock: { nowMs: () => Date.parse('2026-01-01') }, idempotency, trail },
});

async function ask(request: Request) {
  calls.length = 0;
  const answer = await handler(httpEvent(request), lambdaContext);
  return { ...answer, json: JSON.parse(answer.body!) as Record<string, unknown> };
}

async function refused(request: Request, status: number, code: string) {
  const answer = await ask(request);
  const problem = Problem.parse(answer.json);
  expect([answer.statusCode, problem.code]).toEqual([status, code]);
  expect(problem).toMatchObject({ status, instance: request.path, request_id: 'request-1' });
  expect(answer.headers).toMatchObject({
    'content-type': 'application/problem+json',
    'x-request-id': 'request-1',
  });
  return { ...answer, problem };
}

const post = (body: unknown, more: Partial<Request> = {}): Request => ({
  ...{ method: 'POST', path: '/api/v1/ml/train', body },
  ...more,
});

describe('httpFunction', () => {
  it('gives an operation its tenant and every part parsed, with defaults', async () => {
    const answer = await ask(post(training));
    expect(answer.statusCode).toBe(202);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'x-request-id': 'request-1' });
    expect(calls).toMatchObject([
      {
        tenant: { tenantId: 'aa', actor: 'user-of-aa' },
        body: { algorithm: 'gradient_boosting', test_size: 0.2 },
      },
    ]);
    await ask({ path: '/api/v1/ml/jobs', query: { limit: '7' } });
    expect(calls).toMatchObject([{ query: { limit: 7 } }]);
    await ask({ path: `/api/v1/ml/jobs/${job_id}` });
    expect(calls).toMatchObject([{ params: { job_id } }]);
  });

  it('answers with the status and headers of the operation', async () => {
    const answer = await ask({ path: '/api/v1/ml/health', claims: null });
    expect([answer.statusCode, answer.headers!['x-extra']]).toEqual([503, 'yes']);
  });

  it('takes no tenant from headers, query or body', async () => {
    await ask({
      ...{ path: '/api/v1/ml/jobs', query: { tenant: 'bb', tenant_id: 'bb' } },
      headers: { 'x-tenant-id': 'bb', tenant: 'bb' },
    });
    expect(calls).toMatchObject([{ tenant: { tenantId: 'aa' } }]);
    await refused(post({ ...training, tenant_id: 'bb' }), 422, 'VALIDATION_FAILED');
  });

  it.each<[string, Record<string, unknown> | null, number, string]>([
    ['no authorizer', null, 401, 'UNAUTHENTICATED'],
    ['a refused token', { denied: 'TOKEN_INVALID' }, 401, 'TOKEN_INVALID'],
    ['a token that has ended since', { expires_at: 1_000 }, 401, 'TOKEN_EXPIRED'],
    ['a tenant that is none', { tenant: '../bb' }, 403, 'TENANT_CLAIM_INVALID'],
  ])('refuses %s', async (_, claims, status, code) => {
    await refused({ path: '/api/v1/ml/jobs', claims }, status, code);
    expect(calls).toEqual([]);
  });

  it.each([
    ['a role that does not have the scope', { role: 'viewer' }],
    ['a token that leaves the scope out', { role: 'admin', scope: 'models:read' }],
  ])('refuses %s before it reads the body', async (_, claims) => {
    const { problem } = await refused(post('{"no json', { claims }), 403, 'SCOPE_MISSING');
    expect(problem.detail).toContain('models:write');
    expect(calls).toEqual([]);
  });

  it('says of an extension of the Open Inference Protocol that it has not, in that protocol', async () => {
    const { statusCode, headers, json } = await ask({ method: 'POST', path: '/v2/repository/index' });
    expect([statusCode, headers!['content-type']]).toEqual([404, 'application/json']);
    expect(json).toEqual({ error: expect.stringContaining('ROUTE_NOT_FOUND: ') });
  });

  it('knows no other path, and says what is allowed instead of another method', async () => {
    await refused({ path: '/api/v1/ml/other' }, 404, 'ROUTE_NOT_FOUND');
    const answer = await refused({ method: 'PATCH', path: '/api/v1/ml/train' }, 405, 'METHOD_NOT_ALLOWED');
    expect(answer.headers!.allow).toBe('POST');
  });

  it.each<[string, Request, number, string, string?]>([
    ['text that is no JSON', post('{"model_name": tru'), 400, 'INVALID_JSON'],
    ['no body', { method: 'POST', path: '/api/v1/ml/train' }, 422, 'VALIDATION_FAILED', ''],
    ['an array', post([]), 422, 'VALIDATION_FAILED', ''],
    [
      'a hyperparameter nearer to 0 than a job can be stored with',
      post({ ...training, hyperparameters: { learning_rate: 1e-101 } }),
      422,
      'VALIDATION_FAILED',
    ],
    ['a missing field', post({ ...training, target: undefined }), 422, 'VALIDATION_FAILED', '/target'],
    ['an unknown field', post({ ...training, modelname: 1 }), 422, 'VALIDATION_FAILED'],
    [
      'a field of another type',
      post({ ...training, test_size: '0.2' }),
      422,
      'VALIDATION_FAILED',
      '/test_size',
    ],
    ['a number out of range', post({ ...training, test_size: 0.9 }), 422, 'VALIDATION_FAILED', '/test_size'],
    [
      'a name that is none',
      post({ ...training, model_name: '../x' }),
      422,
      'VALIDATION_FAILED',
      '/model_name',
    ],
    [
      'another content type',
      post(training, { headers: { 'content-type': 'text/csv' } }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['too many bytes', post({ ...training, notes: 'x'.repeat(300_000) }), 413, 'PAYLOAD_TOO_LARGE'],
    [
      'bytes that are no UTF-8',
      post(Buffer.from('{"a":"\xe9"}', 'latin1').toString('base64'), { isBase64Encoded: true }),
      ...([400, 'INVALID_ENCODING'] as const),
    ],
    ['a path parameter that is none', { path: '/api/v1/ml/jobs/42' }, 422, 'VALIDATION_FAILED', '/job_id'],
    [
      'a page of none',
      { path: '/api/v1/ml/jobs', query: { limit: '0' } },
      422,
      'VALIDATION_FAILED',
      '/limit',
    ],
    [
      'a page of many',
      { path: '/api/v1/ml/jobs', query: { limit: '101' } },
      422,
      'VALIDATION_FAILED',
      '/limit',
    ],
  ])('refuses %s', async (_, request, status, code, pointer) => {
    const { problem } = await refused(request, status, code);
    if (pointer !== undefined) expect(problem.errors.map((error) => error.pointer)).toContain(pointer);
    expect(calls).toEqual([]);
    // A refusal is not a failure: no stack in the log.
    expect(logs.join('\n')).not.toMatch(/stack|at .*\.ts:/);
  });

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/vnd.api+json',
    'APPLICATION/JSON',
  ])('takes %s', async (contentType) => {
    expect((await ask(post(training, { headers: { 'content-type': contentType } }))).statusCode).toBe(202);
  });

  it('takes JSON in base64, as the gateway sends what is compressed or binary', async () => {
    const body = Buffer.from(JSON.stringify({ ...training, notes: 'é' })).toString('base64');
    await ask(post(body, { isBase64Encoded: true }));
    expect(calls).toMatchObject([{ body: { notes: 'é' } }]);
  });
});

describe('an answer of more than Lambda hands on', () => {
  const answering = (body: unknown) => httpFunction({ getJob: async () => ({ body }) });
  const sizeOf = async (body: unknown) => {
    const answer = await answering(body)(httpEvent({ path: `/api/v1/ml/jobs/${job_id}` }), lambdaContext);
    return [answer.statusCode, JSON.parse(answer.body!).code, Buffer.byteLength(JSON.stringify(answer))];
  };

  it.each([
    ['plain text', 'x'.repeat(6 * 1024 * 1024)],
    ['quotes, which Lambda escapes once more', '"'.repeat(1.6 * 1024 * 1024)],
    ['letters of three bytes', '東'.repeat(2.1 * 1024 * 1024)],
  ])('of %s is 413', async (_, text) => {
    expect(await sizeOf({ text })).toEqual([413, 'PAYLOAD_TOO_LARGE', expect.any(Number)]);
  });

  it('but one of 5.9 MiB is given', async () => {
    const [status, , bytes] = await sizeOf({ text: 'x'.repeat(5.9 * 1024 * 1024) });
    expect(status).toBe(200);
    expect(bytes).toBeLessThan(6 * 1024 * 1024);
  });
});

describe('failures of an operation', () => {
  const named = (name: string, over: object = {}) =>
    Object.assign(new Error('secret: arn:aws:s3:::bucket'), { name, ...over });

  it.each<[string, unknown, number, string]>([
    ['a missing dataset', new DatasetNotFoundError('d'), 404, 'DATASET_NOT_FOUND'],
    ['a broken rule', new ValidationError('must be'), 422, 'VALIDATION_FAILED'],
    [
      'too much data',
      new ValidationError('too large', { code: 'PAYLOAD_TOO_LARGE' }),
      413,
      'PAYLOAD_TOO_LARGE',
    ],
    ['a code of training that no caller can get', new TrainingError('CONSTANT_TARGET', 'x'), 500, 'INTERNAL'],
    ['a policy with a statement less', named('AccessDenied'), 500, 'STORE_ACCESS_DENIED'],
    [
      'the same from the signed client',
      new AwsServiceError('AccessDeniedException', 400, 'secret: x'),
      500,
      'STORE_ACCESS_DENIED',
    ],
    ['a busy store', named('ThrottlingException'), 503, 'STORE_UNAVAILABLE'],
    ['a broken connection', named('Error', { code: 'ECONNRESET' }), 503, 'STORE_UNAVAILABLE'],
    ['a store that fails', new AwsServiceError('Whatever', 503, 'secret: x'), 503, 'STORE_UNAVAILABLE'],
    ['a mistake of ours', new TypeError('secret is undefined'), 500, 'INTERNAL'],
    ['something that is no error', 'secret', 500, 'INTERNAL'],
    ['nothing', null, 500, 'INTERNAL'],
  ])('%s is a problem that shows nothing of the inside', async (_, thrown, status, code) => {
    failure = thrown;
    try {
      const answer = await refused({ path: `/api/v1/ml/jobs/${job_id}` }, status, code);
      expect(answer.body).not.toContain('secret');
      expect(answer.headers!['retry-after']).toBe(status === 503 ? '5' : undefined);
      expect(logs.some((line) => /"level": *"ERROR"/.test(line))).toBe(status >= 500);
    } finally {
      failure = undefined;
    }
  });

  it.each(Object.entries(statusByCode).filter(([code]) => code !== 'METHOD_NOT_ALLOWED'))(
    'with code %s answer %i',
    async (code, status) => {
      failure = new (class extends MLFrameworkError {})(code, 'why');
      try {
        await refused({ path: `/api/v1/ml/jobs/${job_id}` }, status, code);
      } finally {
        failure = undefined;
      }
    },
  );
});

describe('the audit trail', () => {
  it('has what was asked for before it is done, and what came of it when nothing did', async () => {
    recorded.length = 0;
    cameToNothing.length = 0;
    await ask(post(training));
    expect(recorded).toMatchObject([
      { action: 'trainModel', detail: { role: 'admin', after: { target: training.target } } },
    ]);
    expect(cameToNothing).toEqual([]);
  });

  it('has nothing of what only reads, and a change that cannot be recorded is not made', async () => {
    recorded.length = 0;
    calls.length = 0;
    const broken = httpFunction(operations, {
      ...{ clock: { nowMs: () => Date.parse('2026-01-01') }, idempotency },
      trail: () => ({
        ...trail(),
        begin: async () => {
          throw new Error('the table is away');
        },
      }),
    });
    const answer = await broken(httpEvent(post(training)), lambdaContext);
    expect([answer.statusCode, calls]).toEqual([500, []]);
    await ask({ method: 'GET', path: '/api/v1/ml/jobs' });
    expect(recorded).toEqual([]);
  });
});

describe('Idempotency-Key', () => {
  let n = 0;
  const key = () => ({ 'idempotency-key': `key-${n++}` });

  it('gives the first answer again, and runs the operation once', async () => {
    const headers = key();
    const first = await ask(post(training, { headers }));
    const again = await ask(post(training, { headers }));
    expect(calls).toEqual([]);
    expect([again.statusCode, again.json]).toEqual([202, first.json]);
  });

  it('runs every request that has none', async () => {
    const one = await ask(post(training));
    const other = await ask(post(training));
    expect(one.json.job_id).not.toBe(other.json.job_id);
  });

  it('refuses another body under the same key', async () => {
    const headers = key();
    await ask(post(training, { headers }));
    await refused(post({ ...training, target: 'z' }, { headers }), 422, 'IDEMPOTENCY_KEY_REUSED');
  });

  it('keeps the keys of two tenants apart', async () => {
    const headers = key();
    const mine = await ask(post(training, { headers }));
    for (const tenant of ['aab', 'bb']) {
      const theirs = await ask(post({ ...training, target: 'z' }, { headers, claims: { tenant } }));
      expect(theirs.statusCode).toBe(202);
      expect(theirs.json.job_id).not.toBe(mine.json.job_id);
    }
  });

  it('lets a request that failed be sent again', async () => {
    const headers = key();
    failure = new TypeError('broken');
    await refused(post(training, { headers }), 500, 'INTERNAL');
    failure = undefined;
    expect((await ask(post(training, { headers }))).statusCode).toBe(202);
  });

  it('refuses the second of two at once, and never runs it', async () => {
    const headers = key();
    const goOn = Promise.withResolvers<void>();
    let runs = 0;
    const begun = Promise.withResolvers<void>();
    const slow = httpFunction(
      {
        trainModel: async () => {
          runs++;
          begun.resolve();
          await goOn.promise;
          return { body: {} };
        },
      },
      { idempotency, trail },
    );
    const first = slow(httpEvent(post(training, { headers })), lambdaContext);
    await begun.promise;
    await refused(post(training, { headers }), 409, 'REQUEST_IN_PROGRESS');
    goOn.resolve();
    expect((await first).statusCode).toBe(202);
    expect(runs).toBe(1);
  });

  it.each(['', 'x'.repeat(256)])('refuses a key of another length than 1 to 255: %#', async (value) => {
    await refused(post(training, { headers: { 'idempotency-key': value } }), 422, 'VALIDATION_FAILED');
  });

  it('means nothing for a read', async () => {
    const headers = key();
    await ask({ path: '/api/v1/ml/jobs', headers });
    await ask({ path: '/api/v1/ml/jobs', headers });
    expect(calls).toHaveLength(1);
  });
});
