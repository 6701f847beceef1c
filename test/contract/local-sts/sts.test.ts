// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of IAM policies are written so
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { iamArn } from '../../../local/aws/account.ts';
import { DynamoDbServer } from '../../../local/dynamodb/dynamodb-server.ts';
import { CredentialRegistry, type SessionCredentials } from '../../../local/iam/credential-registry.ts';
import { roleSession } from '../../../local/iam/principal.ts';
import { S3Server } from '../../../local/s3/s3-server.ts';
import { StsServer } from '../../../local/sts/sts-server.ts';
import { SignedClient } from '../../../src/adapters/aws/signed-client.ts';
import { StsSessions } from '../../../src/adapters/aws/sts-sessions.ts';
import { tenantNamed } from '../../support/tenants.ts';
import { allow, clientConfig, Fixture, role, STACK } from '../local-support/fixture.ts';

const Bucket = 'fixture-bucket';
const TableName = 'fixture-Table';
const SECRET = 'secret of these tests';
const hourMs = 3_600_000;
const tenantRoleArn = iamArn(`role/${STACK}-TenantRole`);

const tenantRole = {
  ...role(
    allow(
      ['s3:GetObject', 's3:PutObject'],
      'arn:aws:s3:::fixture-bucket/tenants/${aws:PrincipalTag/tenant}/*',
    ),
    allow('s3:ListBucket', 'arn:aws:s3:::fixture-bucket', {
      StringLike: { 's3:prefix': 'tenants/${aws:PrincipalTag/tenant}/*' },
    }),
    allow(
      ['dynamodb:GetItem', 'dynamodb:PutItem'],
      { 'Fn::GetAtt': ['Table', 'Arn'] },
      {
        'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['tenant/${aws:PrincipalTag/tenant}/'] },
        Null: { 'dynamodb:LeadingKeys': 'false' },
      },
    ),
  ),
};
Object.assign(tenantRole.Properties as object, {
  AssumeRolePolicyDocument: {
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: { 'Fn::GetAtt': ['FunctionRole', 'Arn'] } },
        Action: ['sts:AssumeRole', 'sts:TagSession'],
        Condition: {
          Null: { 'aws:RequestTag/tenant': 'false' },
          'ForAllValues:StringEquals': { 'aws:TagKeys': ['tenant'] },
          StringLike: { 'aws:RequestTag/tenant': '??*' },
        },
      },
    ],
  },
});

let nowMs: number;
let fixture: Fixture;
let registry: CredentialRegistry;
let servers: { stop(): Promise<void> }[];
let urls: { sts: string; s3: string; dynamodb: string };
let client: SignedClient;

beforeAll(async () => {
  const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });
  const mayAssume = allow(['sts:AssumeRole', 'sts:TagSession'], '*');
  fixture = new Fixture({
    FunctionRole: role(mayAssume),
    StrangerRole: role(mayAssume),
    TenantRole: tenantRole,
    Untrusting: role(),
    Bucket: { Type: 'AWS::S3::Bucket' },
    Table: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        AttributeDefinitions: ['pk', 'sk'].map(attribute),
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      },
    },
  });
  registry = new CredentialRegistry(SECRET, () => nowMs);
  nowMs = Date.now();
  const { authorizer, onFailure, directory, template } = fixture;
  const sts = new StsServer({ registry, onFailure });
  const s3 = new S3Server({ directory: `${directory}/s3`, registry, onFailure });
  const dynamodb = new DynamoDbServer({ directory: `${directory}/dynamodb`, registry, onFailure });
  servers = [sts, s3, dynamodb];
  urls = { sts: await sts.start(), s3: await s3.start(), dynamodb: await dynamodb.start() };
  sts.deploy(authorizer);
  s3.deploy(template.ofType('AWS::S3::Bucket'), authorizer);
  await dynamodb.deploy(template.ofType('AWS::DynamoDB::Table'), authorizer);
  const own = callerOf('FunctionRole');
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: own.accessKeyId,
    AWS_SECRET_ACCESS_KEY: own.secretAccessKey,
    AWS_SESSION_TOKEN: own.sessionToken,
  });
  client = new SignedClient('sts', urls.sts);
});
beforeEach(() => {
  nowMs = Date.now();
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  fixture.remove();
  expect(fixture.failures).toEqual([]);
});

const callerOf = (roleLogicalId: string): SessionCredentials =>
  registry.issue(roleSession(`${STACK}-${roleLogicalId}`, 'test'));

const sessionOf = (tenant: string) =>
  new StsSessions({ region: 'us-east-1', roleArn: tenantRoleArn, endpoint: urls.sts }).open(
    tenantNamed(tenant),
  );

const s3Of = (credentials: SessionCredentials) =>
  new S3Client({ ...clientConfig(urls.s3, credentials), forcePathStyle: true });
