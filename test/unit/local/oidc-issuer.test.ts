import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OidcIssuer } from '../../../local/identity/oidc-issuer.ts';

let directory: string;
let server: Server;
let url: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'twin-issuer-'));
  const issuer = await OidcIssuer.open({
    issuer: 'http://127.0.0.1/_twin/identity',
    audience: 'tenantml',
    keyFile: join(directory, 'identity.pem'),
  });
  server = createServer((request, response) => void issuer.serve(request, response, request.url ?? ''));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/_twin/identity/token`;
});
afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

const ask = (tenant: string) => fetch(url, { method: 'POST', body: new URLSearchParams({ tenant }) });

describe('the issuer of the twin', () => {
  it.each(['demo', 'a1', 'a-b-c', 'x'.repeat(63)])('gives a token of tenant %s', async (tenant) => {
    const answer = await ask(tenant);
    expect(answer.status).toBe(200);
    const { access_token } = (await answer.json()) as { access_token: string };
    expect(decodeJwt(access_token).tenant).toBe(tenant);
  });

  it.each([
    'Demo',
    'a',
    'a--b',
    '-a',
    'a-',
    'a_b',
    'a b',
    'a/b',
    'ä1',
    'x'.repeat(64),
    `a${'-a'.repeat(40)}`,
    'demo\n',
  ])('says at once that tenant %j could do nothing with a token', async (tenant) => {
    const answer = await ask(tenant);
    expect(answer.status).toBe(400);
    const { error, error_description } = (await answer.json()) as Record<string, string>;
    expect(error).toBe('invalid_request');
    expect(error_description).toContain(JSON.stringify(tenant));
    expect(error_description).toContain('^[a-z0-9](-?[a-z0-9]){1,62}$');
    expect(error_description).toContain('63');
  });

  it('quotes only the beginning of a long one', async () => {
    const { error_description } = (await (await ask('X'.repeat(50_000))).json()) as Record<string, string>;
    expect(error_description?.length).toBeLessThan(500);
  });
});
