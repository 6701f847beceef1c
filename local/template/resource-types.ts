import { ACCOUNT_ID, arn, bucketArn, iamArn, REGION } from '../aws/account.ts';
import { bucketName, physicalName } from './physical-name.ts';

/** What a resource type needs to know to give its `Ref` and `Fn::GetAtt` values. */
export interface ResourceReference {
  readonly stack: string;
  readonly logicalId: string;
  /** A property, resolved; undefined when absent. */
  property(name: string): unknown;
  readonly runtime: TemplateRuntime;
}

/** Facts of the running twin that resolve into attribute values. */
export interface TemplateRuntime {
  readonly databaseHost: string;
  readonly databasePort: number;
  readonly gatewayUrl: string;
}

export interface ResourceType {
  ref(resource: ResourceReference): string;
  attribute?(resource: ResourceReference, name: string): string | undefined;
}

function named(property: string): (resource: ResourceReference) => string {
  return (resource) => {
    const given = resource.property(property);
    return typeof given === 'string' ? given : physicalName(resource.stack, resource.logicalId);
  };
}

/** `Ref` gives the name, `Arn` is made from it. */
function nameAndArn(property: string, makeArn: (name: string) => string): ResourceType {
  const ref = named(property);
  return {
    ref,
    attribute: (resource, name) => (name === 'Arn' ? makeArn(ref(resource)) : undefined),
  };
}

const plain: ResourceType = { ref: (resource) => physicalName(resource.stack, resource.logicalId) };

const bucketRef = (resource: ResourceReference): string => {
  const given = resource.property('BucketName');
  return typeof given === 'string' ? given : bucketName(resource.stack, resource.logicalId);
};

const table: ResourceType = nameAndArn('TableName', (name) => arn('dynamodb', `table/${name}`));

const stateMachineName = named('StateMachineName');
const eventBusName = named('Name');
const clusterName = (resource: ResourceReference) => named('DBClusterIdentifier')(resource).toLowerCase();

/** API Gateway's ids are short lower-case strings; the stack name keeps two APIs apart. */
const apiId = (resource: ResourceReference) => resource.logicalId.toLowerCase().slice(0, 32);

/** Every type that the twin runs, or whose properties it reads. */
export const RESOURCE_TYPES: Readonly<Record<string, ResourceType>> = {
  'AWS::S3::Bucket': {
    ref: bucketRef,
    attribute: (resource, name) => {
      const bucket = bucketRef(resource);
      if (name === 'Arn') return bucketArn(bucket);
      if (name === 'DomainName') return `${bucket}.s3.amazonaws.com`;
      if (name === 'RegionalDomainName') return `${bucket}.s3.${REGION}.amazonaws.com`;
      return undefined;
    },
  },
  'AWS::S3::BucketPolicy': plain,
  'AWS::DynamoDB::Table': table,
  'AWS::DynamoDB::GlobalTable': table,
  'AWS::Lambda::Function': nameAndArn('FunctionName', (name) => arn('lambda', `function:${name}`)),
  'AWS::Lambda::Version': {
    // FunctionName is a name or an ARN; a version of the twin is always the one that runs.
    ref: (resource) => `${functionArn(String(resource.property('FunctionName')))}:1`,
    attribute: (resource, name) =>
      name === 'Version'
        ? '1'
        : name === 'FunctionArn'
          ? `${functionArn(String(resource.property('FunctionName')))}:1`
          : undefined,
  },
  'AWS::Lambda::Alias': {
    ref: (resource) =>
      `${functionArn(String(resource.property('FunctionName')))}:${resource.property('Name')}`,
  },
  'AWS::Lambda::Permission': plain,
  'AWS::Lambda::EventInvokeConfig': plain,
  'AWS::IAM::Role': {
    ref: named('RoleName'),
    attribute: (resource, name) => {
      const role = named('RoleName')(resource);
      if (name === 'Arn') return iamArn(`role/${role}`);
      if (name === 'RoleId') return `AROA${role}`;
      return undefined;
    },
  },
  // Those that sign are run; with the others nothing is encrypted on a developer machine.
  'AWS::KMS::Key': {
    ref: plain.ref,
    attribute: (resource, name) => {
      if (name === 'Arn') return arn('kms', `key/${plain.ref(resource)}`);
      if (name === 'KeyId') return plain.ref(resource);
      return undefined;
    },
  },
  'AWS::IAM::Policy': plain,
  'AWS::IAM::ManagedPolicy': { ref: (resource) => iamArn(`policy/${named('ManagedPolicyName')(resource)}`) },
  'AWS::StepFunctions::StateMachine': {
    ref: (resource) => arn('states', `stateMachine:${stateMachineName(resource)}`),
    attribute: (resource, name) => {
      if (name === 'Arn') return arn('states', `stateMachine:${stateMachineName(resource)}`);
      if (name === 'Name') return stateMachineName(resource);
      return undefined;
    },
  },
  'AWS::Events::EventBus': {
    ref: eventBusName,
    attribute: (resource, name) => {
      if (name === 'Arn') return arn('events', `event-bus/${eventBusName(resource)}`);
      if (name === 'Name') return eventBusName(resource);
      return undefined;
    },
  },
  'AWS::Events::Rule': nameAndArn('Name', (name) => arn('events', `rule/${name}`)),
  'AWS::Scheduler::Schedule': nameAndArn('Name', (name) => arn('scheduler', `schedule/default/${name}`)),
  'AWS::Scheduler::ScheduleGroup': nameAndArn('Name', (name) => arn('scheduler', `schedule-group/${name}`)),
  'AWS::ApiGatewayV2::Api': {
    ref: apiId,
    attribute: (resource, name) => (name === 'ApiEndpoint' ? resource.runtime.gatewayUrl : undefined),
  },
  'AWS::ApiGatewayV2::Stage': { ref: (resource) => String(resource.property('StageName') ?? '$default') },
  'AWS::ApiGatewayV2::Route': plain,
  'AWS::ApiGatewayV2::Integration': plain,
  'AWS::ApiGatewayV2::Authorizer': {
    ref: (resource) => resource.logicalId.toLowerCase(),
    attribute: (resource, name) => (name === 'AuthorizerId' ? resource.logicalId.toLowerCase() : undefined),
  },
  'AWS::RDS::DBCluster': {
    ref: clusterName,
    attribute: (resource, name) => {
      const cluster = clusterName(resource);
      switch (name) {
        case 'Endpoint.Address':
        case 'ReadEndpoint.Address':
          return resource.runtime.databaseHost;
        case 'Endpoint.Port':
          return String(resource.runtime.databasePort);
        case 'DBClusterArn':
          return arn('rds', `cluster:${cluster}`);
        case 'DBClusterResourceId':
          return `cluster-${cluster.toUpperCase()}`;
        case 'MasterUserSecret.SecretArn':
          return arn('secretsmanager', `secret:${cluster}`);
        default:
          return undefined;
      }
    },
  },
  // aws-cdk-lib/triggers: "invoke this function after deployment". The twin does exactly that.
  'Custom::Trigger': plain,
};

function functionArn(reference: string): string {
  return reference.startsWith('arn:') ? reference : arn('lambda', `function:${reference}`);
}

/** Default attribute of a type that is not run: harmless, recognisable, shaped like an ARN where one is expected. */
export function placeholderAttribute(type: string, physicalId: string, attribute: string): string {
  const service = (type.split('::')[1] ?? 'custom').toLowerCase();
  return attribute.endsWith('Arn')
    ? `arn:aws:${service}:${REGION}:${ACCOUNT_ID}:${physicalId}`
    : `${physicalId}.${attribute}`;
}
