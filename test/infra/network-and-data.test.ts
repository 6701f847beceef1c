import { describe, expect, it } from 'vitest';
import { stages } from '../../infra/stages.ts';
import { synthesize } from './support/synthesized-app.ts';

const prod = synthesize({ stage: 'prod' });

describe('network', () => {
  it('has no NAT gateway, no internet gateway and no interface endpoint', () => {
    expect(prod.resources('AWS::EC2::VPC')).toHaveLength(1);
    expect(prod.resources('AWS::EC2::NatGateway', 'AWS::EC2::InternetGateway', 'AWS::EC2::EIP')).toEqual([]);
    expect(prod.resources('AWS::RDS::DBProxy')).toEqual([]);
    const endpoints = prod.resources('AWS::EC2::VPCEndpoint');
    expect(endpoints.map(({ Properties }) => Properties.VpcEndpointType)).toEqual(['Gateway', 'Gateway']);
    const services = endpoints.map(({ Properties }) => JSON.stringify(Properties.ServiceName));
    expect(services.some((name) => name.includes('.s3'))).toBe(true);
    expect(services.some((name) => name.includes('.dynamodb'))).toBe(true);
  });

  it('gives every subnet an IPv6 range and a route to the egress-only gateway', () => {
    const subnets = prod.resources('AWS::EC2::Subnet');
    expect(subnets).toHaveLength(2);
    const [gateway] = prod.resources('AWS::EC2::EgressOnlyInternetGateway');
    const associations = prod.resources('AWS::EC2::SubnetRouteTableAssociation');
    const routes = prod.resources('AWS::EC2::Route');
    for (const subnet of subnets) {
      expect(subnet.Properties.Ipv6CidrBlock).toBeDefined();
      expect(subnet.Properties.AssignIpv6AddressOnCreation).toBe(true);
      expect(subnet.Properties.MapPublicIpOnLaunch).toBe(false);
      const table = associations.find(({ Properties }) => Properties.SubnetId.Ref === subnet.logicalId)
        ?.Properties.RouteTableId;
      const own = routes.filter(({ Properties }) => Properties.RouteTableId.Ref === table.Ref);
      expect(own.map(({ Properties }) => Properties)).toEqual([
        {
          RouteTableId: table,
          DestinationIpv6CidrBlock: '::/0',
          EgressOnlyInternetGatewayId: { 'Fn::GetAtt': [gateway?.logicalId, 'Id'] },
        },
      ]);
    }
  });

  it('connects the route tables of all subnets to both gateway endpoints', () => {
    const tables = prod.resources('AWS::EC2::RouteTable').map(({ logicalId }) => ({ Ref: logicalId }));
    for (const endpoint of prod.resources('AWS::EC2::VPCEndpoint')) {
      expect(endpoint.Properties.RouteTableIds).toEqual(expect.arrayContaining(tables));
    }
  });

  it('lets functions reach Postgres, and HTTPS over IPv4 and IPv6, and nothing else', () => {
    const group = prod
      .resources('AWS::EC2::SecurityGroup')
      .find(({ Properties }) => Properties.GroupDescription === 'Functions that use Postgres')!;
    const ports = (rules: Record<string, unknown>[]) =>
      rules.map((rule) => [rule.CidrIp ?? rule.CidrIpv6, rule.FromPort, rule.ToPort]);
    expect(ports(group.Properties.SecurityGroupEgress)).toEqual([
      ['::/0', 443, 443],
      ['0.0.0.0/0', 443, 443],
    ]);
    expect(group.Properties.SecurityGroupIngress).toBeUndefined();
    const [egress, ...rest] = prod.resources('AWS::EC2::SecurityGroupEgress');
    expect(rest).toEqual([]);
    expect(egress?.Properties).toMatchObject({ FromPort: 5432, ToPort: 5432, IpProtocol: 'tcp' });
    expect(egress?.Properties.GroupId).toEqual({ 'Fn::GetAtt': [group.logicalId, 'GroupId'] });
    const ingress = prod.resources('AWS::EC2::SecurityGroupIngress');
    expect(ingress.map(({ Properties }) => Properties.SourceSecurityGroupId)).toEqual([
      { 'Fn::GetAtt': [group.logicalId, 'GroupId'] },
    ]);
  });
});

