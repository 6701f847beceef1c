import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../src/contracts/problem.ts';
import { type RunningTwin, rawRequest, runTwin, trainSample } from '../support/running-twin.ts';

let running: RunningTwin;
let token: string;
const tokensSent: string[] = [];

beforeAll(async () => {
  running = await runTwin();
  token = await running.twin.issueToken('acme');
  tokensSent.push(token);
  await trainSample(running.client('acme'), 'model');
});
afterAll(() => running.stop());

interface Attempt {
  readonly method?: string;
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
  /** `null` sends none. */
  readonly authorization?: string | null;
}

const predictPath = '/api/v1/ml/predict/model';
const post = (path: string, body: unknown, more: Partial<Attempt> = {}): Attempt => ({
  method: 'POST',
  path,
  body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  ...more,
});

const attempts: Record<string, readonly [Attempt, number, string]> = {
  'JSON that ends too soon': [post(predictPath, '{"input_data": '), 400, 'INVALID_JSON'],
  'no JSON at all': [post('/api/v1/ml/train', 'hello'), 400, 'INVALID_JSON'],
  'bytes that are no UTF-8': [
    post(predictPath, new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), {
      headers: { 'content-type': 'application/json' },
    }),
    400,
    'INVALID_',
  ],
  'an empty body': [post('/api/v1/ml/train', ''), 422, 'VALIDATION_FAILED'],
  'a body that is null': [post(predictPath, 'null'), 422, 'VALIDATION_FAILED'],
  'a body that is a list': [post('/api/v1/ml/train', []), 422, 'VALIDATION_FAILED'],
  'a form instead of JSON': [
    post('/api/v1/ml/train', 'model_name=x', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  'an unknown field': [post(predictPath, { input_data: {}, tenant_id: 'other' }), 422, 'VALIDATION_FAILED'],
  'no input_data': [post(predictPath, {}), 422, 'VALIDATION_FAILED'],
  'input_data that is a text': [post(predictPath, { input_data: 'x' }), 422, 'INVALID_INPUT'],
  'no rows': [post(predictPath, { input_data: [] }), 422, 'INVALID_INPUT'],
  'rows of two kinds': [post(predictPath, { input_data: [{}, 3] }), 422, 'INVALID_INPUT'],
  'a number as text': [post(predictPath, { input_data: { amount: '9' } }), 422, 'INVALID_INPUT'],
  'a number beyond float32': [post(predictPath, { input_data: { amount: 1e300 } }), 422, 'INVALID_INPUT'],
  'an object as a category': [post(predictPath, { input_data: { country: {} } }), 422, 'INVALID_INPUT'],
  'too few values': [post(predictPath, { input_data: [1, 2] }), 422, 'INVALID_INPUT'],
  'too many rows': [
    post(predictPath, { input_data: Array.from({ length: 1001 }, () => ({ amount: 1 })) }),
    413,
    'TOO_MANY_ROWS',
  ],
  'a body over the route limit': [
    post('/api/v1/ml/train', { model_name: 'x'.repeat(300_000) }),
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  'a body over the function limit': [
    post(predictPath, `{"input_data":{"country":"${'x'.repeat(7_000_000)}"}}`),
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  'a body over the gateway limit': [post(predictPath, 'x'.repeat(11_000_000)), 413, 'PAYLOAD_TOO_LARGE'],
  'deep nesting': [
    post(predictPath, `${'['.repeat(100_000)}${']'.repeat(100_000)}`),
    422,
    'VALIDATION_FAILED',
  ],
  'a model name of other characters': [
    post('/api/v1/ml/predict/a%20b', { input_data: {} }),
    422,
    'VALIDATION_FAILED',
  ],
  'a model name that is too long': [
    post(`/api/v1/ml/predict/${'a'.repeat(129)}`, { input_data: {} }),
    422,
    'VALIDATION_FAILED',
  ],
  'a model name with SQL in it': [
    { path: `/api/v1/ml/models/${encodeURIComponent("x'; DROP TABLE ml_models;--")}` },
    422,
    'VALIDATION_FAILED',
  ],
  'a bad model name to train': [
    post('/api/v1/ml/train', { model_name: '../x', dataset_id: '0'.repeat(64), target: 'y' }),
    422,
    'VALIDATION_FAILED',
  ],
  'a job id that is none': [{ path: '/api/v1/ml/jobs/42' }, 422, 'VALIDATION_FAILED'],
  'a dataset id that is none': [{ path: '/api/v1/ml/datasets/zzz' }, 422, 'VALIDATION_FAILED'],
  'a cursor that is none': [{ path: '/api/v1/ml/jobs?cursor=AAAA' }, 422, 'VALIDATION_FAILED'],
  'a limit beyond the rule': [{ path: '/api/v1/ml/models?limit=100000' }, 422, 'VALIDATION_FAILED'],
  'an encoded path out of the route': [{ path: '/api/v1/ml/models/..%2f..%2fdatasets' }, 400, 'BAD_REQUEST'],
  'a NUL in the path': [{ path: '/api/v1/ml/models/a%00b' }, 400, 'BAD_REQUEST'],
  'a path that no route has': [{ path: '/api/v1/ml/nothing' }, 404, 'ROUTE_NOT_FOUND'],
  'a file of the documentation that is none': [{ path: '/docs/..%2findex.cjs' }, 400, 'BAD_REQUEST'],
  'a method that the path has not': [{ method: 'PUT', path: '/api/v1/ml/train' }, 405, 'METHOD_NOT_ALLOWED'],
  'an unknown model': [post('/api/v1/ml/predict/absent', { input_data: { a: 1 } }), 404, 'MODEL_NOT_FOUND'],
  'no token': [{ path: '/api/v1/ml/models', authorization: null }, 401, 'UNAUTHENTICATED'],
  'a token that is garbage': [
    { path: '/api/v1/ml/models', authorization: 'Bearer garbage' },
    401,
    'TOKEN_INVALID',
  ],
  'a scheme that is none': [{ path: '/api/v1/ml/models', authorization: 'Token x' }, 401, 'UNAUTHENTICATED'],
  'an API key that nobody has': [
    { path: '/api/v1/ml/models', authorization: 'Bearer tml_nobody' },
    401,
    'API_KEY_INVALID',
  ],
  'a wrong password': [
    { path: '/api/v1/ml/models', authorization: `Basic ${Buffer.from('user:wrong').toString('base64')}` },
    401,
    'API_KEY_INVALID',
  ],
  'an idempotency key that is too long': [
    post(
      '/api/v1/ml/train',
      { model_name: 'm', dataset_id: '0'.repeat(64), target: 'y' },
      { headers: { 'idempotency-key': 'k'.repeat(300) } },
    ),
    422,
    'VALIDATION_FAILED',
  ],
};

async function send({
  method = 'GET',
  path,
  body,
  headers = {},
  authorization = `Bearer ${token}`,
}: Attempt) {
  return rawRequest(`${running.twin.url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
      ...(authorization === null ? {} : { authorization }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : Buffer.from(body) }),
  });
}

describe('a malformed request', () => {
  it.each(Object.entries(attempts))(
    'gets a problem with a code for %s',
    async (_name, [attempt, status, code]) => {
      const answer = await send(attempt);
      expect({ status: answer.status, code: answer.json.code }, answer.text.slice(0, 300)).toEqual({
        status,
        code: expect.stringMatching(code),
      });
      expect(answer.headers.get('content-type')).toMatch('application/problem+json');
      expect(Problem.parse(answer.json).request_id).not.toBe('');
    },
  );

  it('gets a problem for tokens that are forged, expired, of another issuer or without a tenant', async () => {
    const { issuer } = (await (
      await fetch(`${running.twin.url}/_twin/identity/.well-known/openid-configuration`)
    ).json()) as { issuer: string };
    const { privateKey } = await generateKeyPair('RS256');
    const claims = { tenant: 'acme', role: 'admin', sub: 'someone' };
    const sign = (jwt: SignJWT, kid = 'twin') =>
      jwt.setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey);
    const publicKey = JSON.stringify(
      await exportJWK((await generateKeyPair('RS256', { extractable: true })).publicKey),
    );
    const forged: Record<string, string> = {
      'signed by another key': await sign(
        new SignJWT(claims).setIssuer(issuer).setAudience('tenantml').setExpirationTime('1h'),
      ),
      unsigned: new UnsecuredJWT(claims)
        .setIssuer(issuer)
        .setAudience('tenantml')
        .setExpirationTime('1h')
        .encode(),
      'signed with the public key as a secret': await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: 'twin' })
        .setIssuer(issuer)
        .setAudience('tenantml')
        .setExpirationTime('1h')
        .sign(new TextEncoder().encode(publicKey)),
      'payload exchanged': token
        .split('.')
        .with(1, Buffer.from(JSON.stringify({ ...claims, tenant: 'other' })).toString('base64url'))
        .join('.'),
    };
    for (const [name, value] of Object.entries(forged)) {
      tokensSent.push(value);
      const answer = await send({ path: '/api/v1/ml/models', authorization: `Bearer ${value}` });
      expect({ name, status: answer.status, code: answer.json.code }).toEqual({
        name,
        status: 401,
        code: 'TOKEN_INVALID',
      });
    }
    const short = await fetch(`${running.twin.url}/_twin/identity/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tenant: 'acme', expires_in: 4 }),
    });
    const { access_token } = (await short.json()) as { access_token: string };
    tokensSent.push(access_token);
    const during = await send({ path: '/api/v1/ml/models', authorization: `Bearer ${access_token}` });
    expect(during.status).toBe(200);
    // The gateway has cached the authorizer's answer by now; the token ends all the same.
    await expect
      .poll(
        async () =>
          (await send({ path: '/api/v1/ml/models', authorization: `Bearer ${access_token}` })).json.code,
        { timeout: 20_000, interval: 200 },
      )
      .toBe('TOKEN_EXPIRED');
  });

  it('is harmless with raw path tricks that no client would send', async () => {
    const { port } = new URL(running.twin.url);
    const raw = (target: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1', () =>
          socket.write(
            `GET ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
          ),
        );
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk.toString();
        });
        socket.on('end', () => resolve(text));
        socket.on('error', reject);
      });
    for (const target of [
      '/../../etc/passwd',
      '/api/v1/ml/../../../etc/passwd',
      '/docs/../index.cjs',
      '/%',
      '/api/v1/ml/models/%zz',
      '//etc/passwd',
    ]) {
      const answer = await raw(target);
      expect(answer, target).toMatch(/^HTTP\/1\.1 4\d\d/);
      expect(answer).toMatch(/"code":"[A-Z_]+"/);
      expect(answer).not.toContain('root:');
    }
  });

  it('leaves no stack trace and no token in any log', () => {
    const folder = join(running.dataDir, 'logs');
    const logs = readdirSync(folder).map((name) => ({
      name,
      text: readFileSync(join(folder, name), 'utf8'),
    }));
    expect(logs.find(({ name }) => name === 'predict.log')!.text).toContain('"status":422');
    for (const { name, text } of logs) {
      expect(
        text.split('\n').filter((line) => /"stack"|^\s+at .*:\d+:\d+/.test(line)),
        name,
      ).toEqual([]);
      for (const sent of tokensSent) expect(text.includes(sent.split('.')[2] || sent), name).toBe(false);
    }
  });
});
