import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { routeMatcher } from '../../../src/adapters/aws/lambda/route-matcher.ts';
import { openApiDocument } from '../../../src/contracts/openapi.ts';
import { gatewayRoutes } from '../../../src/contracts/planes.ts';
import { Problem } from '../../../src/contracts/problem.ts';
import { problemOf, statusByCode } from '../../../src/contracts/problem-status.ts';
import { type OperationId, type Route, routes } from '../../../src/contracts/routes.ts';

const all = Object.entries(routes) as [OperationId, Route][];
const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const pathOf = (route: Route): string => route.path.replaceAll(/\{(\w+)\}/g, () => id);

/** As API Gateway chooses: a full match, its parameters filled in, then the longest greedy one, then $default. */
function gatewayRouteOf(path: string) {
  const filled = (text: string) => text.replaceAll(/\{\w+\}/g, id);
  const full = gatewayRoutes.find(({ routeKey }) => filled(routeKey) === `ANY ${path}`);
  const greedy = gatewayRoutes
    .filter(({ routeKey }) => {
      const prefix = /^ANY (.*)\{proxy\+\}$/.exec(filled(routeKey))?.[1];
      return prefix !== undefined && path.startsWith(prefix) && path.length > prefix.length;
    })
    .sort((a, b) => b.routeKey.length - a.routeKey.length)[0];
  return full ?? greedy ?? gatewayRoutes.find(({ routeKey }) => routeKey === '$default')!;
}

describe('the route table', () => {
  it.each(all)('%s is led by the gateway to its own function, with the authorizer it needs', (_, route) => {
    const gateway = gatewayRouteOf(pathOf(route));
    expect([gateway.function, gateway.authorized]).toEqual([route.function, route.authorized]);
  });

  it.each(all)('%s is matched by method and path among the routes of its function', (operationId, route) => {
    const siblings = all.filter(([, { function: fn }]) => fn === route.function).map(([one]) => one);
    const match = routeMatcher(siblings)(route.method, pathOf(route));
    expect(match).toMatchObject({ kind: 'found', operationId });
    const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(match.kind === 'found' && Object.keys(match.params).sort()).toEqual(names.sort());
  });

  it.each(all)('%s names all of the parameters of its path, and no others', (_, route) => {
    const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
    expect(Object.keys(route.params?.shape ?? {}).sort()).toEqual(names);
  });

  it('gives no method and path twice', () => {
    const keys = all.map(([, { method, path }]) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('stays under the limit of routes of one API', () => {
    expect(gatewayRoutes.length).toBeLessThan(300);
    // What probes ask before they have a token.
    expect(gatewayRoutes.filter(({ authorized }) => !authorized).map(({ routeKey }) => routeKey)).toEqual([
      ...['ANY /v2', 'ANY /v2/health/{proxy+}', 'ANY /ping', '$default'],
    ]);
  });
});

describe('the route matcher', () => {
  const match = routeMatcher(['listJobs', 'getJob', 'cancelJob', 'trainModel']);

  it.each([
    ['PUT', `/api/v1/ml/jobs/${id}`, ['DELETE', 'GET']],
    ['DELETE', '/api/v1/ml/jobs', ['GET']],
    ['GET', '/api/v1/ml/train', ['POST']],
  ])('says what is allowed instead of %s %s', (method, path, allowed) => {
    const found = match(method, path);
    expect(found.kind === 'wrong-method' && [...found.allowed].sort()).toEqual(allowed);
  });

  it.each([
    '/',
    '/api/v1/ml',
    `/api/v1/ml/jobs/${id}/x`,
    '/api/v1/ml/models',
    '/API/V1/ML/JOBS',
    '/api/v1/ml/jobsx',
  ])('knows no %s', (path) => {
    expect(match('GET', path).kind).toBe('not-found');
  });
});

describe('the OpenAPI document', () => {
  const packageJson = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const document = openApiDocument(packageJson.version) as { paths: Record<string, Record<string, object>> };

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const result = await validator.validate(JSON.parse(JSON.stringify(document)) as never);
    expect(result.errors ?? []).toEqual([]);
    expect([result.valid, validator.version]).toEqual([true, '3.1']);
  });

  it('would not be valid with a response that has no description', async () => {
    const broken = JSON.parse(JSON.stringify(document)) as typeof document;
    broken.paths['/openapi.json']!.get = { responses: { 200: {} } };
    expect((await new Validator().validate(broken as never)).valid).toBe(false);
  });

  it('is what docs/openapi.json holds', () => {
    const { 'x-generated': _by, ...written } = JSON.parse(readFileSync('docs/openapi.json', 'utf8'));
    expect(written).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('holds every route, and no other', () => {
    const written = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(written.sort()).toEqual(all.map(([, { method, path }]) => `${method} ${path}`).sort());
  });
});

describe('problem documents', () => {
  it.each(Object.entries(statusByCode))(
    'of %s have status %i, the form of the contract and a title',
    (code, status) => {
      const problem = problemOf({ code, message: 'why' }, { instance: '/x', requestId: 'r' });
      expect(Problem.parse(problem)).toMatchObject({
        status,
        code,
        detail: 'why',
        instance: '/x',
        request_id: 'r',
      });
      expect(problem.title).not.toBe('Error');
    },
  );

  it('are of the platform when the code is unknown', () => {
    expect(problemOf({ code: 'NEW', message: '' }, { instance: '', requestId: '' }).status).toBe(500);
  });
});
