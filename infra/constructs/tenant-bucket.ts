import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeResourceWildcard } from './acknowledgement.ts';
import { SESSION_TENANT, type TenantRole } from './tenant-role.ts';

/** What a function may do with the objects below a prefix. */
export type ObjectAction = 'get' | 'put' | 'delete';

const ACTIONS = {
  get: { s3: ['s3:GetObject'], kms: ['kms:Decrypt'] },
  // Decrypt beside GenerateDataKey: the parts of a multipart upload are read back when it is completed.
  put: { s3: ['s3:PutObject', 's3:AbortMultipartUpload'], kms: ['kms:GenerateDataKey', 'kms:Decrypt'] },
  delete: { s3: ['s3:DeleteObject'], kms: [] },
} as const satisfies Record<ObjectAction, { s3: string[]; kms: string[] }>;

export interface TenantBucketProps {
  readonly encryptionKey: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
  /** @default - objects are not versioned */
  readonly versioned?: boolean;
  /** @default - objects stay */
  readonly expireAfter?: Duration;
  /** @default - noncurrent versions stay */
  readonly noncurrentVersionExpiration?: Duration;
}

/** A private, encrypted bucket in which every key begins with the tenant's prefix `tenants/<tenant>/`. */
export class TenantBucket extends Construct {
  readonly bucket: s3.Bucket;
  private readonly encryptionKey: kms.IKey;

  constructor(scope: Construct, id: string, props: TenantBucketProps) {
    super(scope, id);
    this.encryptionKey = props.encryptionKey;
    this.bucket = new s3.Bucket(this, 'Bucket', {
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: props.encryptionKey,
      // One data key per bucket and hour instead of one KMS call per object.
      bucketKeyEnabled: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: props.versioned ?? false,
      removalPolicy: props.removalPolicy,
      lifecycleRules: [
        {
          abortIncompleteMultipartUploadAfter: Duration.days(1),
          ...(props.expireAfter && { expiration: props.expireAfter }),
          ...(props.noncurrentVersionExpiration && {
            noncurrentVersionExpiration: props.noncurrentVersionExpiration,
          }),
        },
      ],
    });
    for (const id of ['AwsSolutions-S1', 'NIST.800.53.R5-S3BucketLoggingEnabled']) {
      acknowledge(
        this.bucket,
        id,
        'Server access logs would add a billed write to every prediction and a second bucket to protect; object access is recorded by CloudTrail data events where an operator turns them on.',
      );
    }
    acknowledge(
      this.bucket,
      'NIST.800.53.R5-S3BucketReplicationEnabled',
      'S3 keeps every object in three zones already; a copy in another region is a choice of the operator, as tenants may have been promised that their data stays.',
    );
    if (props.versioned !== true) {
      acknowledge(
        this.bucket,
        'NIST.800.53.R5-S3BucketVersioningEnabled',
        'What is here is written once and expires: an older version would only outlive the time after which it is said to be gone.',
      );
    }
  }

  get bucketName(): string {
    return this.bucket.bucketName;
  }

  /** Lets a session read its tenant's objects, by default all; `area` narrows it, as in `datasets/`. */
  grantTenantRead(grantee: TenantRole, area = ''): void {
    this.grantObjects(grantee, area, ['get']);
  }

  /** Lets a session read and write its tenant's objects below `<area>`. */
  grantTenantReadWrite(grantee: TenantRole, area = ''): void {
    this.grantObjects(grantee, area, ['get', 'put']);
  }

  /** Lets a session do exactly these things with objects below `tenants/<its tenant>/<area>`. */
  grantObjects({ role }: TenantRole, area: string, actions: readonly ObjectAction[]): void {
    const suffix = `/tenants/${SESSION_TENANT}/${area}*`;
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: actions.flatMap((action) => [...ACTIONS[action].s3]),
        resources: [`${this.bucket.bucketArn}${suffix}`],
      }),
    );
    acknowledgeResourceWildcard(
      role,
      this.bucket,
      { value: this.bucket.bucketArn, suffix },
      "The tenant is the session's own, by its tag; the wildcard stands for what that tenant has below its prefix.",
    );
    const keyActions = [...new Set(actions.flatMap((action) => [...ACTIONS[action].kms]))];
    if (keyActions.length > 0) this.encryptionKey.grant(role, ...keyActions);
  }

  /** Lets a session find and remove all that its tenant has, noncurrent versions included. */
  grantTenantRemoval({ role }: TenantRole): void {
    const suffix = `/tenants/${SESSION_TENANT}/*`;
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['s3:ListBucketVersions'],
        resources: [this.bucket.bucketArn],
        conditions: { StringLike: { 's3:prefix': `tenants/${SESSION_TENANT}/*` } },
      }),
    );
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
        resources: [`${this.bucket.bucketArn}${suffix}`],
      }),
    );
    acknowledgeResourceWildcard(
      role,
      this.bucket,
      { value: this.bucket.bucketArn, suffix },
      "The tenant is the session's own, by its tag; operators remove all that it has.",
    );
  }

  /**
   * Lets a session list its tenant's keys. Not the bucket: a question without prefix would be answered with every
   * tenant's keys. So S3 says 403, not 404, for an object that is missing, and the stores look again by its key.
   */
  grantTenantList({ role }: TenantRole): void {
    this.grantList(role, `tenants/${SESSION_TENANT}/*`);
  }

  /** Lets the grantee ask what is below `platform/`, where no tenant has anything. */
  grantPlatformList(grantee: IRole): void {
    this.grantList(grantee, 'platform/*');
  }

  private grantList(grantee: IRole, prefix: string): void {
    grantee.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['s3:ListBucket'],
        resources: [this.bucket.bucketArn],
        conditions: { StringLike: { 's3:prefix': prefix } },
      }),
    );
  }
}
