import type { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledgement.ts';
import { SESSION_TENANT, type TenantRole } from './tenant-role.ts';

/** The item operations that a role may be given; each is one IAM action. */
export type ItemAction = 'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'Query' | 'Scan';

/** Those that name a partition key. */
export type KeyedAction = Exclude<ItemAction, 'Scan'>;

const READS: readonly ItemAction[] = ['GetItem', 'Query', 'Scan'];
const KMS_READ = ['kms:Decrypt', 'kms:DescribeKey'];
// The exact members of the Encrypt/ReEncrypt*/GenerateDataKey* families that DynamoDB asks of a writer.
const KMS_WRITE = [
  ...KMS_READ,
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

export interface TenantTableProps {
  readonly encryptionKey: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
  /** Name of the partition key. @default 'pk' */
  readonly partitionKey?: string;
  /** Name of the sort key, `null` for a table without one. @default 'sk' */
  readonly sortKey?: string | null;
  /** @default - items do not expire */
  readonly timeToLiveAttribute?: string;
  /** Indexes with all attributes, string keys. @default - none */
  readonly indexes?: readonly { name: string; partitionKey: string; sortKey: string }[];
}

/** A table on demand, with point-in-time recovery, whose partition keys begin with what they belong to. */
export class TenantTable extends Construct {
  readonly table: dynamodb.Table;
  readonly partitionKey: string;
  readonly sortKey: string | undefined;
  private readonly encryptionKey: kms.IKey;

  constructor(scope: Construct, id: string, props: TenantTableProps) {
    super(scope, id);
    const string = (name: string) => ({ name, type: dynamodb.AttributeType.STRING });
    const sortKey = props.sortKey === undefined ? 'sk' : props.sortKey;
    this.encryptionKey = props.encryptionKey;
    this.partitionKey = props.partitionKey ?? 'pk';
    this.sortKey = sortKey ?? undefined;
    // Not TableV2: with a key of one's own it renders only in stacks of a fixed region.
    this.table = new dynamodb.Table(this, 'Table', {
      partitionKey: string(this.partitionKey),
      ...(sortKey !== null && { sortKey: string(sortKey) }),
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: props.encryptionKey,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: props.removalPolicy,
      ...(props.timeToLiveAttribute !== undefined && { timeToLiveAttribute: props.timeToLiveAttribute }),
    });
    acknowledge(
      this.table,
      'NIST.800.53.R5-DynamoDBInBackupPlan',
      'Point-in-time recovery brings back any second of the last 35 days; a plan of AWS Backup would keep what was deleted for longer than tenants are told.',
    );
    for (const index of props.indexes ?? []) {
      this.table.addGlobalSecondaryIndex({
        indexName: index.name,
        partitionKey: string(index.partitionKey),
        sortKey: string(index.sortKey),
        projectionType: dynamodb.ProjectionType.ALL,
      });
    }
  }

  get tableName(): string {
    return this.table.tableName;
  }

  /** Lets a session do these things with its tenant's items: partition key `tenant/<tenant>/`. */
  grantTenantItems({ role }: TenantRole, actions: readonly KeyedAction[]): void {
    this.grantKeys(role, 'StringEquals', [`tenant/${SESSION_TENANT}/`], actions);
  }

  /** Lets a session do these things with what has a partition key below its tenant's: `tenant/<tenant>/<anything>`. */
  grantTenantRecords({ role }: TenantRole, actions: readonly KeyedAction[]): void {
    this.grantKeys(role, 'StringLike', [`tenant/${SESSION_TENANT}/*`], actions);
  }

  /** Lets the grantee do these things with items that no tenant has, by patterns of their partition keys. */
  grantItems(grantee: IRole, leadingKeys: readonly string[], actions: readonly KeyedAction[]): void {
    const foreign = leadingKeys.find(
      (pattern) => !/^[a-z-]+\//.test(pattern) || pattern.startsWith('tenant/'),
    );
    if (foreign !== undefined)
      throw new Error(`"${foreign}" may match items of tenants; grant those by grantTenantItems`);
    this.grantKeys(grantee, 'StringLike', leadingKeys, actions);
  }

  /** Lets the grantee read items of any tenant: for tables whose items say whose they are, which nobody knows before. */
  grantOwnerLookup(grantee: IRole): void {
    this.grantKeys(grantee, 'StringLike', ['tenant/*'], ['GetItem']);
  }

  private grantKeys(
    grantee: IRole,
    operator: 'StringEquals' | 'StringLike',
    leadingKeys: readonly string[],
    actions: readonly KeyedAction[],
  ): void {
    this.grant(grantee, actions, this.table.tableArn, {
      [`ForAllValues:${operator}`]: { 'dynamodb:LeadingKeys': leadingKeys },
      // ForAllValues holds for a request that names no key at all.
      Null: { 'dynamodb:LeadingKeys': 'false' },
    });
  }

  /** Lets the grantee do these things with every item, of whatever tenant. */
  grantAllItems(grantee: IRole, actions: readonly ItemAction[]): void {
    this.grant(grantee, actions, this.table.tableArn);
  }

  /** Lets the grantee find and remove all that a tenant has: by reading every item, as no key leads to all of them. */
  grantTenantRemoval(grantee: IRole): void {
    this.grantAllItems(grantee, ['Scan', 'DeleteItem']);
  }

  /** Lets the grantee query one index. */
  grantIndexQuery(grantee: IRole, indexName: string): void {
    this.grant(grantee, ['Query'], `${this.table.tableArn}/index/${indexName}`);
  }

  private grant(
    grantee: IRole,
    actions: readonly ItemAction[],
    resource: string,
    conditions?: Record<string, unknown>,
  ): void {
    grantee.addToPrincipalPolicy(
      new PolicyStatement({
        actions: actions.map((action) => `dynamodb:${action}`),
        resources: [resource],
        ...(conditions && { conditions }),
      }),
    );
    const readsOnly = actions.every((action) => READS.includes(action));
    this.encryptionKey.grant(grantee, ...(readsOnly ? KMS_READ : KMS_WRITE));
  }
}