describe('Postgres', () => {
  const [cluster] = prod.resources('AWS::RDS::DBCluster');

  it('pauses when it is idle', () => {
    expect(cluster?.Properties.ServerlessV2ScalingConfiguration).toEqual({
      MinCapacity: 0,
      MaxCapacity: 2,
      SecondsUntilAutoPause: 300,
    });
    const [parameters] = prod.resources('AWS::RDS::DBClusterParameterGroup');
    expect(cluster?.Properties.DBClusterParameterGroupName).toEqual({ Ref: parameters?.logicalId });
    expect(parameters?.Properties.Parameters).toEqual({
      'rds.force_ssl': '1',
      idle_session_timeout: '60000',
    });
  });

  it('takes IAM tokens, is encrypted, kept and out of reach', () => {
    expect(cluster?.Properties).toMatchObject({
      EnableIAMDatabaseAuthentication: true,
      EnableHttpEndpoint: true,
      StorageEncrypted: true,
      DeletionProtection: true,
      BackupRetentionPeriod: 7,
      DatabaseName: 'tenantml',
    });
    expect(cluster?.DeletionPolicy).toBe('Snapshot');
    const instances = prod.resources('AWS::RDS::DBInstance');
    expect(
      instances.map(({ Properties }) => [Properties.DBInstanceClass, Properties.PubliclyAccessible]),
    ).toEqual([['db.serverless', false]]);
  });

  it('runs the bootstrap script as one statement, after the writer exists', () => {
    const [bootstrap, ...more] = prod.resources('Custom::DatabaseBootstrap');
    expect(more).toEqual([]);
    const call = JSON.stringify(bootstrap?.Properties.Create);
    expect(call).toContain('DO $bootstrap$ BEGIN');
    expect(call).toContain('GRANT rds_iam TO tenantml_migrator, tenantml_app');
    const [writer] = prod.resources('AWS::RDS::DBInstance');
    expect(bootstrap?.DependsOn).toContain(writer?.logicalId);
  });
});

