// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Fn::Sub of CloudFormation is written so
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3Server } from '../../../local/s3/s3-server.ts';
import { allow, clientConfig, Fixture, role } from '../local-support/fixture.ts';

const BUCKET = 'fixture-plain';
const VERSIONED = 'fixture-versioned';

let fixture: Fixture;
let server: S3Server;
let endpoint: string;
let s3: S3Client;

function client(roleName: string): S3Client {
  return new S3Client({ ...clientConfig(endpoint, fixture.credentials(roleName)), forcePathStyle: true });
}

async function start(): Promise<void> {
  server = new S3Server({
    directory: `${fixture.directory}/s3`,
    registry: fixture.registry,
    onFailure: fixture.onFailure,
  });
  endpoint = await server.start();
  server.deploy(fixture.template.ofType('AWS::S3::Bucket'), fixture.authorizer);
  s3 = client('Everything');
}

beforeAll(async () => {
  fixture = new Fixture({
    Plain: { Type: 'AWS::S3::Bucket' },
    Versioned: { Type: 'AWS::S3::Bucket', Properties: { VersioningConfiguration: { Status: 'Enabled' } } },
    PlainPolicy: {
      Type: 'AWS::S3::BucketPolicy',
      Properties: {
        Bucket: { Ref: 'Plain' },
        PolicyDocument: {
          Statement: [
            {
              Effect: 'Deny',
              Principal: { AWS: '*' },
              Action: 's3:*',
              Resource: [`arn:aws:s3:::${BUCKET}/*`],
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            },
            {
              Effect: 'Deny',
              Principal: '*',
              Action: 's3:GetObject',
              Resource: `arn:aws:s3:::${BUCKET}/forbidden/*`,
            },
          ],
        },
      },
    },
    Everything: role(allow('s3:*', '*')),
    OneTenant: role(
      allow(['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], { 'Fn::Sub': '${Plain.Arn}/tenants/a/*' }),
      allow(
        's3:ListBucket',
        { 'Fn::GetAtt': ['Plain', 'Arn'] },
        { StringLike: { 's3:prefix': 'tenants/a/*' } },
      ),
    ),
  });
  await start();
});

afterAll(async () => {
  await server.stop();
  fixture.remove();
  expect(fixture.failures).toEqual([]);
});

const put = (Key: string, Body: string | Buffer, more = {}) =>
  s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more }));
const text = async (Key: string, more = {}) =>
  (await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key, ...more }))).Body?.transformToString();

describe('objects', () => {
  it('returns what was put, with content type, metadata and etag', async () => {
    const answer = await put('a key/with ümläut +&?.txt', 'hello', {
      ContentType: 'text/x',
      Metadata: { who: 'me' },
    });
    const object = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'a key/with ümläut +&?.txt' }));
    expect(await object.Body?.transformToString()).toBe('hello');
    expect(object.ContentType).toBe('text/x');
    expect(object.Metadata).toEqual({ who: 'me' });
    expect(object.ETag).toBe(`"${createHash('md5').update('hello').digest('hex')}"`);
    expect(answer.ETag).toBe(object.ETag);
  });

  it('takes a streamed body in chunks with a trailing checksum', async () => {
    const chunks = Array.from({ length: 50 }, (_, i) => Buffer.alloc(40_000, i));
    const whole = Buffer.concat(chunks);
    await s3.send(
      new PutObjectCommand({
        Bucket: BUCKET,
        Key: 'streamed',
        Body: Readable.from(chunks),
        ContentLength: whole.length,
      }),
    );
    const object = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'streamed' }));
    expect(Buffer.from((await object.Body?.transformToByteArray()) ?? []).equals(whole)).toBe(true);
    expect(object.ChecksumCRC32).toBeDefined();
  });

  it('refuses a body that does not match its stated checksum', async () => {
    await expect(put('damaged', 'hello', { ChecksumCRC32: 'AAAAAA==' })).rejects.toMatchObject({
      name: 'BadDigest',
    });
    await expect(text('damaged')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('serves ranges, also of the end, and refuses one outside', async () => {
    await put('range', '0123456789');
    const part = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'range', Range: 'bytes=2-4' }));
    expect(await part.Body?.transformToString()).toBe('234');
    expect(part.ContentRange).toBe('bytes 2-4/10');
    expect(await text('range', { Range: 'bytes=-3' })).toBe('789');
    await expect(text('range', { Range: 'bytes=10-' })).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  it('honours conditions on reading', async () => {
    const { ETag } = await put('conditional', 'x');
    await expect(text('conditional', { IfNoneMatch: ETag })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    });
    await expect(text('conditional', { IfMatch: '"other"' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    expect(await text('conditional', { IfMatch: ETag })).toBe('x');
  });

  it('lets one of twenty concurrent creates win', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => put('race', `writer ${i}`, { IfNoneMatch: '*' })),
    );
    const losers = results.filter((result) => result.status === 'rejected');
    expect(losers).toHaveLength(19);
    expect(losers.every(({ reason }) => reason.name === 'PreconditionFailed')).toBe(true);
    const winner = results.findIndex((result) => result.status === 'fulfilled');
    expect(await text('race')).toBe(`writer ${winner}`);
  });

  it('replaces with IfMatch only the version that was read', async () => {
    const { ETag } = await put('replace', 'one');
    await put('replace', 'two', { IfMatch: ETag });
    await expect(put('replace', 'three', { IfMatch: ETag })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    expect(await text('replace')).toBe('two');
    await expect(put('replace-missing', 'x', { IfMatch: ETag })).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('copies, deletes one and many', async () => {
    await put('copy/source', 'content', { ContentType: 'text/x' });
    await s3.send(
      new CopyObjectCommand({ Bucket: BUCKET, Key: 'copy/target', CopySource: `${BUCKET}/copy/source` }),
    );
    const head = await s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'copy/target' }));
    expect([head.ContentLength, head.ContentType]).toEqual([7, 'text/x']);
    await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'copy/source' }));
    expect(await text('copy/target')).toBe('content');
    const deleted = await s3.send(
      new DeleteObjectsCommand({
        Bucket: BUCKET,
        Delete: { Objects: [{ Key: 'copy/target' }, { Key: 'copy/<none>' }] },
      }),
    );
    expect(deleted.Deleted?.map(({ Key }) => Key)).toEqual(['copy/target', 'copy/<none>']);
    await expect(
      s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'copy/target' })),
    ).rejects.toMatchObject({ name: 'NotFound' });
  });

  it('lists by prefix and delimiter, in pages, in byte order', async () => {
    for (const key of ['l/a', 'l/b/1', 'l/b/2', 'l/c', 'l/é', 'm']) await put(key, key);
    const all = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'l/', Delimiter: '/' }));
    expect(all.Contents?.map(({ Key }) => Key)).toEqual(['l/a', 'l/c', 'l/é']);
    expect(all.CommonPrefixes).toEqual([{ Prefix: 'l/b/' }]);
    const keys: (string | undefined)[] = [];
    let token: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'l/', MaxKeys: 2, ContinuationToken: token }),
      );
      expect(page.KeyCount).toBeLessThanOrEqual(2);
      keys.push(...(page.Contents ?? []).map(({ Key }) => Key));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    expect(keys).toEqual(['l/a', 'l/b/1', 'l/b/2', 'l/c', 'l/é']);
  });

  it('puts a multipart upload together and forgets an aborted one', async () => {
    const target = { Bucket: BUCKET, Key: 'multipart' };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));
    const parts = [Buffer.alloc(5 * 1024 * 1024, 'a'), Buffer.from('tail')];
    const etags = await Promise.all(
      parts.map(
        async (Body, i) =>
          (await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: i + 1, Body }))).ETag,
      ),
    );
    const done = await s3.send(
      new CompleteMultipartUploadCommand({
        ...target,
        UploadId,
        MultipartUpload: { Parts: etags.map((ETag, i) => ({ ETag, PartNumber: i + 1 })) },
      }),
    );
    expect(done.ETag).toMatch(/-2"$/);
    expect(await text('multipart', { Range: 'bytes=5242878-' })).toBe('aatail');
    const other = await s3.send(new CreateMultipartUploadCommand(target));
    await s3.send(new AbortMultipartUploadCommand({ ...target, UploadId: other.UploadId }));
    await expect(
      s3.send(new UploadPartCommand({ ...target, UploadId: other.UploadId, PartNumber: 1, Body: 'x' })),
    ).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  it('keeps objects over a restart', async () => {
    await put('kept', 'still here');
    await server.stop();
    await start();
    expect(await text('kept')).toBe('still here');
  });
});

describe('versions', () => {
  const Key = 'v';
  const send = async (Body: string) =>
    (await s3.send(new PutObjectCommand({ Bucket: VERSIONED, Key, Body }))).VersionId;
  const read = async (VersionId?: string) =>
    (await s3.send(new GetObjectCommand({ Bucket: VERSIONED, Key, VersionId }))).Body?.transformToString();

  it('keeps every version, hides the object behind a delete marker and brings it back', async () => {
    const first = await send('one');
    const second = await send('two');
    expect(await read(first)).toBe('one');
    const marker = await s3.send(new DeleteObjectCommand({ Bucket: VERSIONED, Key }));
    expect(marker.DeleteMarker).toBe(true);
    await expect(read()).rejects.toMatchObject({ name: 'NoSuchKey' });
    const listed = await s3.send(new ListObjectVersionsCommand({ Bucket: VERSIONED }));
    expect(listed.Versions?.map(({ VersionId }) => VersionId)).toEqual([second, first]);
    expect(listed.DeleteMarkers).toHaveLength(1);
    await s3.send(new DeleteObjectCommand({ Bucket: VERSIONED, Key, VersionId: marker.VersionId }));
    expect(await read()).toBe('two');
  });
});

describe('presigned URLs', () => {
  const crcOfHello = Buffer.from(crc32('hello').toString(16).padStart(8, '0'), 'hex').toString('base64');
  const sha1OfHello = createHash('sha1').update('hello').digest('base64');
  /** A URL for an upload that says nothing about the body. */
  const plainUrl = (Key: string) =>
    getSignedUrl(plain, new PutObjectCommand({ Bucket: BUCKET, Key }), { expiresIn: 60 });
  let plain: S3Client;
  beforeAll(() => {
    plain = new S3Client({
      ...clientConfig(endpoint, fixture.credentials('Everything')),
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
  });

  it('upload exactly the signed length and download', async () => {
    const body = 'presigned body';
    const url = await getSignedUrl(
      plain,
      new PutObjectCommand({ Bucket: BUCKET, Key: 'p', ContentLength: body.length }),
      {
        expiresIn: 60,
        signableHeaders: new Set(['host', 'content-length']),
      },
    );
    const longer = await fetch(url, { method: 'PUT', body: `${body}!` });
    expect([longer.status, await longer.text()]).toEqual([
      403,
      expect.stringContaining('SignatureDoesNotMatch'),
    ]);
    expect((await fetch(url, { method: 'PUT', body })).status).toBe(200);
    const download = await getSignedUrl(s3, new GetObjectCommand({ Bucket: BUCKET, Key: 'p' }), {
      expiresIn: 60,
    });
    expect(await (await fetch(download)).text()).toBe(body);
    expect((await fetch(download.replace('/p?', '/q?'))).status).toBe(403);
  });

  it('hold the body to a checksum in their query', async () => {
    // What an SDK does by default: it signs before there is a body, so the URL carries the CRC32 of nothing.
    const command = new PutObjectCommand({ Bucket: BUCKET, Key: 'of-nothing' });
    const url = await getSignedUrl(s3, command, { expiresIn: 60 });
    expect(new URL(url).searchParams.get('x-amz-checksum-crc32')).toBe('AAAAAA==');
    const answer = await fetch(url, { method: 'PUT', body: 'something' });
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining('<Code>BadDigest</Code>'),
    ]);
    await expect(text('of-nothing')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect((await fetch(url, { method: 'PUT', body: '' })).status).toBe(200);
  });

  it.each([
    ['that is none', { 'x-amz-checksum-crc32': 'AAA' }, 'Value for x-amz-checksum-crc32 header is invalid'],
    [
      'of two kinds',
      { 'x-amz-checksum-crc32': crcOfHello, 'x-amz-checksum-sha1': sha1OfHello },
      'Expecting a single x-amz-checksum- header',
    ],
    ['that is announced only', { 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'no corresponding'],
  ])('refuse a checksum %s', async (_, headers, message) => {
    const url = await plainUrl('refused');
    const answer = await fetch(url, { method: 'PUT', body: 'hello', headers });
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringMatching(new RegExp(`<Code>InvalidRequest</Code>.*${message}`)),
    ]);
  });

  it('hold the body to a checksum in a header', async () => {
    const send = async (body: string) =>
      (
        await fetch(await plainUrl('h'), {
          method: 'PUT',
          body,
          headers: { 'x-amz-checksum-crc32': crcOfHello },
        })
      ).status;
    expect([await send('hello'), await send('hullo')]).toEqual([200, 400]);
  });

  it('are refused after their time', async () => {
    const signingDate = new Date(Date.now() - 120_000);
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: BUCKET, Key: 'p' }), {
      expiresIn: 60,
      signingDate,
    });
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringContaining('Request has expired'),
    ]);
  });
});

