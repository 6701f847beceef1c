// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Fn::Sub of CloudFormation is written so
import { describe, expect, it } from 'vitest';
import type { CloudFormationTemplate, Stack } from '../../../local/template/cloud-assembly.ts';
import { DeployedTemplate } from '../../../local/template/deployed-template.ts';

const runtime = { databaseHost: '127.0.0.1', databasePort: 5555, gatewayUrl: 'http://127.0.0.1:5000' };

function stack(name: string, template: CloudFormationTemplate): Stack {
  return { name, template, assemblyDirectory: '/assembly' };
}

/** Resolves one value as a property of a resource. */
function resolve(value: unknown, more: Partial<CloudFormationTemplate> = {}, parameters = {}): unknown {
  const template = {
    ...more,
    Resources: { ...more.Resources, Probe: { Type: 'AWS::IAM::Policy', Properties: { value } } },
  };
  const deployed = new DeployedTemplate([stack('app', template)], { runtime, parameters });
  return deployed.ofType('AWS::IAM::Policy')[0]?.properties.value;
}

const Resources = {
  Bucket: { Type: 'AWS::S3::Bucket' },
  Jobs: { Type: 'AWS::DynamoDB::Table' },
  Cluster: { Type: 'AWS::RDS::DBCluster' },
  Run: { Type: 'AWS::Lambda::Function' },
  Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Run' } } },
  Machine: { Type: 'AWS::StepFunctions::StateMachine' },
  Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: { 'Fn::Cidr': ['10.0.0.0/16', 2, 8] } } },
};

describe('intrinsic functions', () => {
  it.each<[string, unknown, unknown]>([
    ['Ref of a bucket', { Ref: 'Bucket' }, 'app-bucket'],
    ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'us-east-1'],
    [
      'Ref of a machine',
      { Ref: 'Machine' },
      'arn:aws:states:us-east-1:000000000000:stateMachine:app-Machine',
    ],
    [
      'Ref of a function version',
      { Ref: 'Version' },
      'arn:aws:lambda:us-east-1:000000000000:function:app-Run:1',
    ],
    ['GetAtt', { 'Fn::GetAtt': ['Jobs', 'Arn'] }, 'arn:aws:dynamodb:us-east-1:000000000000:table/app-Jobs'],
    ['GetAtt with dots', { 'Fn::GetAtt': ['Cluster', 'Endpoint.Address'] }, '127.0.0.1'],
    ['GetAtt as text', { 'Fn::GetAtt': 'Cluster.Endpoint.Port' }, '5555'],
    ['GetAtt of what is not run', { 'Fn::GetAtt': ['Vpc', 'VpcId'] }, 'app-Vpc.VpcId'],
    ['Join', { 'Fn::Join': ['/', ['a', { Ref: 'Bucket' }]] }, 'a/app-bucket'],
    [
      'Sub',
      { 'Fn::Sub': '${Jobs.Arn}/${AWS::AccountId}/${!Literal}' },
      'arn:aws:dynamodb:us-east-1:000000000000:table/app-Jobs/000000000000/${Literal}',
    ],
    ['Sub with variables', { 'Fn::Sub': ['${x}-y', { x: { Ref: 'Bucket' } }] }, 'app-bucket-y'],
    ['Select of Split', { 'Fn::Select': [1, { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
    ['nested values', { list: [{ Ref: 'Bucket' }, 1, true, null] }, { list: ['app-bucket', 1, true, null] }],
    ['NoValue', { kept: 1, gone: { Ref: 'AWS::NoValue' } }, { kept: 1 }],
  ])('resolve %s', (_, value, expected) => {
    expect(resolve(value, { Resources })).toEqual(expected);
  });

  it('follow conditions and parameters', () => {
    const template = {
      Parameters: { Stage: { Type: 'String', Default: 'dev' } },
      Conditions: {
        IsProd: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] },
        NotProd: { 'Fn::Not': [{ Condition: 'IsProd' }] },
      },
    };
    const value = { 'Fn::If': ['NotProd', { Ref: 'Stage' }, 'live'] };
    expect(resolve(value, template)).toBe('dev');
    expect(resolve(value, template, { Stage: 'prod' })).toBe('live');
  });

  it('import what another stack exports', () => {
    const data = stack('data', {
      Resources: { Bucket: { Type: 'AWS::S3::Bucket' } },
      Outputs: { Out: { Value: { 'Fn::GetAtt': ['Bucket', 'Arn'] }, Export: { Name: 'data:Bucket' } } },
    });
    const api = stack('api', {
      Resources: {
        P: { Type: 'AWS::IAM::Policy', Properties: { value: { 'Fn::ImportValue': 'data:Bucket' } } },
      },
    });
    const deployed = new DeployedTemplate([api, data], { runtime });
    expect(deployed.ofType('AWS::IAM::Policy')[0]?.properties.value).toBe('arn:aws:s3:::data-bucket');
  });

  it.each([
    [{ 'Fn::Transform': {} }, 'INTRINSIC_UNSUPPORTED'],
    [{ Ref: 'Nobody' }, 'REFERENCE_UNKNOWN'],
    [{ 'Fn::ImportValue': 'nothing' }, 'EXPORT_UNKNOWN'],
    [{ 'Fn::GetAtt': ['Bucket', 'Colour'] }, 'ATTRIBUTE_UNKNOWN'],
  ])('fail by name: %j', (value, code) => {
    expect(() => resolve(value, { Resources })).toThrow(expect.objectContaining({ code }));
  });
});

describe('a deployment', () => {
  it('leaves out what has a reason, and what a condition excludes', () => {
    const deployed = new DeployedTemplate(
      [
        stack('app', {
          Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
          Resources: {
            Vpc: { Type: 'AWS::EC2::VPC' },
            Bucket: { Type: 'AWS::S3::Bucket', Condition: 'Never' },
          },
        }),
      ],
      { runtime },
    );
    expect(deployed.resources).toEqual([]);
    expect(deployed.skipped).toEqual([
      { type: 'AWS::EC2::VPC', logicalId: 'Vpc', reason: expect.any(String) },
    ]);
  });

  it('refuses a type that nobody decided on, by its name', () => {
    const unknown = stack('app', { Resources: { New: { Type: 'AWS::Neptune::DBCluster' } } });
    expect(() => new DeployedTemplate([unknown], { runtime })).toThrow(
      /AWS::Neptune::DBCluster \(app\/New\)/,
    );
  });

  it('gives long names that stay apart within the limits', () => {
    const names = ['A', 'B'].map((last) => {
      const id = `${'Long'.repeat(30)}${last}`;
      const deployed = new DeployedTemplate(
        [stack('app', { Resources: { [id]: { Type: 'AWS::S3::Bucket' } } })],
        { runtime },
      );
      return deployed.resources[0]?.physicalId as string;
    });
    expect(names.every((name) => name.length <= 63 && /^[a-z0-9-]+$/.test(name))).toBe(true);
    expect(names[0]).not.toBe(names[1]);
  });
});
