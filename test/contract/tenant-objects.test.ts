// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of IAM policies are written so
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { roleSession } from '../../local/iam/principal.ts';
import { S3Server } from '../../local/s3/s3-server.ts';
import { S3Objects, s3Clients } from '../../src/adapters/aws/s3-objects.ts';
import { SignedObjects } from '../../src/adapters/aws/signed-objects.ts';
import type { TenantSessions } from '../../src/tenancy/credentials.ts';
import { tenantA, tenantB } from '../support/tenants.ts';
import { allow, Fixture, role, STACK } from './local-support/fixture.ts';

const bucket = 'fixture-bucket';
const minuteMs = 60_000;
const nowMs = Date.now();

let fixture: Fixture;
let server: S3Server;
let endpoint: string;
let objects: S3Objects;
let signed: SignedObjects;
/** How long each session had to last. */
const asked: (number | undefined)[] = [];
let leftMinutes = 60;

/** Sessions that the twin knows, as its STS would give them. */
const sessions: TenantSessions = {
  of: async ({ tenantId }, leftMs) => {
    asked.push(leftMs);
    const expiresAtMs = nowMs + leftMinutes * minuteMs;
    const principal = { ...roleSession(`${STACK}-TenantRole`, tenantId), tags: { tenant: tenantId } };
    return { ...fixture.registry.issueUntil(principal, expiresAtMs), expiresAtMs };
  },
};

beforeAll(async () => {
  const own = 'arn:aws:s3:::fixture-bucket/tenants/${aws:PrincipalTag/tenant}';
  fixture = new Fixture({
    Bucket: { Type: 'AWS::S3::Bucket' },
    TenantRole: role(
      allow(['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], `${own}/read/*`),
      allow('s3:PutObject', `${own}/write/*`),
      allow('s3:ListBucket', 'arn:aws:s3:::fixture-bucket', {
        StringLike: { 's3:prefix': 'tenants/${aws:PrincipalTag/tenant}/*' },
      }),
    ),
  });
  const { registry, onFailure } = fixture;
  server = new S3Server({ directory: join(fixture.directory, 's3'), registry, onFailure });
  endpoint = await server.start();
  server.deploy(fixture.template.ofType('AWS::S3::Bucket'), fixture.authorizer);
  // Not used: no request of these tests is made by the function's own role.
  Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' });
  const clients = s3Clients(sessions, {
    ...{ endpoint, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' },
  });
  objects = new S3Objects(clients, bucket);
  signed = new SignedObjects({ region: 'us-east-1', endpoint, bucket, sessions });
});
afterAll(async () => {
  await server.stop();
  fixture.remove();
  expect(fixture.failures).toEqual([]);
});

describe('an object of a tenant', () => {
  it('is read, written and deleted by the session of that tenant', async () => {
    await objects.putBytes(tenantA, 'tenants/aa/read/x', 'of aa');
    expect(Buffer.from((await objects.getBytes(tenantA, 'tenants/aa/read/x'))!).toString()).toBe('of aa');
    expect(Buffer.from((await signed.get(tenantA, 'tenants/aa/read/x'))!).toString()).toBe('of aa');
    expect(await objects.sizeOf(tenantA, 'tenants/aa/read/x')).toBe(5);
    await objects.delete(tenantA, 'tenants/aa/read/x');
    expect(await objects.getBytes(tenantA, 'tenants/aa/read/x')).toBeUndefined();
  });

  it('that is missing is missing, although S3 says 403 to who may not list the bucket', async () => {
    // Only its name begins as what is asked for.
    await objects.putBytes(tenantA, 'tenants/aa/read/missing-not', 'x');
    const key = 'tenants/aa/read/missing';
    expect(await objects.getBytes(tenantA, key)).toBeUndefined();
    expect(await objects.sizeOf(tenantA, key)).toBeUndefined();
    expect(await objects.getFile(tenantA, key, join(fixture.directory, 'file'))).toBe(false);
    expect(await signed.get(tenantA, key)).toBeUndefined();
  });

  it('that may not be read is no missing one', async () => {
    const key = 'tenants/aa/write/x';
    writeFileSync(join(fixture.directory, 'source'), 'x');
    await objects.putFile(tenantA, key, join(fixture.directory, 'source'));
    await expect(objects.getBytes(tenantA, key)).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(objects.sizeOf(tenantA, key)).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(signed.get(tenantA, key)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('is not asked for by the context of another tenant', async () => {
    for (const key of ['tenants/aa/read/x', 'tenants/bb/../aa/read/x', 'read/x', 'tenants/bbb/read/x']) {
      await expect(async () => objects.getBytes(tenantB, key), key).rejects.toThrow(
        'leads out of its tenant',
      );
      await expect(signed.get(tenantB, key), key).rejects.toThrow('leads out of its tenant');
    }
  });
});

describe('a link', () => {
  const key = 'tenants/aa/read/linked';
  const expiryOf = (url: string) => Number(new URL(url).searchParams.get('X-Amz-Expires'));

  it('lasts as long as was asked for, by a session that lasts longer', async () => {
    leftMinutes = 60;
    await objects.putBytes(tenantA, key, 'linked');
    const link = await objects.linkToGet(tenantA, key, { nowMs, seconds: 900 });
    expect(asked.at(-1)).toBe(15 * minuteMs);
    expect([expiryOf(link.url), link.expiresAtMs]).toEqual([900, nowMs + 15 * minuteMs]);
    expect(await (await fetch(link.url)).text()).toBe('linked');
    const bare = await signed.link(tenantA, key, 900);
    expect(asked.at(-1)).toBe(15 * minuteMs);
    expect(await (await fetch(bare)).text()).toBe('linked');
  });

  it('promises no more than is left of the session that signs it', async () => {
    leftMinutes = 40;
    const time = { nowMs, seconds: 3600, atLeastSeconds: 1800 };
    const link = await objects.linkToPut(tenantA, key, time, { ContentLength: 3 });
    expect(asked.at(-1)).toBe(30 * minuteMs);
    expect([expiryOf(link.url), link.expiresAtMs]).toEqual([2400, nowMs + 40 * minuteMs]);
    const put = (body: string) => fetch(link.url, { method: 'PUT', body });
    expect((await put('longer')).status).toBe(403);
    expect((await put('new')).status).toBe(200);
  });
});
