import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHarmlessPath, matchRoute, parseRoute } from '../../../local/gateway/routes.ts';

const routes = [
  'ANY /a/{proxy+}',
  'GET /a/b',
  'ANY /a/{id}',
  'GET /a/{id}/c',
  'POST /a/{id}',
  '$default',
].map((key) => parseRoute(key, key));

describe('a route', () => {
  it.each([
    ['GET', '/a/b', 'GET /a/b', {}],
    ['PUT', '/a/b', 'ANY /a/{id}', { id: 'b' }],
    ['POST', '/a/b', 'POST /a/{id}', { id: 'b' }],
    ['GET', '/a/x/c', 'GET /a/{id}/c', { id: 'x' }],
    ['GET', '/a/x/d', 'ANY /a/{proxy+}', { proxy: 'x/d' }],
    ['PUT', '/a/x/c', 'ANY /a/{proxy+}', { proxy: 'x/c' }],
    ['GET', '/a/x%2Fy', 'ANY /a/{id}', { id: 'x/y' }],
    ['GET', '/a', '$default', {}],
    ['GET', '/a/', '$default', {}],
    ['GET', '/', '$default', {}],
  ])('%s %s goes to %s', (method, path, key, parameters) => {
    const match = matchRoute(routes, method, path);
    expect(match?.route.target).toBe(key);
    expect(match?.pathParameters).toEqual(parameters);
  });

  it('is undefined without $default', () => {
    expect(matchRoute(routes.slice(0, -1), 'GET', '/other')).toBeUndefined();
  });

  it('needs a key with method and path', () => {
    expect(() => parseRoute('FETCH /x', 0)).toThrow(expect.objectContaining({ code: 'ROUTE_KEY_INVALID' }));
  });
});

describe('a path', () => {
  it.each([
    '/a/../b',
    '/..',
    '/%2e%2e/b',
    '/a/%2e%2e%2fb',
    '/a/..%5cb',
    '/%zz',
    '/%',
    '/%c3%28',
    '/a%00b',
    '/a%0d%0ab',
    '*',
    'http://x/',
  ])('%s is not let through', (path) => expect(isHarmlessPath(path)).toBe(false));

  it.each(['/', '/a/b.c', '/a..b', '/a%20b', '/%C3%A9', '/a/...'])('%s is', (path) =>
    expect(isHarmlessPath(path)).toBe(true),
  );

  it('never throws, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const path = `/${text}`;
        if (isHarmlessPath(path)) matchRoute(routes, 'GET', path);
      }),
      { seed: 42, numRuns: 500 },
    );
  });
});
