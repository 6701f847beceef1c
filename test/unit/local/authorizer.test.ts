// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Fn::Sub of CloudFormation is written so
import { describe, expect, it } from 'vitest';
import { Authorizer } from '../../../local/iam/authorizer.ts';
import { collectPolicies } from '../../../local/iam/policies.ts';
import { roleSession, servicePrincipal } from '../../../local/iam/principal.ts';
import type { Stack } from '../../../local/template/cloud-assembly.ts';
import { DeployedTemplate } from '../../../local/template/deployed-template.ts';

const Statement = (Action: string, Resource: unknown) => ({
  Statement: [{ Effect: 'Allow', Action, Resource }],
});
const role = (more = {}) => ({ Type: 'AWS::IAM::Role', Properties: { RoleName: 'r', ...more } });

function authorizerFor(Resources: Stack['template']['Resources']): Authorizer {
  const stack = { name: 'app', template: { Resources: Resources ?? {} }, assemblyDirectory: '/' };
  const runtime = { databaseHost: '', databasePort: 0, gatewayUrl: '' };
  return new Authorizer(collectPolicies(new DeployedTemplate([stack], { runtime })));
}

const asRole = (action: string, resource: string, context = {}) => ({
  principal: roleSession('r', 's'),
  action,
  resource,
  context,
});

describe('authorization', () => {
  it('adds up inline, attached and managed policies of a role', async () => {
    const authorizer = authorizerFor({
      Role: role({
        Policies: [{ PolicyName: 'p', PolicyDocument: Statement('s3:GetObject', 'arn:aws:s3:::b/in/*') }],
        ManagedPolicyArns: [
          { 'Fn::Sub': 'arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole' },
          { Ref: 'Own' },
        ],
      }),
      Attached: {
        Type: 'AWS::IAM::Policy',
        Properties: {
          Roles: [{ Ref: 'Role' }],
          PolicyDocument: Statement('s3:PutObject', 'arn:aws:s3:::b/out/*'),
        },
      },
      Own: {
        Type: 'AWS::IAM::ManagedPolicy',
        Properties: { PolicyDocument: Statement('events:PutEvents', '*') },
      },
    });
    const decide = (action: string, resource: string) => authorizer.authorize(asRole(action, resource));
    expect(await decide('s3:GetObject', 'arn:aws:s3:::b/in/x')).toBe('Allowed');
    expect(await decide('s3:PutObject', 'arn:aws:s3:::b/out/x')).toBe('Allowed');
    expect(await decide('s3:PutObject', 'arn:aws:s3:::b/in/x')).toBe('ImplicitlyDenied');
    expect(
      await decide('logs:PutLogEvents', 'arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:s'),
    ).toBe('Allowed');
    expect(await decide('events:PutEvents', 'arn:aws:events:us-east-1:000000000000:event-bus/b')).toBe(
      'Allowed',
    );
  });

  it('does not take a key with a wildcard for a pattern', async () => {
    const authorizer = authorizerFor({
      Role: role({
        Policies: [
          { PolicyName: 'p', PolicyDocument: Statement('s3:GetObject', 'arn:aws:s3:::b/tenants/a/*') },
        ],
      }),
    });
    expect(await authorizer.authorize(asRole('s3:GetObject', 'arn:aws:s3:::b/tenants/*'))).toBe(
      'ImplicitlyDenied',
    );
    expect(await authorizer.authorize(asRole('s3:GetObject', 'arn:aws:s3:::b/tenants/a/*?'))).toBe('Allowed');
  });

  it('lets a service in only by a permission for its source', async () => {
    const authorizer = authorizerFor({
      Run: { Type: 'AWS::Lambda::Function' },
      Permission: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          Action: 'lambda:InvokeFunction',
          FunctionName: { 'Fn::GetAtt': ['Run', 'Arn'] },
          Principal: 'apigateway.amazonaws.com',
          SourceArn: 'arn:aws:execute-api:us-east-1:000000000000:api/*/*',
        },
      },
    });
    const ask = (service: string, api: string) =>
      authorizer.authorize({
        principal: servicePrincipal(service),
        action: 'lambda:InvokeFunction',
        resource: 'arn:aws:lambda:us-east-1:000000000000:function:app-Run',
        context: { 'aws:SourceArn': `arn:aws:execute-api:us-east-1:000000000000:${api}/$default/GET/x` },
      });
    expect(await ask('apigateway', 'api')).toBe('Allowed');
    expect(await ask('apigateway', 'other')).toBe('ImplicitlyDenied');
    expect(await ask('events', 'api')).toBe('ImplicitlyDenied');
  });

  it('stops at a managed policy that it has no copy of', () => {
    expect(() =>
      authorizerFor({ Role: role({ ManagedPolicyArns: ['arn:aws:iam::aws:policy/PowerUserAccess'] }) }),
    ).toThrow(expect.objectContaining({ code: 'MANAGED_POLICY_UNKNOWN' }));
  });
});