describe('authorization', () => {
  const denied = { name: 'AccessDenied' };

  it('holds a role to its keys', async () => {
    const tenant = client('OneTenant');
    const own = { Bucket: BUCKET, Key: 'tenants/a/x' };
    await tenant.send(new PutObjectCommand({ ...own, Body: 'mine' }));
    await expect(
      tenant.send(new PutObjectCommand({ ...own, Key: 'tenants/b/x', Body: 'y' })),
    ).rejects.toMatchObject(denied);
    await expect(tenant.send(new GetObjectCommand({ ...own, Key: 'tenants/ab/x' }))).rejects.toMatchObject(
      denied,
    );
    await expect(
      tenant.send(new PutObjectCommand({ ...own, Key: 'tenants/*', Body: 'y' })),
    ).rejects.toMatchObject(denied);
    await expect(
      tenant.send(new CopyObjectCommand({ ...own, CopySource: `${BUCKET}/range` })),
    ).rejects.toMatchObject(denied);
    expect(
      (await tenant.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'tenants/a/' }))).KeyCount,
    ).toBe(1);
    await expect(
      tenant.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'tenants/' })),
    ).rejects.toMatchObject(denied);
  });

  it('answers 403 for a missing key when the role may not list the bucket', async () => {
    await expect(
      client('OneTenant').send(new GetObjectCommand({ Bucket: BUCKET, Key: 'tenants/a/none' })),
    ).rejects.toMatchObject(denied);
  });

  it('lets a bucket policy deny what the role allows', async () => {
    await put('forbidden/x', 'x');
    await expect(text('forbidden/x')).rejects.toMatchObject(denied);
  });

  it('refuses unknown keys, wrong secrets and unsigned requests', async () => {
    const { accessKeyId, sessionToken } = fixture.credentials('Everything');
    const forged = new S3Client({
      ...clientConfig(endpoint, { accessKeyId, sessionToken, secretAccessKey: 'guessed' }),
      forcePathStyle: true,
    });
    await expect(forged.send(new ListObjectsV2Command({ Bucket: BUCKET }))).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
    });
    expect((await fetch(`${endpoint}/${BUCKET}/range`)).status).toBe(403);
    await expect(s3.send(new ListObjectsV2Command({ Bucket: 'other' }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
  });
});
