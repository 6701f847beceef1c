import { type BilledResource, UnpricedResourceError } from './billed-resource.ts';
import type { Charge } from './prices.ts';
import { scheduleCharges } from './schedule-charges.ts';

/** A month, as AWS counts hours. */
export const HOURS_A_MONTH = 730;

/** What little an idle platform holds: a pilot's models and rows. */
const GB_IN_A_BUCKET = 0.1;
const GB_IN_A_TABLE = 0.01;
const GB_IN_POSTGRES = 1;

/** Without the hash that CDK adds. */
const shortName = (logicalId: string): string => logicalId.replace(/[0-9A-F]{8}$/, '');

type ChargesOf = (resource: BilledResource, all: readonly BilledResource[]) => readonly Charge[];

/** What a resource costs in a month in which nobody calls. */
const CHARGES: Readonly<Record<string, ChargesOf>> = {
  'AWS::KMS::Key': ({ logicalId }) => [{ price: 'kmsKey', quantity: 1, what: shortName(logicalId) }],
  'AWS::SecretsManager::Secret': () => [{ price: 'secret', quantity: 1, what: "the database's master user" }],
  'AWS::CloudWatch::Alarm': ({ logicalId, Properties }) => {
    // A sum over metrics is billed for each of them.
    const terms = (Properties.Metrics ?? []) as { MetricStat?: unknown }[];
    const quantity = Math.max(1, terms.filter(({ MetricStat }) => MetricStat !== undefined).length);
    return [{ price: 'alarmMetric', quantity, what: `alarm ${shortName(logicalId).replace(/^Alarms/, '')}` }];
  },
  'AWS::Scheduler::Schedule': scheduleCharges,
  'AWS::S3::Bucket': ({ logicalId }) => [
    { price: 'objectStorage', quantity: GB_IN_A_BUCKET, what: `${shortName(logicalId)}, a pilot's objects` },
  ],
  'AWS::DynamoDB::Table': ({ Type, Properties, logicalId }) => {
    if (Properties.BillingMode !== 'PAY_PER_REQUEST')
      throw new UnpricedResourceError([`provisioned ${Type}`]);
    const name = shortName(logicalId);
    const what = `${name}, a pilot's items`;
    return [
      { price: 'tableStorage', quantity: GB_IN_A_TABLE, what },
      { price: 'tableBackup', quantity: GB_IN_A_TABLE, what: `${name}, point-in-time recovery` },
    ];
  },
  'AWS::RDS::DBCluster': ({ Properties }) => {
    const minimum = Number(Properties.ServerlessV2ScalingConfiguration?.MinCapacity ?? Number.NaN);
    const pauses = minimum === 0;
    return [
      {
        ...{ price: 'auroraCapacity', quantity: pauses ? 0 : minimum * HOURS_A_MONTH },
        what: pauses ? 'Aurora, paused at 0 ACU' : `Aurora, ${minimum} ACU at least`,
      },
      {
        price: 'auroraStorage',
        quantity: GB_IN_POSTGRES,
        what: 'Aurora, a small registry; backups of its size are free',
      },
    ];
  },
  'AWS::RDS::DBInstance': ({ Type, Properties }) => {
    if (Properties.DBInstanceClass !== 'db.serverless')
      throw new UnpricedResourceError([`provisioned ${Type}`]);
    return [];
  },
  'AWS::EC2::VPCEndpoint': ({ Type, Properties }) => {
    if (Properties.VpcEndpointType !== 'Gateway') throw new UnpricedResourceError([`interface ${Type}`]);
    return [];
  },
};

