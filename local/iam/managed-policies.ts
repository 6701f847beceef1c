import { TwinError } from '../errors.ts';
import type { PolicyDocument } from './policy-document.ts';

function allow(...actions: string[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] };
}

const LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];
const NETWORK_INTERFACES = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** The AWS managed policies that templates of the platform name; AWS keeps the documents, so they are written out here. */
const MANAGED: Readonly<Record<string, PolicyDocument>> = {
  'service-role/AWSLambdaBasicExecutionRole': allow(...LOGS),
  'service-role/AWSLambdaVPCAccessExecutionRole': allow(...LOGS, ...NETWORK_INTERFACES),
  AWSXRayDaemonWriteAccess: allow(
    'xray:PutTraceSegments',
    'xray:PutTelemetryRecords',
    'xray:GetSamplingRules',
    'xray:GetSamplingTargets',
    'xray:GetSamplingStatisticSummaries',
  ),
  CloudWatchLambdaInsightsExecutionRolePolicy: allow(...LOGS),
  'service-role/AmazonRDSEnhancedMonitoringRole': allow(...LOGS),
  'service-role/AmazonAPIGatewayPushToCloudWatchLogs': allow(...LOGS),
};

export function managedPolicy(policyArn: string): PolicyDocument {
  const name = policyArn.slice(policyArn.indexOf(':policy/') + ':policy/'.length);
  const document = MANAGED[name];
  if (document === undefined) {
    throw new TwinError(
      'MANAGED_POLICY_UNKNOWN',
      `the twin has no copy of ${policyArn}; add it to local/iam/managed-policies.ts`,
    );
  }
  return document;
}
