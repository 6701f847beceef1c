import path from 'node:path';
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { PlatformContext } from './constructs/platform-function.ts';
import { firstTwoAvailabilityZones, PrivateNetwork } from './constructs/private-network.ts';
import { RegistryDatabase } from './constructs/registry-database.ts';
import { TenantBucket } from './constructs/tenant-bucket.ts';
import { TenantTable } from './constructs/tenant-table.ts';

export interface DataStackProps extends StackProps {
  readonly platform: PlatformContext;
}

/** Everything that holds state: buckets, tables, Postgres, the bus, and the keys that encrypt and sign. */
export class DataStack extends Stack {
  readonly encryptionKey: kms.Key;
  /** Signs manifests; its public half is an item of the serving table. */
  readonly signingKey: kms.Key;
  readonly network: PrivateNetwork;
  readonly database: RegistryDatabase;
  readonly bus: events.EventBus;
  readonly artifactBucket: TenantBucket;
  readonly stagingBucket: TenantBucket;
  readonly resultBucket: TenantBucket;
  /** The prediction log. */
  readonly predictionBucket: TenantBucket;
  readonly servingTable: TenantTable;
  readonly jobsTable: TenantTable;
  readonly intentsTable: TenantTable;
  readonly idempotencyTable: TenantTable;
  readonly accessTable: TenantTable;
  /** Who changed what beside Postgres: only ever added to. */
  readonly auditTable: TenantTable;
  /** What turned out to be true for predictions. */
  readonly feedbackTable: TenantTable;
  /** Leases of limits and cached predictions: nothing in it outlives an hour or its own time. */
  readonly transientTable: TenantTable;

  constructor(scope: Construct, id: string, props: DataStackProps) {
    super(scope, id, props);
    const { settings, root } = props.platform;
    const removalPolicy = settings.removal === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;

    this.encryptionKey = new kms.Key(this, 'EncryptionKey', {
      description: `TenantML ${settings.name}: buckets, tables, Postgres, bus`,
      enableKeyRotation: true,
      removalPolicy,
    });
    this.encryptLogs();
    this.signingKey = new kms.Key(this, 'SigningKey', {
      description: `TenantML ${settings.name}: manifests of model versions`,
      keySpec: kms.KeySpec.ECC_NIST_P256,
      keyUsage: kms.KeyUsage.SIGN_VERIFY,
      removalPolicy,
    });
    const encrypted = { encryptionKey: this.encryptionKey, removalPolicy };

    this.artifactBucket = new TenantBucket(this, 'ArtifactBucket', {
      ...encrypted,
      versioned: true,
      noncurrentVersionExpiration: Duration.days(settings.retentionDays),
    });
    this.stagingBucket = new TenantBucket(this, 'StagingBucket', {
      ...encrypted,
      expireAfter: Duration.days(1),
    });
    this.resultBucket = new TenantBucket(this, 'ResultBucket', {
      ...encrypted,
      expireAfter: Duration.days(settings.batchResultDays),
    });

    this.predictionBucket = new TenantBucket(this, 'PredictionBucket', {
      ...encrypted,
      expireAfter: Duration.days(settings.predictionLogDays),
    });

    this.servingTable = new TenantTable(this, 'ServingTable', encrypted);
    this.jobsTable = new TenantTable(this, 'JobsTable', {
      ...encrypted,
      timeToLiveAttribute: 'expires_at',
      indexes: [{ name: 'due', partitionKey: 'due_shard', sortKey: 'due_at' }],
    });
    this.intentsTable = new TenantTable(this, 'IntentsTable', encrypted);
    this.idempotencyTable = new TenantTable(this, 'IdempotencyTable', {
      ...encrypted,
      partitionKey: 'id',
      sortKey: null,
      timeToLiveAttribute: 'expiration',
    });
    this.accessTable = new TenantTable(this, 'AccessTable', encrypted);
    this.auditTable = new TenantTable(this, 'AuditTable', encrypted);
    this.feedbackTable = new TenantTable(this, 'FeedbackTable', {
      ...encrypted,
      timeToLiveAttribute: 'expires_at',
    });
    this.transientTable = new TenantTable(this, 'TransientTable', {
      ...encrypted,
      timeToLiveAttribute: 'expires_at',
    });

    this.bus = new events.EventBus(this, 'EventBus', {
      description: `TenantML ${settings.name}`,
      kmsKey: this.encryptionKey,
    });

    this.network = new PrivateNetwork(this, 'Network', {
      logRetention: settings.logRetentionDays as logs.RetentionDays,
      logKey: this.encryptionKey,
    });
    this.database = new RegistryDatabase(this, 'Database', {
      settings,
      network: this.network,
      encryptionKey: this.encryptionKey,
      bootstrapFile: path.join(root, 'src/adapters/postgres/bootstrap.sql'),
    });

    new CfnOutput(this, 'ArtifactBucketName', { value: this.artifactBucket.bucketName });
    new CfnOutput(this, 'StagingBucketName', { value: this.stagingBucket.bucketName });
    new CfnOutput(this, 'PredictionBucketName', { value: this.predictionBucket.bucketName });
    new CfnOutput(this, 'ResultBucketName', { value: this.resultBucket.bucketName });
  }

  /** Lets CloudWatch Logs use the key, for log groups of this account and region. */
  private encryptLogs(): void {
    const { partition, region, account } = this;
    this.encryptionKey.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal(`logs.${region}.amazonaws.com`)],
        actions: [
          ...['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'],
          ...['kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
        ],
        resources: ['*'],
        conditions: {
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*`,
          },
        },
      }),
    );
  }

  /** Every table; that of who may act comes first. */
  get tenantTables(): TenantTable[] {
    const all = this.node.findAll().filter((one) => one instanceof TenantTable);
    return [this.accessTable, ...all.filter((table) => table !== this.accessTable)];
  }

  /** Every bucket. */
  get tenantBuckets(): TenantBucket[] {
    return this.node.findAll().filter((one) => one instanceof TenantBucket);
  }

  /** Keeps `cdk synth` from asking the account for its zones. */
  override get availabilityZones(): string[] {
    return firstTwoAvailabilityZones();
  }
}
