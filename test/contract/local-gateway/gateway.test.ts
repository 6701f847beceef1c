// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Fn::Sub of CloudFormation is written so
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GatewayServer } from '../../../local/gateway/gateway-server.ts';
import type { LambdaHost } from '../../../local/lambda/lambda-host.ts';
import { Fixture, httpApi } from '../local-support/fixture.ts';

let fixture: Fixture;
let host: LambdaHost;
let gateway: GatewayServer;
let url: string;

beforeAll(async () => {
  fixture = new Fixture(
    {
      ...httpApi(
        {
          'ANY /open/{proxy+}': { function: 'Echo' },
          'GET /open/item/{id}': { function: 'Echo' },
          'ANY /closed/{proxy+}': { function: 'Echo', authorizer: 'Auth' },
          'POST /answer': { function: 'Answer' },
          $default: { function: 'Echo' },
        },
        { Auth: { function: 'Check', ttlSeconds: 300 } },
      ),
      UnpermittedIntegration: {
        Type: 'AWS::ApiGatewayV2::Integration',
        Properties: { IntegrationUri: { 'Fn::GetAtt': ['Unpermitted', 'Arn'] } },
      },
      UnpermittedRoute: {
        Type: 'AWS::ApiGatewayV2::Route',
        Properties: {
          RouteKey: 'GET /unpermitted',
          Target: { 'Fn::Sub': 'integrations/${UnpermittedIntegration}' },
        },
      },
    },
    {
      Echo: 'exports.handler = async (event) => ({ statusCode: 200, headers: { "Content-Type": "application/json" }, body: JSON.stringify(event) });',
      Answer:
        'exports.handler = async (event) => { const a = JSON.parse(event.body); if (a.throw) throw new Error("inner secret"); if (a.exit) process.exit(1); return a; };',
      Check:
        'let n = 0; exports.handler = async (event) => ({ isAuthorized: event.identitySource[0] !== "Bearer bad", context: { tenant: "a", calls: ++n, type: event.type } });',
      Unpermitted: 'exports.handler = async () => ({ statusCode: 200 });',
    },
  );
  host = fixture.host();
  gateway = new GatewayServer({ port: 0, twinRoutes: async () => false, onFailure: fixture.onFailure });
  url = await gateway.start();
  gateway.deploy(fixture.template, host, fixture.authorizer);
});

afterAll(async () => {
  await gateway.stop();
  await host.stop();
  fixture.remove();
});

/** The members of an event that the tests look at. */
interface EchoedEvent {
  readonly routeKey: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly requestContext: {
    readonly timeEpoch: number;
    readonly authorizer: { readonly lambda: Record<string, unknown> };
  };
}

const echo = async (path: string, init: RequestInit = {}) =>
  (await (await fetch(url + path, init)).json()) as EchoedEvent;
