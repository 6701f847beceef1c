import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IssuerUnavailableError, OidcTokens } from '../../../src/adapters/oidc-tokens.ts';

const rsa = await generateKeyPair('RS256', { extractable: true });
const ec = await generateKeyPair('ES256', { extractable: true });
const stranger = await generateKeyPair('RS256', { extractable: true });

let server: Server;
let issuer: string;
let jwksStatus = 200;

beforeAll(async () => {
  const keys = [
    { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', use: 'sig' },
    { ...(await exportJWK(ec.publicKey)), kid: 'ec', use: 'sig', alg: 'ES256' },
  ];
  server = createServer((request, response) => {
    const isDiscovery = request.url === '/.well-known/openid-configuration';
    response.statusCode = isDiscovery ? 200 : jwksStatus;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(isDiscovery ? { issuer, jwks_uri: `${issuer}/jwks` } : { keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const tokens = () =>
  new OidcTokens({ issuer, audience: 'tenantml', tenantClaim: 'tenant', roleClaim: 'role' });

const nowSeconds = () => Math.floor(Date.now() / 1000);
const claims = (over: Record<string, unknown> = {}): JWTPayload =>
  JSON.parse(
    JSON.stringify({
      ...{ iss: issuer, aud: 'tenantml', sub: 'user-1', exp: nowSeconds() + 600, iat: nowSeconds() },
      ...{ tenant: 'acme', role: 'admin', ...over },
    }),
  ) as JWTPayload;

const signed = (payload: JWTPayload, alg = 'RS256', kid = 'rsa', key = rsa.privateKey) =>
  new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(key);

describe('OidcTokens', () => {
  it.each([
    ['RS256', 'rsa', rsa.privateKey],
    ['ES256', 'ec', ec.privateKey],
  ] as const)('takes a token signed with %s', async (alg, kid, key) => {
    const payload = claims();
    expect(await tokens().verify(await signed(payload, alg, kid, key))).toEqual({
      ...{ tenant: 'acme', role: 'admin', subject: 'user-1', expires_at: payload.exp },
    });
  });

  it("takes Cognito's access token, whose audience is its client", async () => {
    const token = await signed(claims({ aud: undefined, client_id: 'tenantml' }));
    expect(await tokens().verify(token)).toMatchObject({ tenant: 'acme' });
  });

  it('takes one of several audiences, and a viewer when no role is named', async () => {
    const token = await signed(claims({ aud: ['other', 'tenantml'], role: undefined }));
    expect(await tokens().verify(token)).toMatchObject({ tenant: 'acme', role: 'viewer' });
  });

  it('hands on the scopes of a token, and nothing that is no text', async () => {
    const scoped = await signed(claims({ scope: 'predict models:read' }));
    expect(await tokens().verify(scoped)).toMatchObject({ scope: 'predict models:read' });
    expect(await tokens().verify(await signed(claims({ scope: ['predict'] })))).not.toHaveProperty('scope');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['that has expired', { exp: 1_700_000_000 }, 'TOKEN_EXPIRED'],
    ['without an end', { exp: undefined }, 'TOKEN_INVALID'],
    ['that is not valid yet', { nbf: 4_000_000_000 }, 'TOKEN_INVALID'],
    ['for another audience', { aud: 'other' }, 'TOKEN_INVALID'],
    ['for no audience', { aud: undefined }, 'TOKEN_INVALID'],
    ['for another client', { aud: undefined, client_id: 'other' }, 'TOKEN_INVALID'],
    [
      'whose client is right but whose audience is another',
      { aud: 'other', client_id: 'tenantml' },
      'TOKEN_INVALID',
    ],
    ['of another issuer', { iss: 'https://elsewhere.example.com' }, 'TOKEN_INVALID'],
    ['without an issuer', { iss: undefined }, 'TOKEN_INVALID'],
    ['without a subject', { sub: undefined }, 'TOKEN_INVALID'],
    ['without a tenant', { tenant: undefined }, 'TENANT_CLAIM_INVALID'],
    ['whose tenant is a list', { tenant: ['acme', 'other'] }, 'TENANT_CLAIM_INVALID'],
    ['with a role that there is not', { role: 'owner' }, 'ROLE_UNKNOWN'],
    ['whose role is that of every object', { role: 'toString' }, 'ROLE_UNKNOWN'],
    ['whose roles are a list', { role: ['admin'] }, 'ROLE_UNKNOWN'],
    ['whose role is empty', { role: '' }, 'ROLE_UNKNOWN'],
    ['whose tenant is a number', { tenant: 7 }, 'TENANT_CLAIM_INVALID'],
  ])('refuses a token %s', async (_, over, denied) => {
    expect(await tokens().verify(await signed(claims(over)))).toEqual({ denied });
  });

  it('refuses a token that nobody signed', async () => {
    const token = new UnsecuredJWT(claims()).encode();
    expect(await tokens().verify(token)).toEqual({ denied: 'TOKEN_INVALID' });
  });

  it("refuses a token signed with the issuer's public key as if it were a shared secret", async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const body = `${part({ alg: 'HS256', kid: 'rsa' })}.${part(claims())}`;
    const mac = createHmac('sha256', await exportSPKI(rsa.publicKey))
      .update(body)
      .digest('base64url');
    expect(await tokens().verify(`${body}.${mac}`)).toEqual({ denied: 'TOKEN_INVALID' });
  });

  it.each(['RS512', 'PS256'])("refuses a token that the issuer's own key signed with %s", async (alg) => {
    const key = await importJWK(await exportJWK(rsa.privateKey), alg);
    expect(await tokens().verify(await signed(claims(), alg, 'rsa', key as typeof rsa.privateKey))).toEqual({
      denied: 'TOKEN_INVALID',
    });
  });

  it('refuses a token of an unknown key, under an unknown name and under the name of a known one', async () => {
    for (const kid of ['stranger', 'rsa']) {
      const token = await signed(claims(), 'RS256', kid, stranger.privateKey);
      expect(await tokens().verify(token)).toEqual({ denied: 'TOKEN_INVALID' });
    }
  });

  it('refuses a token whose claims were changed after it was signed', async () => {
    const [header, , signature] = (await signed(claims())).split('.');
    const changed = Buffer.from(JSON.stringify(claims({ tenant: 'other' }))).toString('base64url');
    expect(await tokens().verify(`${header}.${changed}.${signature}`)).toEqual({ denied: 'TOKEN_INVALID' });
  });

  it.each(['', 'garbage', 'a.b', 'a.b.c', '..', 'e30.e30.e30', 'x'.repeat(10_000)])(
    'refuses %j',
    async (token) => {
      expect(await tokens().verify(token)).toEqual({ denied: 'TOKEN_INVALID' });
    },
  );

  it('blames no token when the issuer cannot be asked', async () => {
    const token = await signed(claims());
    jwksStatus = 503;
    try {
      await expect(tokens().verify(token)).rejects.toThrow(IssuerUnavailableError);
    } finally {
      jwksStatus = 200;
    }
    const nobody = new OidcTokens({
      ...{ issuer: 'http://127.0.0.1:9', audience: 'tenantml', tenantClaim: 'tenant', roleClaim: 'role' },
    });
    await expect(nobody.verify(token)).rejects.toThrow();
  });
});
