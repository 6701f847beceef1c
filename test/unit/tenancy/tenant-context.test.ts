import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TenantId } from '../../../src/contracts/names.ts';
import { TenantContext, type VerifiedClaims } from '../../../src/tenancy/tenant-context.ts';

const good: VerifiedClaims = { tenant: 'acme', role: 'admin', subject: 'user-1', expires_at: 1_000 };
const codeOf = (claims: VerifiedClaims | undefined, nowMs = 0): string | undefined => {
  try {
    TenantContext.fromClaims(claims, 'r', nowMs);
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('TenantContext.fromClaims', () => {
  it('takes tenant and actor from the claims', () => {
    const tenant = TenantContext.fromClaims(good, 'request-7', 0);
    expect([tenant.tenantId, tenant.actor, tenant.requestId]).toEqual(['acme', 'user-1', 'request-7']);
  });

  it('is a viewer where the claims name no role', () => {
    const { role: _, ...claims } = good;
    const tenant = TenantContext.fromClaims(claims, 'r', 0);
    expect([tenant.role, tenant.may('models:read'), tenant.may('predict')]).toEqual(['viewer', true, false]);
  });

  it.each<[string, VerifiedClaims | undefined, string]>([
    ['no authorizer at all', undefined, 'UNAUTHENTICATED'],
    ['no tenant', { subject: 'x', expires_at: 1_000 }, 'UNAUTHENTICATED'],
    ['a refused token', { denied: 'TOKEN_EXPIRED' }, 'TOKEN_EXPIRED'],
    ['a refused key', { denied: 'API_KEY_INVALID' }, 'API_KEY_INVALID'],
    ['a refusal together with a tenant', { ...good, denied: 'TOKEN_INVALID' }, 'TOKEN_INVALID'],
    ['a refusal with a name of its own', { denied: 'toString' }, 'TOKEN_INVALID'],
    ['a refusal that is empty', { ...good, denied: '' }, 'TOKEN_INVALID'],
    ['a role that there is not', { ...good, role: 'root' }, 'ROLE_UNKNOWN'],
    ['no end of the token', { tenant: 'acme' }, 'TOKEN_EXPIRED'],
    ['an end that is no number', { ...good, expires_at: 'soon' }, 'TOKEN_EXPIRED'],
  ])('refuses %s', (_, claims, code) => {
    expect(codeOf(claims)).toBe(code);
  });

  it('refuses a token from the moment on at which it ends, although the answer of the authorizer is cached', () => {
    expect(codeOf(good, 999_999)).toBeUndefined();
    expect(codeOf(good, 1_000_000)).toBe('TOKEN_EXPIRED');
    expect(codeOf({ ...good, expires_at: '1000' }, 999_999)).toBeUndefined();
    expect(codeOf({ ...good, expires_at: '1000' }, 1_000_000)).toBe('TOKEN_EXPIRED');
  });

  it.each([
    '',
    'a',
    'A',
    'Acme',
    '-acme',
    'acme-',
    'a--b',
    'a/b',
    '../b',
    'a b',
    'acme\n',
    'ä',
    'a.b',
    'a_b',
    '*',
    'x'.repeat(64),
  ])('refuses the tenant %j', (tenant) => {
    expect(codeOf({ ...good, tenant })).toBe('TENANT_CLAIM_INVALID');
  });

  it('takes exactly the names that the contract takes', () => {
    const letters = fc.string({
      unit: fc.constantFrom('a', 'z', '0', '9', '-', 'A', '/', '.', '\n', ' '),
      maxLength: 70,
    });
    fc.assert(
      fc.property(letters, (tenant) => {
        expect(codeOf({ ...good, tenant }) === undefined).toBe(TenantId.safeParse(tenant).success);
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });
});

describe('TenantContext.fromJob', () => {
  it('takes the tenant from what the job was created with', async () => {
    const jobs = { ownerOf: async () => ({ tenant: 'acme', subject: 'user-1' }) };
    expect(await TenantContext.fromJob(jobs, 'j', 'r')).toMatchObject({ tenantId: 'acme', actor: 'user-1' });
  });

  it('refuses a job that nobody created, and an owner that is no tenant', async () => {
    await expect(TenantContext.fromJob({ ownerOf: async () => undefined }, 'j', 'r')).rejects.toMatchObject({
      code: 'JOB_NOT_FOUND',
    });
    const forged = { ownerOf: async () => ({ tenant: '../b', subject: 'x' }) };
    await expect(TenantContext.fromJob(forged, 'j', 'r')).rejects.toMatchObject({
      code: 'TENANT_CLAIM_INVALID',
    });
  });
});