describe('buckets', () => {
  const buckets = prod.resources('AWS::S3::Bucket');

  it('are private, encrypted with the key of the platform, and four', () => {
    expect(buckets).toHaveLength(4);
    const [key] = prod.resources('AWS::KMS::Key');
    for (const { Properties } of buckets) {
      expect(Properties.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      expect(Properties.OwnershipControls.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
      expect(Properties.BucketEncryption.ServerSideEncryptionConfiguration).toEqual([
        {
          BucketKeyEnabled: true,
          ServerSideEncryptionByDefault: {
            SSEAlgorithm: 'aws:kms',
            KMSMasterKeyID: { 'Fn::GetAtt': [key?.logicalId, 'Arn'] },
          },
        },
      ]);
    }
  });

  it('refuse plain HTTP and old TLS, and allow nothing by policy', () => {
    for (const bucket of buckets) {
      const policy = prod
        .resources('AWS::S3::BucketPolicy')
        .find(({ Properties }) => Properties.Bucket.Ref === bucket.logicalId)!;
      const statements = policy.Properties.PolicyDocument.Statement as {
        Effect: string;
        Condition: unknown;
        Principal: unknown;
      }[];
      expect(statements.map(({ Effect }) => Effect)).toEqual(statements.map(() => 'Deny'));
      expect(statements).toContainEqual(
        expect.objectContaining({
          Principal: { AWS: '*' },
          Action: 's3:*',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      );
      expect(statements).toContainEqual(
        expect.objectContaining({ Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } }),
      );
    }
  });

  it('let results of batch predictions expire when the functions say they do', () => {
    const results = buckets.find(({ logicalId }) => logicalId.startsWith('ResultBucket'))!;
    const [rule, ...more] = results.Properties.LifecycleConfiguration.Rules;
    expect(more).toEqual([]);
    const batch = prod
      .resources('AWS::Lambda::Function')
      .find(({ Properties }) => Properties.Environment?.Variables?.POWERTOOLS_SERVICE_NAME === 'batch');
    expect(Number(batch?.Properties.Environment.Variables.BATCH_RESULT_DAYS)).toBe(rule.ExpirationInDays);
    expect(rule.ExpirationInDays).toBe(30);
  });

  it('let the prediction log expire after the days of the stage', () => {
    const log = buckets.find(({ logicalId }) => logicalId.startsWith('PredictionBucket'))!;
    expect(log.Properties.LifecycleConfiguration.Rules).toEqual([
      expect.objectContaining({ ExpirationInDays: 90, Status: 'Enabled' }),
    ]);
    expect(log.Properties.VersioningConfiguration).toBeUndefined();
  });

  it('keep versions of artifacts and let everything staged expire after a day', () => {
    const artifact = buckets.find(({ logicalId }) => logicalId.startsWith('ArtifactBucket'));
    const staging = buckets.find(({ logicalId }) => logicalId.startsWith('StagingBucket'));
    expect(artifact?.Properties.VersioningConfiguration).toEqual({ Status: 'Enabled' });
    expect(artifact?.Properties.LifecycleConfiguration.Rules[0].ExpirationInDays).toBeUndefined();
    expect(staging?.Properties.VersioningConfiguration).toBeUndefined();
    expect(staging?.Properties.LifecycleConfiguration.Rules).toEqual([
      { Status: 'Enabled', ExpirationInDays: 1, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
    ]);
  });
});

describe('tables', () => {
  const tables = prod.resources('AWS::DynamoDB::Table');
  const named = (name: string) => tables.find(({ logicalId }) => logicalId.startsWith(name))?.Properties;

  it('are on demand, recoverable and encrypted with the key of the platform', () => {
    expect(tables).toHaveLength(8);
    for (const { Properties } of tables) {
      expect(Properties.BillingMode).toBe('PAY_PER_REQUEST');
      expect(Properties.PointInTimeRecoverySpecification).toEqual({ PointInTimeRecoveryEnabled: true });
      expect(Properties.SSESpecification).toMatchObject({ SSEEnabled: true, SSEType: 'KMS' });
    }
  });

  it('have the keys, the index and the expiry attributes that the stores use', () => {
    for (const name of ['ServingTable', 'JobsTable', 'IntentsTable', 'AccessTable']) {
      expect(named(name).KeySchema).toEqual([
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ]);
    }
    expect(named('IdempotencyTable').KeySchema).toEqual([{ AttributeName: 'id', KeyType: 'HASH' }]);
    expect(named('IdempotencyTable').TimeToLiveSpecification).toEqual({
      AttributeName: 'expiration',
      Enabled: true,
    });
    expect(named('JobsTable').TimeToLiveSpecification).toEqual({
      AttributeName: 'expires_at',
      Enabled: true,
    });
    expect(named('JobsTable').GlobalSecondaryIndexes).toMatchObject([
      {
        IndexName: 'due',
        KeySchema: [
          { AttributeName: 'due_shard', KeyType: 'HASH' },
          { AttributeName: 'due_at', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'ALL' },
      },
    ]);
  });
});

describe('logs', () => {
  it('are encrypted with the key of the platform, which lets CloudWatch use it for its own groups', () => {
    const groups = prod.resources('AWS::Logs::LogGroup');
    expect(groups.length).toBeGreaterThan(20);
    for (const { Properties } of groups)
      expect(JSON.stringify(Properties.KmsKeyId)).toContain('EncryptionKey');
    const [key] = prod.resources('AWS::KMS::Key');
    const statements = key?.Properties.KeyPolicy.Statement as Record<string, unknown>[];
    const [forLogs, ...more] = statements.filter(({ Principal }) =>
      JSON.stringify(Principal).includes('logs.'),
    );
    expect(more).toEqual([]);
    expect(JSON.stringify(forLogs?.Condition)).toMatch(/kms:EncryptionContext:aws:logs:arn.*:log-group:\*/);
  });
});

describe('stateful resources', () => {
  const STATEFUL = [
    'AWS::S3::Bucket',
    'AWS::DynamoDB::Table',
    'AWS::KMS::Key',
    'AWS::RDS::DBCluster',
    'AWS::RDS::DBInstance',
    'AWS::RDS::DBSubnetGroup',
    'AWS::Events::EventBus',
    'AWS::EC2::VPC',
    'AWS::EC2::Subnet',
    'AWS::Cognito::UserPool',
  ];

  // A changed logical id deletes the resource and makes an empty one. Change this list only with a migration.
  it('keep their logical ids', () => {
    expect(prod.resources(...STATEFUL).map(({ stack, logicalId }) => `${stack}/${logicalId}`)).toEqual([
      'data/EncryptionKey1B843E66',
      'data/SigningKeyEEFC2790',
      'data/ArtifactBucketC3871E62',
      'data/StagingBucket437AB70B',
      'data/ResultBucketA834D929',
      'data/PredictionBucket949715DA',
      'data/ServingTable4AB3D41A',
      'data/JobsTable548A1CC1',
      'data/IntentsTableEE106865',
      'data/IdempotencyTableE9369C9C',
      'data/AccessTableBF2E2186',
      'data/AuditTable6B25623D',
      'data/FeedbackTable6FB0C306',
      'data/TransientTable278ABEDE',
      'data/EventBus7B8748AA',
      'data/NetworkVpc7FB7348F',
      'data/NetworkVpcIsolatedSubnet1Subnet0400477E',
      'data/NetworkVpcIsolatedSubnet2SubnetF65B365A',
      'data/DatabaseClusterSubnets5540150D',
      'data/DatabaseCluster5B53A178',
      'data/DatabaseClusterWriterD43085C6',
    ]);
  });

  it('are retained in a stage that says so', () => {
    const kept = prod.resources('AWS::S3::Bucket', 'AWS::DynamoDB::Table', 'AWS::KMS::Key');
    expect(kept.map(({ DeletionPolicy }) => DeletionPolicy)).toEqual(kept.map(() => 'Retain'));
  });

  it('keep the logical id of the user pool', () => {
    const pools = synthesize({ stage: 'dev' }).resources('AWS::Cognito::UserPool');
    expect(pools.map(({ stack, logicalId }) => `${stack}/${logicalId}`)).toEqual([
      'identity/UserPool6BA7E5F2',
    ]);
  });
});

describe('stages local and prod', () => {
  it('differ in issuer, removal policies and sizes only', () => {
    // The same name for both, so that names and logical ids are the same.
    const local = synthesize({ stage: 'prod', stages: { prod: stages.local } });
    const differences = differingPaths(local.templates, prod.templates);
    const allowed = [
      /^api\.Parameters\.OidcIssuer\.Default$/,
      /\.(DeletionPolicy|UpdateReplacePolicy)$/,
      /^data\.Resources\.DatabaseCluster\w+\.Properties\.DeletionProtection$/,
      /\.MemorySize$/,
      // Relative to the folder of the assembly; the code itself is compared by its hash.
      /\.Metadata\.aws:asset:path$/,
    ];
    expect(differences).toContain('api.Parameters.OidcIssuer.Default');
    expect(differences.filter((path) => !allowed.some((pattern) => pattern.test(path)))).toEqual([]);
  });
});

/** The paths at which two values differ. */
function differingPaths(left: unknown, right: unknown, path: string[] = []): string[] {
  if (isRecord(left) && isRecord(right)) {
    const names = new Set([...Object.keys(left), ...Object.keys(right)]);
    return [...names].flatMap((name) => differingPaths(left[name], right[name], [...path, name]));
  }
  return JSON.stringify(left) === JSON.stringify(right) ? [] : [path.join('.')];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
