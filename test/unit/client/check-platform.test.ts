import { afterEach, describe, expect, it } from 'vitest';
import { checkPlatform, PlatformUnavailableError } from '../../../src/client/check-platform.ts';
import { Connection } from '../../../src/client/connection.ts';
import { createMLSystem, createPredictor } from '../../../src/client/create-ml-system.ts';
import {
  type AnsweringServer,
  type Asked,
  answeringServer,
  problem,
} from '../../support/answering-server.ts';

let server: AnsweringServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

type Answer = ReturnType<typeof problem>;
const health = (checks: Record<string, string> = { store: 'healthy', database: 'unknown' }): Answer => {
  const isHealthy = !Object.values(checks).includes('unhealthy');
  return {
    status: isHealthy ? 200 : 503,
    body: {
      status: isHealthy ? 'healthy' : 'unhealthy',
      checks: Object.fromEntries(
        Object.entries(checks).map(([name, status]) => [
          name,
          { status, latency_ms: 1, ...(status === 'unhealthy' ? { code: 'STORE_UNAVAILABLE' } : {}) },
        ]),
      ),
      request_id: 'r',
    },
  };
};

/** A platform that is well, but for some of its answers. */
async function platform(answers: Record<string, Answer> = {}): Promise<AnsweringServer> {
  const well: Record<string, Answer> = {
    '/api/v1/ml/health': health(),
    '/api/v1/ml/cache': { body: { tenant_id: 'acme' } },
    '/api/v1/ml/health/database': { body: { status: 'healthy', latency_ms: 3, request_id: 'r' } },
  };
  server = await answeringServer(
    ({ path }: Asked) => answers[path] ?? well[path] ?? problem(404, 'ROUTE_NOT_FOUND'),
  );
  return server;
}
const paths = () => server!.asked.map(({ path }) => path);
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error as PlatformUnavailableError,
  );

describe('what is checked before the platform is used', () => {
  it('is health, token with its tenant, and the database, in this order', async () => {
    const { url } = await platform();
    await createMLSystem({ url, token: 'secret', tenantId: 'acme' });
    expect(paths()).toEqual(['/api/v1/ml/health', '/api/v1/ml/cache', '/api/v1/ml/health/database']);
    expect(server!.asked.map(({ authorization }) => authorization)).toEqual([
      ...[undefined, 'Bearer secret', 'Bearer secret'],
    ]);
  });

  it('leaves the database asleep for whoever only predicts', async () => {
    const { url } = await platform({ '/api/v1/ml/health/database': problem(503, 'DATABASE_RESUMING') });
    await createPredictor({ url, token: 'secret', checkDatabase: false });
    expect(paths()).not.toContain('/api/v1/ml/health/database');
  });

  it.each<[string, Record<string, Answer>, string, RegExp]>([
    [
      'a store that does not answer',
      { '/api/v1/ml/health': health({ serving: 'healthy', store: 'unhealthy' }) },
      'store',
      /check of store failed at http:.*unhealthy \(STORE_UNAVAILABLE\)/,
    ],
    ['another server', { '/api/v1/ml/health': { body: { hello: 1 } } }, 'health', /no TenantML/],
    ['a path that is none', { '/api/v1/ml/health': { status: 404, body: 'what?' } }, 'health', /no TenantML/],
    [
      'a token that is none',
      { '/api/v1/ml/cache': problem(401, 'TOKEN_INVALID', 'bad') },
      'token',
      /check of token failed .*: bad$/,
    ],
    [
      'a tenant that is gone',
      { '/api/v1/ml/cache': problem(403, 'TENANT_OFFBOARDED') },
      'token',
      /OFFBOARDED/,
    ],
    ['a serving plane that is down', { '/api/v1/ml/cache': problem(500, 'INTERNAL') }, 'health', /INTERNAL/],
    [
      'a database that resumes',
      { '/api/v1/ml/health/database': problem(503, 'DATABASE_RESUMING', 'resuming') },
      'database',
      /resuming; it has slept/,
    ],
    [
      'a database that is broken',
      { '/api/v1/ml/health/database': problem(500, 'INTERNAL') },
      'database',
      /INTERNAL/,
    ],
  ])('fails for %s, and says which check it was', async (_name, answers, check, message) => {
    const { url } = await platform(answers);
    const error = await failureOf(createMLSystem({ url, token: 'secret' }));
    expect(error).toBeInstanceOf(PlatformUnavailableError);
    expect(error).toMatchObject({ check, code: 'PLATFORM_UNAVAILABLE', evidence: { check, url } });
    expect(error!.message).toMatch(message);
  });

  it('asks the database, whatever health says of how it was', async () => {
    const { url } = await platform({
      '/api/v1/ml/health': health({ store: 'healthy', database: 'unhealthy' }),
    });
    await checkPlatform(new Connection({ url, token: 'secret' }));
    expect(paths()).toContain('/api/v1/ml/health/database');
  });

  it('fails where nobody answers', async () => {
    const error = await failureOf(createMLSystem({ url: 'http://127.0.0.1:9', token: 'secret' }));
    expect(error).toMatchObject({ check: 'connection', message: expect.stringContaining('nothing answers') });
  });

  it.each([
    [{ db: {} }, '/db', /the platform has a database of its own/],
    [{ cache: {} }, '/cache', /the platform has caches of its own/],
    [{ maxMemoryMb: -1 }, '/maxMemoryMb', /at least 1/],
    [{ tenant_id: 'acme' }, '', /unknown field "tenant_id"/],
  ])('refuses the options %j before anything is sent', async (options, pointer, message) => {
    const { url } = await platform();
    const error = await failureOf(createMLSystem({ url, token: 'secret', ...options } as never));
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED', errors: [{ pointer }] });
    expect(error!.message).toMatch(message);
    expect(paths()).toEqual([]);
  });
});

