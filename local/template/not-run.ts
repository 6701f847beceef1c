/**
 * Resource types that the twin leaves out, each with the reason. A type that is neither here nor in
 * RESOURCE_TYPES fails the start by name: a new kind of resource must be decided on, not silently missed.
 */
const NOT_RUN: Readonly<Record<string, string>> = {
  'AWS::CDK::Metadata': 'usage report of the CDK, no behaviour',
  'AWS::CloudFormation::WaitConditionHandle': 'deployment ordering only',
  'AWS::Lambda::LayerVersion':
    "the repository's own x64 node_modules stand in for the arm64 layers (NODE_PATH)",
  'AWS::Logs::LogGroup': 'logs are files under the data folder',
  'AWS::Logs::LogStream': 'logs are files under the data folder',
  'AWS::Logs::ResourcePolicy': 'logs are files under the data folder',
  'AWS::KMS::Alias': 'nothing is encrypted at rest on a developer machine',
  'AWS::CloudWatch::Alarm': 'no metrics are collected locally',
  'AWS::CloudWatch::CompositeAlarm': 'no metrics are collected locally',
  'AWS::CloudWatch::Dashboard': 'no metrics are collected locally',
  'AWS::SNS::Topic': 'only alarms write to it',
  'AWS::SNS::TopicPolicy': 'only alarms write to it',
  'AWS::SNS::Subscription': 'only alarms write to it',
  'AWS::SQS::Queue': 'dead letters of asynchronous calls are lines in the log of the function',
  'AWS::SQS::QueuePolicy': 'dead letters of asynchronous calls are lines in the log of the function',
  'AWS::RDS::DBInstance': 'the cluster is one local PostgreSQL',
  'AWS::RDS::DBSubnetGroup': 'the cluster listens on loopback',
  'AWS::RDS::DBClusterParameterGroup': 'tuning of Aurora, not of behaviour',
  'AWS::RDS::DBParameterGroup': 'tuning of Aurora, not of behaviour',
  'AWS::SecretsManager::Secret': 'the local superuser has its own generated password',
  'AWS::SecretsManager::SecretTargetAttachment': 'the local superuser has its own generated password',
  'AWS::SecretsManager::ResourcePolicy': 'the local superuser has its own generated password',
  'AWS::SSM::Parameter': 'no function reads parameters',
  'AWS::XRay::Group': 'traces are not collected locally',
  'AWS::Lambda::CodeSigningConfig': 'no code signing locally',
  'AWS::IAM::ServiceLinkedRole': 'a service of AWS uses it, no code of the platform',
  'AWS::IAM::OIDCProvider': 'deployment credentials only',
  'AWS::ApiGatewayV2::DomainName': 'the gateway is reached by loopback address',
  'AWS::ApiGatewayV2::ApiMapping': 'the gateway is reached by loopback address',
  'AWS::Budgets::Budget': 'nothing costs money here',
  'Custom::AWS': 'an API call at deployment; the database bootstrap that it makes is done by the twin itself',
  'Custom::DatabaseBootstrap': 'the twin runs the same SQL itself, as superuser of the local PostgreSQL',
  'Custom::VpcRestrictDefaultSG': 'loopback has no VPC',
  'Custom::S3AutoDeleteObjects': 'buckets are deleted with the data folder',
  'Custom::CrossRegionExportReader': 'one region',
  'Custom::CrossRegionExportWriter': 'one region',
  'Custom::LogRetention': 'logs are files under the data folder',
};

const NOT_RUN_PREFIXES: ReadonlyArray<readonly [prefix: string, reason: string]> = [
  ['AWS::EC2::', 'networking: loopback has no VPC'],
  ['AWS::Cognito::', 'tokens come from the local OIDC issuer'],
  ['AWS::WAFv2::', 'no web traffic from outside'],
  ['AWS::CloudFront::', 'no content delivery network'],
  ['AWS::Backup::', 'the data folder can be copied'],
];

/** Why the twin does not run this type; undefined when the type is not on the list. */
export function reasonNotRun(type: string): string | undefined {
  return NOT_RUN[type] ?? NOT_RUN_PREFIXES.find(([prefix]) => type.startsWith(prefix))?.[1];
}