const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;
const answer = (body: unknown) =>
  fetch(`${url}/answer`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

/** A request line as it is, which fetch would tidy. */
function raw(requestLine: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
    socket.write(`${requestLine} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  });
}

describe('the event', () => {
  it('has the form of payload 2.0', async () => {
    const event = await echo('/open/a%20b/c?x=1&x=2&y=', {
      method: 'POST',
      body: '{"k":"ü"}',
      headers: { 'content-type': 'application/json', 'X-Custom': 'v', cookie: 'a=1; b=2' },
    });
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'ANY /open/{proxy+}',
      rawPath: '/open/a%20b/c',
      rawQueryString: 'x=1&x=2&y=',
      queryStringParameters: { x: '1,2', y: '' },
      pathParameters: { proxy: 'a b/c' },
      cookies: ['a=1', 'b=2'],
      body: '{"k":"ü"}',
      isBase64Encoded: false,
      requestContext: {
        http: { method: 'POST', path: '/open/a%20b/c' },
        stage: '$default',
        routeKey: 'ANY /open/{proxy+}',
      },
    });
    expect(event.headers).toMatchObject({ 'x-custom': 'v' });
    expect(event.headers).not.toHaveProperty('cookie');
    expect(Number.isInteger(event.requestContext.timeEpoch)).toBe(true);
  });

  it('carries binary bodies as base64', async () => {
    const bytes = new Uint8Array([0, 255, 1]);
    const event = await echo('/open/x', {
      method: 'POST',
      body: bytes,
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect([event.isBase64Encoded, event.body]).toEqual([true, Buffer.from(bytes).toString('base64')]);
    expect(await echo('/open/x')).not.toHaveProperty('body');
  });

  it('takes the most specific route, and $default last', async () => {
    expect((await echo('/open/item/7')).routeKey).toBe('GET /open/item/{id}');
    expect((await echo('/open/item/7', { method: 'POST' })).routeKey).toBe('ANY /open/{proxy+}');
    expect((await echo('/elsewhere')).routeKey).toBe('$default');
    expect((await echo('/open')).routeKey).toBe('$default');
  });
});

describe('the authorizer', () => {
  it('is asked once per identity and gives its context to the function', async () => {
    const headers = { authorization: 'Bearer good' };
    const [first, second] = [await echo('/closed/1', { headers }), await echo('/closed/2', { headers })];
    expect(first.requestContext.authorizer.lambda).toMatchObject({ tenant: 'a', type: 'REQUEST' });
    expect(second.requestContext.authorizer.lambda.calls).toBe(first.requestContext.authorizer.lambda.calls);
  });

  it('refuses a request without identity with 401 and a denied one with 403', async () => {
    const missing = await fetch(`${url}/closed/1`);
    expect([missing.status, missing.headers.get('content-type')]).toEqual([401, 'application/problem+json']);
    expect(await missing.json()).toMatchObject({
      message: 'Unauthorized',
      code: 'UNAUTHENTICATED',
      status: 401,
    });
    const denied = await fetch(`${url}/closed/1`, { headers: { authorization: 'Bearer bad' } });
    expect([denied.status, await codeOf(denied)]).toEqual([403, 'FORBIDDEN']);
  });
});

describe('the answer', () => {
  it('passes status, headers, cookies and binary bodies on', async () => {
    const response = await answer({
      statusCode: 418,
      headers: { 'X-A': 'b' },
      cookies: ['c=1', 'd=2'],
      body: Buffer.from([0, 255]).toString('base64'),
      isBase64Encoded: true,
    });
    expect(response.status).toBe(418);
    expect(response.headers.get('x-a')).toBe('b');
    expect(response.headers.getSetCookie()).toEqual(['c=1', 'd=2']);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255]);
  });

  it('is the JSON of a value without a status code', async () => {
    const response = await answer({ plain: true });
    expect([response.status, await response.json()]).toEqual([200, { plain: true }]);
  });

  it('is 500 without details when the function throws, exits or answers nonsense', async () => {
    for (const body of [
      { throw: true },
      { exit: true },
      { statusCode: 'abc' },
      { statusCode: 200, body: 5 },
    ]) {
      const response = await answer(body);
      const text = await response.text();
      expect([response.status, JSON.parse(text).message]).toEqual([500, 'Internal Server Error']);
      expect(text).not.toContain('inner secret');
    }
    expect((await answer({ fine: 1 })).status).toBe(200);
  });

  it('is 500 when no permission lets the gateway call the function', async () => {
    expect((await fetch(`${url}/unpermitted`)).status).toBe(500);
    expect(String(fixture.failures.at(-1))).toContain('no AWS::Lambda::Permission');
  });
});

describe('limits', () => {
  it('refuses bodies over ten megabytes, and those that Lambda could not take', async () => {
    const send = (bytes: number) =>
      fetch(`${url}/open/x`, {
        method: 'POST',
        body: 'x'.repeat(bytes),
        headers: { 'content-type': 'text/plain' },
      });
    const tooLarge = await send(10 * 1024 * 1024 + 1);
    expect([tooLarge.status, await codeOf(tooLarge)]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    expect((await send(6 * 1024 * 1024 + 1)).status).toBe(413);
  });

  it.each([
    'GET /open/../closed/x',
    'GET /open/%2e%2e/x',
    'GET /open/%2e%2e%2fx',
    'GET /open/%zz',
    'GET /open/%00',
    'GET /open/..%5cx',
    'GET open',
  ])('answers %s with 400', async (line) => {
    expect(await raw(line)).toMatch(/^HTTP\/1.1 400 /);
  });
});
