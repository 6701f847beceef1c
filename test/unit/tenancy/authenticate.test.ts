import { describe, expect, it } from 'vitest';
import { authenticate } from '../../../src/tenancy/authenticate.ts';
import type { VerifiedClaims } from '../../../src/tenancy/tenant-context.ts';

const asked: string[] = [];
const gone = new Set<string>();
const verifiers = {
  tokens: {
    verify: async (token: string): Promise<VerifiedClaims> => {
      asked.push(`token ${token}`);
      return { tenant: 'of-token' };
    },
  },
  apiKeys: {
    verify: async (key: string): Promise<VerifiedClaims> => {
      asked.push(`key ${key}`);
      return { tenant: 'of-key' };
    },
  },
  offboardings: { ownerOf: async (tenant: string) => (gone.has(tenant) ? { tenant } : undefined) },
};
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('authenticate', () => {
  it.each(['Bearer abc', 'Bearer tml_secret'])(
    'refuses %j for a tenant that was offboarded',
    async (header) => {
      expect(await authenticate(header, verifiers)).not.toHaveProperty('denied');
      for (const tenant of ['of-token', 'of-key']) gone.add(tenant);
      expect(await authenticate(header, verifiers)).toEqual({ denied: 'TENANT_OFFBOARDED' });
      gone.clear();
    },
  );

  it.each([
    ['Bearer abc.def.ghi', 'token abc.def.ghi'],
    ['bearer   abc  ', 'token abc'],
    ['BEARER tml_secret', 'key tml_secret'],
    [`Basic ${base64('user:tml_secret')}`, 'key tml_secret'],
    [`basic ${base64(':tml_a:b')}`, 'key tml_a:b'],
    [`Basic ${base64('tml_only')}`, 'key tml_only'],
  ])('hands %j to whom it concerns', async (header, expected) => {
    asked.length = 0;
    await authenticate(header, verifiers);
    expect(asked).toEqual([expected]);
  });

  it.each([
    ['', 'UNAUTHENTICATED'],
    ['Bearer', 'UNAUTHENTICATED'],
    ['Bearer ', 'UNAUTHENTICATED'],
    ['Bearer a b', 'UNAUTHENTICATED'],
    ['abc.def.ghi', 'UNAUTHENTICATED'],
    ['Digest abc', 'UNAUTHENTICATED'],
    [`Basic ${base64('user:password')}`, 'API_KEY_INVALID'],
    ['Basic %%%', 'API_KEY_INVALID'],
    [`Basic ${base64('tml_user:password')}`, 'API_KEY_INVALID'],
  ])('refuses %j without asking anybody', async (header, denied) => {
    asked.length = 0;
    expect(await authenticate(header, verifiers)).toEqual({ denied });
    expect(asked).toEqual([]);
  });
});
