import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { type OperationId, type Route, routes } from '../../../src/contracts/routes.ts';
import { type Role, roleScopes, roles, type Scope, scopes } from '../../../src/contracts/scopes.ts';
import { routeOf, scopeOf } from '../../../src/serving/http/routes.ts';
import { requireScope } from '../../../src/tenancy/scopes.ts';
import { TenantContext } from '../../../src/tenancy/tenant-context.ts';

const caller = (role: string, scope?: string): TenantContext =>
  TenantContext.fromClaims({ tenant: 'aa', role, scope, expires_at: 4_102_444_800 } as never, 'r', 0);
const allowed = (tenant: TenantContext): Scope[] => scopes.filter((scope) => tenant.may(scope));

/** The one table of docs/access.md, written by hand: a change of `roleScopes` is a change here. */
const granted: Record<Scope, Role[]> = {
  'models:read': ['viewer', 'data-scientist', 'deployer', 'admin', 'service'],
  'models:write': ['data-scientist', 'admin'],
  'models:deploy': ['deployer', 'admin'],
  predict: ['data-scientist', 'deployer', 'admin', 'service'],
  'data:read': ['viewer', 'data-scientist', 'deployer', 'admin'],
  'data:write': ['data-scientist', 'admin', 'service'],
  'jobs:read': ['viewer', 'data-scientist', 'deployer', 'admin', 'service'],
  'jobs:write': ['data-scientist', 'admin', 'service'],
  'tenant:read': ['viewer', 'data-scientist', 'deployer', 'admin'],
  'tenant:admin': ['admin'],
  'audit:read': ['admin'],
};

test('docs/access.md shows who has which scope', () => {
  const page = readFileSync(new URL('../../../docs/access.md', import.meta.url), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('|'));
  const [, , , ...columns] = rows[0]!.split('|').map((cell) => cell.trim());
  const shown = Object.fromEntries(
    scopes.map((scope) => {
      const [, , , ...cells] = rows.find((row) => row.startsWith(`| \`${scope}\``))!.split('|');
      return [scope, columns.filter((role, i) => role !== '' && cells[i]!.trim() === 'yes')];
    }),
  );
  expect(shown).toEqual(granted);
});

describe('roles', () => {
  it.each(scopes)('have %s exactly where the table says so', (scope) => {
    expect(roles.filter((role) => caller(role).may(scope))).toEqual(granted[scope]);
  });

  it('may do, route by route, what their scopes say', () => {
    for (const id of Object.keys(routes) as OperationId[]) {
      const route: Route = routes[id];
      if (route.scope === undefined) continue;
      for (const role of roles) {
        const act = () => requireScope(caller(role), route.scope as Scope);
        if (granted[route.scope].includes(role)) expect(act, `${role} ${id}`).not.toThrow();
        else expect(act, `${role} ${id}`).toThrow(/this takes the scope/);
      }
    }
  });

  it('let nobody but an admin or a deployer send predictions to another version', () => {
    const deploying = (['deployModel', 'putServing'] as const).map((id) => routes[id].scope);
    expect(new Set(deploying)).toEqual(new Set(['models:deploy']));
  });
});

describe('the scopes of a token', () => {
  it.each([
    ['admin', 'predict', ['predict']],
    ['admin', 'predict models:read', ['models:read', 'predict']],
    // Never wider than the role.
    ['viewer', 'models:read predict tenant:admin', ['models:read']],
    ['viewer', 'tenant:admin', []],
    // Of this platform, and misspelt: it narrows all the same.
    ['admin', 'model:read', scopes],
    ['admin', 'models:reed', []],
    ['admin', 'predict:all', []],
  ] as const)('of a %s with %j are %j', (role, scope, expected) => {
    expect(allowed(caller(role, scope))).toEqual(expected);
  });

  it.each([undefined, '', 'openid profile email', 'aws.cognito.signin.user.admin'])(
    'narrow nothing where the claim %j speaks of something else',
    (scope) => {
      expect(allowed(caller('viewer', scope))).toEqual(
        scopes.filter((one) => roleScopes.viewer.includes(one)),
      );
    },
  );
});

describe('a refusal', () => {
  it('says which scope is missing, and which roles have it', () => {
    expect(() => requireScope(caller('viewer'), 'models:deploy')).toThrow(
      expect.objectContaining({
        code: 'SCOPE_MISSING',
        evidence: { role: 'viewer', scope: 'models:deploy' },
        message: expect.stringContaining('for one that has it: deployer, admin'),
      }),
    );
  });

  it('says of a narrowed token that the token is what refuses', () => {
    expect(() => requireScope(caller('admin', 'predict'), 'models:read')).toThrow(/role admin has and/);
  });
});

describe('the serving plane', () => {
  const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
  const served = (Object.entries(routes) as [OperationId, Route][]).filter(
    ([, { function: name, authorized }]) => name === 'predict' && authorized,
  );

  it.each(served)('asks for the scope of the route table in %s', (_, route) => {
    const { operation } = routeOf(route.method, route.path.replaceAll(/\{\w+\}/g, id));
    expect(scopeOf[operation]).toBe(route.scope);
  });

  it('has more than a few of them', () => {
    expect(served.length).toBeGreaterThan(10);
  });
});
