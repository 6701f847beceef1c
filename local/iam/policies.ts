import { ACCOUNT_ID, arn, functionNameOf, iamArn, PARTITION } from '../aws/account.ts';
import type { DeployedResource, DeployedTemplate } from '../template/deployed-template.ts';
import { managedPolicy } from './managed-policies.ts';
import type { PolicyDocument } from './policy-document.ts';
import { roleNameOf } from './principal.ts';

export interface NamedPolicy {
  readonly name: string;
  readonly policy: PolicyDocument;
}

/** Every policy that the template gives: of roles, buckets, keys and functions. */
export interface PolicySet {
  readonly identity: ReadonlyMap<string, readonly NamedPolicy[]>;
  /** Keyed by the ARN of the bucket, key, function or role that the policy is attached to; a role's says who may assume it. */
  readonly resource: ReadonlyMap<string, PolicyDocument>;
}

export function collectPolicies(template: DeployedTemplate): PolicySet {
  return { identity: identityPolicies(template), resource: resourcePolicies(template) };
}

function identityPolicies(template: DeployedTemplate): Map<string, NamedPolicy[]> {
  const roles = new Map<string, NamedPolicy[]>();
  const ownManaged = new Map<string, PolicyDocument>();
  for (const resource of template.ofType('AWS::IAM::ManagedPolicy')) {
    ownManaged.set(resource.physicalId, documentOf(resource.properties.PolicyDocument));
  }
  for (const role of template.ofType('AWS::IAM::Role')) {
    const policies: NamedPolicy[] = [];
    for (const inline of (role.properties.Policies as { PolicyName: string; PolicyDocument: unknown }[]) ??
      []) {
      policies.push({ name: inline.PolicyName, policy: documentOf(inline.PolicyDocument) });
    }
    for (const policyArn of (role.properties.ManagedPolicyArns as string[]) ?? []) {
      policies.push({ name: policyArn, policy: ownManaged.get(policyArn) ?? managedPolicy(policyArn) });
    }
    roles.set(role.physicalId, policies);
  }
  for (const resource of template.ofType('AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy')) {
    for (const role of (resource.properties.Roles as string[]) ?? []) {
      roles.get(roleNameOf(role))?.push({
        name: resource.physicalId,
        policy: documentOf(resource.properties.PolicyDocument),
      });
    }
  }
  return roles;
}

function resourcePolicies(template: DeployedTemplate): Map<string, PolicyDocument> {
  const statements = new Map<string, Record<string, unknown>[]>();
  const add = (resourceArn: string, more: readonly Record<string, unknown>[]) => {
    statements.set(resourceArn, [...(statements.get(resourceArn) ?? []), ...more]);
  };
  for (const policy of template.ofType('AWS::S3::BucketPolicy')) {
    add(
      `arn:${PARTITION}:s3:::${policy.properties.Bucket}`,
      documentOf(policy.properties.PolicyDocument).Statement,
    );
  }
  for (const key of template.ofType('AWS::KMS::Key')) {
    // Without one, CloudFormation makes the policy by which IAM decides.
    const given = key.properties.KeyPolicy;
    add(key.attribute('Arn'), given === undefined ? [ACCOUNT_DECIDES] : documentOf(given).Statement);
  }
  for (const role of template.ofType('AWS::IAM::Role')) {
    const trust = role.properties.AssumeRolePolicyDocument;
    if (trust !== undefined) add(iamArn(`role/${role.physicalId}`), documentOf(trust).Statement);
  }
  for (const permission of template.ofType('AWS::Lambda::Permission')) {
    const functionArn = arn(
      'lambda',
      `function:${functionNameOf(String(permission.properties.FunctionName))}`,
    );
    add(functionArn, [permissionStatement(permission, functionArn)]);
  }
  return new Map([...statements].map(([key, Statement]) => [key, { Version: '2012-10-17', Statement }]));
}

const ACCOUNT_DECIDES = {
  Effect: 'Allow',
  Principal: { AWS: `arn:${PARTITION}:iam::${ACCOUNT_ID}:root` },
  Action: 'kms:*',
  Resource: '*',
};

/** What Lambda's AddPermission makes of an AWS::Lambda::Permission. */
function permissionStatement(permission: DeployedResource, functionArn: string): Record<string, unknown> {
  const { Action, Principal, SourceArn, SourceAccount } = permission.properties as Record<
    string,
    string | undefined
  >;
  const condition: Record<string, Record<string, string>> = {};
  if (SourceArn !== undefined) condition.ArnLike = { 'AWS:SourceArn': SourceArn };
  if (SourceAccount !== undefined) condition.StringEquals = { 'AWS:SourceAccount': SourceAccount };
  const principal = String(Principal);
  return {
    Effect: 'Allow',
    Principal: principal.includes('.amazonaws.com')
      ? { Service: principal }
      : { AWS: principal === ACCOUNT_ID ? `arn:${PARTITION}:iam::${ACCOUNT_ID}:root` : principal },
    Action: Action ?? 'lambda:InvokeFunction',
    Resource: functionArn,
    ...(Object.keys(condition).length > 0 ? { Condition: condition } : {}),
  };
}

function documentOf(value: unknown): PolicyDocument {
  const { Statement, ...rest } = value as { Statement: unknown };
  return {
    Version: '2012-10-17',
    ...rest,
    Statement: (Array.isArray(Statement) ? Statement : [Statement]) as Record<string, unknown>[],
  };
}
