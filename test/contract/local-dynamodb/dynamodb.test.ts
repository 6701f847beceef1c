import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DynamoDbServer } from '../../../local/dynamodb/dynamodb-server.ts';
import { allow, clientConfig, Fixture, role } from '../local-support/fixture.ts';

const TableName = 'fixture-Jobs';

let fixture: Fixture;
let server: DynamoDbServer;
let endpoint: string;
let db: DynamoDBDocumentClient;

function client(roleName: string): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(
    new DynamoDBClient(clientConfig(endpoint, fixture.credentials(roleName))),
  );
}

async function start(): Promise<void> {
  server = new DynamoDbServer({
    directory: `${fixture.directory}/dynamodb`,
    registry: fixture.registry,
    onFailure: fixture.onFailure,
  });
  endpoint = await server.start();
  await server.deploy(fixture.template.ofType('AWS::DynamoDB::Table'), fixture.authorizer);
  db = client('Everything');
}

beforeAll(async () => {
  const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });
  fixture = new Fixture({
    Jobs: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        AttributeDefinitions: ['pk', 'sk', 'due_shard', 'due_at'].map(attribute),
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        GlobalSecondaryIndexes: [
          {
            IndexName: 'due',
            KeySchema: [
              { AttributeName: 'due_shard', KeyType: 'HASH' },
              { AttributeName: 'due_at', KeyType: 'RANGE' },
            ],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
        TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
      },
    },
    Everything: role(allow('dynamodb:*', '*')),
    OneTenant: role(
      allow(
        ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:BatchWriteItem'],
        { 'Fn::GetAtt': ['Jobs', 'Arn'] },
        {
          'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['tenant/a/'] },
          Null: { 'dynamodb:LeadingKeys': 'false' },
        },
      ),
    ),
    ReadOnly: role(allow('dynamodb:GetItem', { 'Fn::GetAtt': ['Jobs', 'Arn'] })),
  });
  await start();
});

afterAll(async () => {
  await server.stop();
  fixture.remove();
  expect(fixture.failures).toEqual([]);
});

describe('items', () => {
  const key = { pk: 'tenant/a/', sk: 'job/1/' };

  it('writes under a condition once', async () => {
    const create = () =>
      db.send(
        new PutCommand({
          TableName,
          Item: { ...key, revision: 1 },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
    await create();
    await expect(create()).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    const updated = await db.send(
      new UpdateCommand({
        TableName,
        Key: key,
        UpdateExpression: 'SET revision = :new',
        ConditionExpression: 'revision < :new',
        ExpressionAttributeValues: { ':new': 2 },
        ReturnValues: 'ALL_NEW',
      }),
    );
    expect(updated.Attributes).toEqual({ ...key, revision: 2 });
  });

  it('queries the table and its index', async () => {
    await db.send(
      new PutCommand({
        TableName,
        Item: { pk: 'tenant/q/', sk: 'schedule/m/', due_shard: '0', due_at: '2026-01-01' },
      }),
    );
    const due = await db.send(
      new QueryCommand({
        TableName,
        IndexName: 'due',
        KeyConditionExpression: 'due_shard = :s AND due_at < :t',
        ExpressionAttributeValues: { ':s': '0', ':t': '2026-02-01' },
      }),
    );
    expect(due.Items?.map(({ pk }) => pk)).toEqual(['tenant/q/']);
  });

  it('keeps items over a restart', async () => {
    await server.stop();
    await start();
    expect((await db.send(new GetCommand({ TableName, Key: key }))).Item).toEqual({ ...key, revision: 2 });
  });

  it('deletes what has expired, and only that', async () => {
    const item = (sk: string, expires_at?: number) =>
      db.send(new PutCommand({ TableName, Item: { pk: 'ttl', sk, expires_at } }));
    await Promise.all([item('past', 1000), item('future', 3000)]);
    await db.send(new PutCommand({ TableName, Item: { pk: 'ttl', sk: 'never' } }));
    expect(await server.sweep(2_000_000)).toBe(1);
    const left = await db.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :p',
        ExpressionAttributeValues: { ':p': 'ttl' },
      }),
    );
    expect(left.Items?.map(({ sk }) => sk)).toEqual(['future', 'never']);
  });
});

describe('authorization', () => {
  const denied = { name: 'AccessDeniedException' };

  it('holds a role to its leading keys', async () => {
    const tenant = client('OneTenant');
    const put = (pk: string) => tenant.send(new PutCommand({ TableName, Item: { pk, sk: 'x' } }));
    await put('tenant/a/');
    await expect(put('tenant/b/')).rejects.toMatchObject(denied);
    await expect(
      tenant.send(new GetCommand({ TableName, Key: { pk: 'tenant/b/', sk: 'x' } })),
    ).rejects.toMatchObject(denied);
    const query = (pk: string) =>
      tenant.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: '#p = :p',
          ExpressionAttributeNames: { '#p': 'pk' },
          ExpressionAttributeValues: { ':p': pk },
        }),
      );
    expect((await query('tenant/a/')).Count).toBeGreaterThan(0);
    await expect(query('tenant/b/')).rejects.toMatchObject(denied);
    await expect(tenant.send(new ScanCommand({ TableName }))).rejects.toMatchObject(denied);
  });

  it('checks every key of a batch', async () => {
    const batch = (...pks: string[]) =>
      client('OneTenant').send(
        new BatchWriteCommand({
          RequestItems: { [TableName]: pks.map((pk) => ({ PutRequest: { Item: { pk, sk: 'batch' } } })) },
        }),
      );
    await batch('tenant/a/');
    await expect(batch('tenant/a/', 'tenant/b/')).rejects.toMatchObject(denied);
  });

  it('knows the action', async () => {
    const reader = client('ReadOnly');
    await reader.send(new GetCommand({ TableName, Key: { pk: 'x', sk: 'y' } }));
    await expect(
      reader.send(new DeleteCommand({ TableName, Key: { pk: 'x', sk: 'y' } })),
    ).rejects.toMatchObject(denied);
  });

  it('refuses a signature that does not hold', async () => {
    const { accessKeyId, sessionToken } = fixture.credentials('Everything');
    const forged = DynamoDBDocumentClient.from(
      new DynamoDBClient(clientConfig(endpoint, { accessKeyId, sessionToken, secretAccessKey: 'guessed' })),
    );
    await expect(forged.send(new ScanCommand({ TableName }))).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
  });
});