const itemsOf = (credentials: SessionCredentials) =>
  DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(urls.dynamodb, credentials)));

/** A call of AssumeRole as it is, with these parameters beside or over the usual ones. */
async function assumeRole(parameters: Record<string, string>, caller = 'FunctionRole') {
  const usual = { RoleArn: tenantRoleArn, RoleSessionName: 'session' };
  const { status, body } = await client.send(
    {
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ Action: 'AssumeRole', ...usual, ...parameters }).toString(),
    },
    callerOf(caller),
  );
  const text = body.toString('utf8');
  return { status, code: /<Code>(\w+)</.exec(text)?.[1], text };
}
const tagged = (tenant: string) => ({ 'Tags.member.1.Key': 'tenant', 'Tags.member.1.Value': tenant });

describe('a session with a tag', () => {
  it('reads and writes what bears its tag, and nothing else', async () => {
    const [a, b] = [await sessionOf('aa'), await sessionOf('bb')];
    const Key = 'tenants/aa/x';
    await s3Of(a).send(new PutObjectCommand({ Bucket, Key, Body: 'of aa' }));
    const read = await s3Of(a).send(new GetObjectCommand({ Bucket, Key }));
    expect(await read.Body!.transformToString()).toBe('of aa');
    // What is asked for is no pattern, and holds no variable.
    const literal = 'tenants/${aws:PrincipalTag/tenant}/x';
    for (const foreign of [Key, 'tenants/*/x', 'tenants/a?/x', 'tenants/bb/../aa/x', literal]) {
      const get = s3Of(b).send(new GetObjectCommand({ Bucket, Key: foreign }));
      await expect(get, foreign).rejects.toMatchObject({ name: 'AccessDenied' });
    }
    const item = { pk: 'tenant/aa/', sk: 'x' };
    await itemsOf(a).send(new PutCommand({ TableName, Item: item }));
    await expect(itemsOf(a).send(new GetCommand({ TableName, Key: item }))).resolves.toHaveProperty('Item');
    for (const pk of ['tenant/aa/', 'tenant/*/', 'tenant/a?/', 'tenant/${aws:PrincipalTag/tenant}/']) {
      const get = itemsOf(b).send(new GetCommand({ TableName, Key: { ...item, pk } }));
      await expect(get, pk).rejects.toMatchObject({ name: 'AccessDeniedException' });
    }
  });

  it('lists below its own prefix, and not without one', async () => {
    const s3 = s3Of(await sessionOf('bb'));
    const list = (Prefix?: string) => s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
    await expect(list('tenants/bb/')).resolves.toMatchObject({ KeyCount: 0 });
    for (const foreign of [undefined, '', 'tenants/', 'tenants/b', 'tenants/bb', 'tenants/aa/'])
      await expect(list(foreign)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('is told from a session of another tag that has its name', async () => {
    const named = (tenant: string) =>
      registry.issueUntil(
        { ...roleSession(`${STACK}-TenantRole`, 'same'), tags: { tenant } },
        nowMs + hourMs,
      );
    const get = (tenant: string) =>
      itemsOf(named(tenant)).send(new GetCommand({ TableName, Key: { pk: 'tenant/cc/', sk: 'x' } }));
    await expect(get('cc')).resolves.toBeDefined();
    await expect(get('dd')).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('ends when it says so, and a link that it signed ends with it', async () => {
    const session = await sessionOf('aa');
    expect(session.expiresAtMs).toBeGreaterThan(nowMs + hourMs - 2_000);
    expect(session.expiresAtMs).toBeLessThanOrEqual(nowMs + hourMs);
    const s3 = s3Of(session);
    const Key = 'tenants/aa/ending';
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    // Signed late in the session, for longer than is left of it.
    const link = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key }), {
      expiresIn: 7_200,
      signingDate: new Date(nowMs),
    });
    expect((await fetch(link)).status).toBe(200);
    nowMs = session.expiresAtMs;
    const answer = await fetch(link);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('<Code>ExpiredToken</Code>');
    nowMs = Date.now();
    const ended = registry.issueUntil(
      { ...roleSession(`${STACK}-TenantRole`, 'aa'), tags: { tenant: 'aa' } },
      nowMs - 1,
    );
    const get = itemsOf(ended).send(new GetCommand({ TableName, Key: { pk: 'tenant/aa/', sk: 'x' } }));
    await expect(get).rejects.toMatchObject({ name: 'ExpiredTokenException' });
  });

  it('outlives a restart, since its token says all of it', async () => {
    const session = await sessionOf('aa');
    const restarted = new S3Server({
      directory: `${fixture.directory}/s3-again`,
      registry: new CredentialRegistry(SECRET, () => nowMs),
      onFailure: fixture.onFailure,
    });
    const endpoint = await restarted.start();
    restarted.deploy(fixture.template.ofType('AWS::S3::Bucket'), fixture.authorizer);
    try {
      const s3 = new S3Client({ ...clientConfig(endpoint, session), forcePathStyle: true });
      await s3.send(new PutObjectCommand({ Bucket, Key: 'tenants/aa/later', Body: 'x' }));
    } finally {
      await restarted.stop();
    }
  });

  it('cannot be made by hand, nor be made of another one', async () => {
    const { expiresAtMs: _, ...session } = await sessionOf('bb');
    const [facts, mac] = session.sessionToken.slice('session-'.length).split('.') as [string, string];
    const claimed = Buffer.from(facts, 'base64url').toString().replaceAll('bb', 'aa');
    const forgedToken = `session-${Buffer.from(claimed).toString('base64url')}.${mac}`;
    const other = new CredentialRegistry('another secret').issueUntil(
      { ...roleSession(`${STACK}-TenantRole`, 'aa'), tags: { tenant: 'aa' } },
      nowMs + hourMs,
    );
    const mixed = { ...(await sessionOf('aa')), accessKeyId: session.accessKeyId };
    for (const forged of [{ ...session, sessionToken: forgedToken }, other, mixed]) {
      const get = s3Of(forged).send(new GetObjectCommand({ Bucket, Key: 'tenants/aa/x' }));
      await expect(get).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
    }
  });
});

describe('AssumeRole', () => {
  it.each([
    ['no tag', {}],
    ['a tag beside the tenant', { ...tagged('aa'), 'Tags.member.2.Key': 'x', 'Tags.member.2.Value': 'y' }],
    ['another tag', { 'Tags.member.1.Key': 'team', 'Tags.member.1.Value': 'aa' }],
    ['a tenant that the trust policy refuses', tagged('a')],
    ['a role that trusts nobody', { ...tagged('aa'), RoleArn: iamArn(`role/${STACK}-Untrusting`) }],
    ['a role that does not exist', { ...tagged('aa'), RoleArn: iamArn('role/none') }],
  ])('is refused with %s', async (_what, parameters) => {
    expect(await assumeRole(parameters)).toMatchObject({ status: 403, code: 'AccessDenied' });
  });

  it('is for whom the role trusts, whatever the caller may do by itself', async () => {
    expect(await assumeRole(tagged('aa'))).toMatchObject({ status: 200 });
    expect(await assumeRole(tagged('aa'), 'StrangerRole')).toMatchObject({ code: 'AccessDenied' });
    expect(await assumeRole(tagged('aa'), 'TenantRole')).toMatchObject({ code: 'AccessDenied' });
  });

  it.each([
    ['a wildcard in a tag', { ...tagged('a*') }],
    ['a variable in a tag', { ...tagged('${aws:username}') }],
    ['more than the hour of a chained session', { ...tagged('aa'), DurationSeconds: '3601' }],
    ['less than a quarter of an hour', { ...tagged('aa'), DurationSeconds: '60' }],
    ['a session name with a slash', { ...tagged('aa'), RoleSessionName: 'a/b' }],
  ])('takes no %s', async (_what, parameters) => {
    expect(await assumeRole(parameters)).toMatchObject({ status: 400, code: 'ValidationError' });
  });

  it('does not leave out what it does not know', async () => {
    expect(await assumeRole({ ...tagged('aa'), Policy: '{}' })).toMatchObject({ code: 'NotImplemented' });
    expect(await assumeRole({ Action: 'GetFederationToken' })).toMatchObject({ code: 'InvalidAction' });
  });

  it('is signed', async () => {
    const body = new URLSearchParams({ Action: 'AssumeRole', ...tagged('aa') });
    const answer = await fetch(urls.sts, { method: 'POST', body });
    expect(answer.status).toBe(403);
  });
});

describe('the sessions of a function', () => {
  it('say that the role refused, in words that lead to its policy', async () => {
    const refused = new StsSessions({
      ...{ region: 'us-east-1', endpoint: urls.sts },
      roleArn: iamArn(`role/${STACK}-Untrusting`),
    });
    await expect(refused.open(tenantNamed('aa'))).rejects.toMatchObject({
      code: 'TENANT_SESSION_REFUSED',
      message: expect.stringContaining('trust policy'),
      cause: { name: 'AccessDenied' },
    });
  });

  it('say that STS is away', async () => {
    const away = new StsSessions({ region: 'us-east-1', endpoint: 'http://127.0.0.1:1', roleArn: 'x' });
    await expect(away.open(tenantNamed('aa'))).rejects.toMatchObject({ code: 'TENANT_SESSION_UNAVAILABLE' });
  });
});
