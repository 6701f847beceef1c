import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { iamArn } from '../../local/aws/account.ts';
import { DynamoDbServer } from '../../local/dynamodb/dynamodb-server.ts';
import { Authorizer } from '../../local/iam/authorizer.ts';
import { CredentialRegistry } from '../../local/iam/credential-registry.ts';
import { collectPolicies } from '../../local/iam/policies.ts';
import { roleSession } from '../../local/iam/principal.ts';
import { PostgresServer } from '../../local/postgres/postgres-server.ts';
import { S3Server } from '../../local/s3/s3-server.ts';
import { StsServer } from '../../local/sts/sts-server.ts';
import { DeployedTemplate } from '../../local/template/deployed-template.ts';
import { migrate } from '../../src/adapters/postgres/migrate.ts';
import { systemClock } from '../../src/clock.ts';

const root = join(import.meta.dirname, '../..');
export const migrationsFolder = join(root, 'src/adapters/postgres/migrations');

const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });
const hash = (AttributeName: string) => ({ AttributeName, KeyType: 'HASH' });
const range = (AttributeName: string) => ({ AttributeName, KeyType: 'RANGE' });

const itemTable = (properties: object = {}) => ({
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    AttributeDefinitions: [attribute('pk'), attribute('sk')],
    KeySchema: [hash('pk'), range('sk')],
    ...properties,
  },
});

/** The tables and buckets of the data stack; `test/contract/store-tables.test.ts` compares them with it. */
export const storeResources = {
  ArtifactBucket: {
    Type: 'AWS::S3::Bucket',
    Properties: { VersioningConfiguration: { Status: 'Enabled' } },
  },
  StagingBucket: { Type: 'AWS::S3::Bucket', Properties: {} },
  PredictionBucket: { Type: 'AWS::S3::Bucket', Properties: {} },
  ResultBucket: { Type: 'AWS::S3::Bucket', Properties: {} },
  ServingTable: itemTable(),
  IntentsTable: itemTable(),
  AccessTable: itemTable(),
  AuditTable: itemTable(),
  FeedbackTable: itemTable({
    TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
  }),
  TransientTable: itemTable({
    TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
  }),
  JobsTable: itemTable({
    AttributeDefinitions: [attribute('pk'), attribute('sk'), attribute('due_shard'), attribute('due_at')],
    TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
    GlobalSecondaryIndexes: [
      {
        IndexName: 'due',
        KeySchema: [hash('due_shard'), range('due_at')],
        Projection: { ProjectionType: 'ALL' },
      },
    ],
  }),
  IdempotencyTable: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      AttributeDefinitions: [attribute('id')],
      KeySchema: [hash('id')],
      TimeToLiveSpecification: { AttributeName: 'expiration', Enabled: true },
    },
  },
  TesterRole: {
    Type: 'AWS::IAM::Role',
    Properties: {
      // Its own tenant role: what roles may do is not what these stores are for.
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: iamArn('root') },
            Action: ['sts:AssumeRole', 'sts:TagSession'],
          },
        ],
      },
      Policies: [
        {
          PolicyName: 'everything',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
          },
        },
      ],
    },
  },
} as const;

export type StoreName = Exclude<keyof typeof storeResources, 'TesterRole'>;

export interface LocalStores {
  /** Physical names of tables and buckets. */
  readonly names: Readonly<Record<StoreName, string>>;
  readonly directory: string;
  readonly endpoints: { readonly s3: string; readonly dynamodb: string };
  stop(): Promise<void>;
}

/**
 * The twin's S3 and DynamoDB with the platform's buckets and tables, in a folder that goes afterwards. The
 * environment of this test process then leads the SDK to them, as Lambda's environment does in a deployment.
 */
export async function startLocalStores(): Promise<LocalStores> {
  const directory = mkdtempSync(join(tmpdir(), 'tenantml-stores-'));
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => {
    failures.push(error);
  };
  const registry = new CredentialRegistry('secret of the tests');
  const stack = {
    name: 'stores',
    template: { Resources: structuredClone(storeResources) as never },
    assemblyDirectory: directory,
  };
  const template = new DeployedTemplate([stack], {
    runtime: { databaseHost: '127.0.0.1', databasePort: 5432, gatewayUrl: 'http://127.0.0.1' },
  });
  const authorizer = new Authorizer(collectPolicies(template));
  const s3 = new S3Server({ directory: join(directory, 's3'), registry, onFailure });
  const dynamodb = new DynamoDbServer({ directory: join(directory, 'dynamodb'), registry, onFailure });
  const sts = new StsServer({ registry, onFailure });
  const endpoints = { s3: await s3.start(), dynamodb: await dynamodb.start() };
  const stsUrl = await sts.start();
  sts.deploy(authorizer);
  s3.deploy(template.ofType('AWS::S3::Bucket'), authorizer);
  await dynamodb.deploy(template.ofType('AWS::DynamoDB::Table'), authorizer);
  const role = template.ofType('AWS::IAM::Role')[0]!;
  const credentials = registry.issue(roleSession(role.physicalId, 'test'));
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_STS: stsUrl,
    TENANT_ROLE_ARN: iamArn(`role/${role.physicalId}`),
  });
  const named = template.resources.filter(({ logicalId }) => logicalId !== 'TesterRole');
  return {
    names: Object.fromEntries(
      named.map(({ logicalId, physicalId }) => [logicalId, physicalId]),
    ) as LocalStores['names'],
    directory,
    endpoints,
    stop: async () => {
      await s3.stop();
      await dynamodb.stop();
      await sts.stop();
      rmSync(directory, { recursive: true, force: true });
      if (failures.length > 0) throw new AggregateError(failures, 'a local server failed');
    },
  };
}

export interface LocalDatabase {
  readonly server: PostgresServer;
  settings(user: 'tenantml_app' | 'tenantml_migrator'): {
    host: string;
    port: number;
    name: string;
    user: string;
  };
  stop(): Promise<void>;
}

/** The twin's PostgreSQL, bootstrapped by the superuser and migrated by the platform's own code as its migrator. */
export async function startLocalDatabase(): Promise<LocalDatabase> {
  // Signing a database token needs credentials and a region; the local server does not read the token.
  process.env.AWS_REGION ??= 'us-east-1';
  process.env.AWS_ACCESS_KEY_ID ??= 'test';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'test';
  const directory = mkdtempSync(join(tmpdir(), 'tenantml-postgres-'));
  const server = await PostgresServer.open({
    directory: join(directory, 'postgres'),
    logFile: join(directory, 'postgres.log'),
    database: 'tenantml',
    bootstrapFile: join(root, 'src/adapters/postgres/bootstrap.sql'),
  });
  const stop = async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  const settings: LocalDatabase['settings'] = (user) => ({
    host: server.host,
    port: server.port,
    name: 'tenantml',
    user,
  });
  try {
    await server.start();
    await migrate(settings('tenantml_migrator'), {
      folder: migrationsFolder,
      clock: systemClock,
      resumeWithinMs: 10_000,
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { server, settings, stop };
}