/** Why a resource costs nothing while nobody calls. */
const FREE: Readonly<Record<string, string>> = {
  'AWS::RDS::DBInstance': 'capacity is that of its cluster',
  'AWS::EC2::VPCEndpoint': 'gateway endpoints are free',
  'AWS::Lambda::Function': 'billed by call and time; none is provisioned (called by schedules: see those)',
  'AWS::Lambda::LayerVersion': 'code within the quota of 75 GB is free',
  'AWS::Lambda::Version': 'code within the quota of 75 GB is free',
  'AWS::Lambda::Permission': 'configuration',
  'AWS::ApiGatewayV2::Api': 'HTTP APIs are billed by request',
  'AWS::ApiGatewayV2::Authorizer': 'billed as calls of its function',
  'AWS::ApiGatewayV2::Integration': 'configuration',
  'AWS::ApiGatewayV2::Route': 'configuration',
  'AWS::ApiGatewayV2::Stage': 'billed by request; nothing is cached',
  'AWS::StepFunctions::StateMachine': 'standard machines are billed by transition',
  'AWS::Events::EventBus': 'billed by event put',
  'AWS::Events::Rule': 'events of AWS itself are free',
  'AWS::SQS::Queue': 'billed by request; nothing polls it',
  'AWS::SQS::QueuePolicy': 'configuration',
  'AWS::SNS::Topic': 'billed by message',
  'AWS::SNS::TopicPolicy': 'configuration',
  'AWS::SNS::Subscription': 'billed by message',
  'AWS::Logs::LogGroup': 'billed by what is written (by schedules: see those)',
  'AWS::S3::BucketPolicy': 'configuration',
  'AWS::IAM::Role': 'IAM is free',
  'AWS::IAM::Policy': 'IAM is free',
  'AWS::SecretsManager::SecretTargetAttachment': 'configuration',
  'AWS::RDS::DBClusterParameterGroup': 'configuration',
  'AWS::RDS::DBSubnetGroup': 'configuration',
  'AWS::EC2::VPC': 'networks are free',
  'AWS::EC2::VPCCidrBlock': "Amazon's IPv6 addresses are free, and there is no public IPv4",
  'AWS::EC2::Subnet': 'networks are free',
  'AWS::EC2::RouteTable': 'networks are free',
  'AWS::EC2::SubnetRouteTableAssociation': 'networks are free',
  'AWS::EC2::Route': 'networks are free',
  'AWS::EC2::SecurityGroup': 'networks are free',
  'AWS::EC2::SecurityGroupEgress': 'networks are free',
  'AWS::EC2::SecurityGroupIngress': 'networks are free',
  'AWS::EC2::EgressOnlyInternetGateway': 'free but for data that leaves AWS; what is called is AWS',
  'AWS::EC2::FlowLog': 'billed by what is written: rejected traffic only',
  'AWS::Cognito::UserPool': 'billed by active user',
  'AWS::Cognito::UserPoolClient': 'configuration',
  'AWS::Cognito::UserPoolDomain': 'configuration',
  'AWS::Cognito::UserPoolResourceServer': 'configuration',
  'Custom::Trigger': 'a call at deployment',
  'Custom::DatabaseBootstrap': 'a call at deployment',
};

export interface ResourceCharges {
  readonly charges: readonly Charge[];
  /** Types that cost nothing while idle, with how many there are and the reason. */
  readonly free: readonly { readonly type: string; readonly count: number; readonly reason: string }[];
}

/** @throws {UnpricedResourceError} when a type is neither priced nor known to be free */
export function resourceCharges(resources: readonly BilledResource[]): ResourceCharges {
  const types = [...new Set(resources.map(({ Type }) => Type))].sort();
  const unknown = types.filter((type) => !Object.hasOwn(CHARGES, type) && !Object.hasOwn(FREE, type));
  if (unknown.length > 0) throw new UnpricedResourceError(unknown);
  return {
    charges: resources.flatMap((resource) => CHARGES[resource.Type]?.(resource, resources) ?? []),
    free: types
      .filter((type) => Object.hasOwn(FREE, type))
      .map((type) => ({
        ...{ type, count: resources.filter(({ Type }) => Type === type).length },
        reason: FREE[type]!,
      })),
  };
}