describe('Connection', () => {
  it('sends nothing under a token of another tenant than the one that was named', async () => {
    const { url } = await platform();
    const { client } = new Connection({ url, token: 'secret', tenantId: 'acme-two' });
    await expect(client.call('listModels', { query: {} })).rejects.toMatchObject({ code: 'TENANT_MISMATCH' });
    expect(paths()).toEqual(['/api/v1/ml/cache']);
  });

  it('asks once for the tenant of a token, and again when the token is another', async () => {
    let token = 'first';
    server = await answeringServer(({ authorization }) => ({
      body: { tenant_id: authorization === 'Bearer first' ? 'acme' : 'other', items: [] },
    }));
    const connection = new Connection({ url: server.url, token: async () => token, tenantId: 'acme' });
    await connection.client.call('listModels', { query: {} });
    await connection.client.call('listModels', { query: {} });
    expect(paths()).toEqual(['/api/v1/ml/cache', '/api/v1/ml/models', '/api/v1/ml/models']);
    token = 'second';
    await expect(connection.client.call('listModels', { query: {} })).rejects.toThrow(/"other"/);
  });

  it('does not remember a failure', async () => {
    let isDown = true;
    server = await answeringServer(() =>
      isDown ? problem(500, 'INTERNAL') : { body: { tenant_id: 'acme' } },
    );
    const connection = new Connection({ url: server.url, token: 'secret' });
    await expect(connection.tenant()).rejects.toMatchObject({ code: 'INTERNAL' });
    isDown = false;
    expect(await connection.tenant()).toBe('acme');
  });

  it.each([
    [{ url: 'ml.example.com' }, /must be an address/],
    [{ url: 'https://ml.example.com' }, /token is missing/],
    [{ url: 'https://ml.example.com', token: '' }, /token is missing/],
  ])('refuses %j', (options, message) => {
    expect(() => new Connection(options)).toThrow(message);
  });
});
