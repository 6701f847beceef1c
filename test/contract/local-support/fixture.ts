// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Fn::Sub of CloudFormation is written so
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arn, iamArn } from '../../../local/aws/account.ts';
import { Authorizer } from '../../../local/iam/authorizer.ts';
import { CredentialRegistry, type SessionCredentials } from '../../../local/iam/credential-registry.ts';
import { collectPolicies } from '../../../local/iam/policies.ts';
import { roleSession } from '../../../local/iam/principal.ts';
import { functionConfigurations } from '../../../local/lambda/function-configuration.ts';
import { LambdaHost, type LambdaHostOptions } from '../../../local/lambda/lambda-host.ts';
import { DeployedTemplate } from '../../../local/template/deployed-template.ts';

type Properties = Record<string, unknown>;
export type Resources = Record<string, { Type: string; Properties?: Properties; Metadata?: Properties }>;

export const STACK = 'fixture';

/** A small deployment: a template of the test's own, its policies and credentials, in a folder that goes afterwards. */
export class Fixture {
  readonly directory: string;
  readonly template: DeployedTemplate;
  readonly registry = new CredentialRegistry('secret of the tests');
  readonly authorizer: Authorizer;
  /** Failures that the servers reported as their own. */
  readonly failures: unknown[] = [];

  constructor(resources: Resources, functions: Record<string, string> = {}) {
    this.directory = mkdtempSync(join(tmpdir(), 'twin-contract-'));
    const all: Resources = { ...resources };
    for (const [logicalId, source] of Object.entries(functions)) {
      const asset = join(this.directory, `asset.${logicalId}`);
      mkdirSync(asset);
      writeFileSync(join(asset, 'index.cjs'), source);
      const given = resources[logicalId]?.Properties ?? {};
      all[logicalId] = {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Runtime: 'nodejs24.x',
          Handler: 'index.handler',
          MemorySize: 256,
          Timeout: 10,
          Role: iamArn(`role/${logicalId}Role`),
          ...given,
        },
        Metadata: { 'aws:asset:path': asset },
      };
    }
    const stack = { name: STACK, template: { Resources: all }, assemblyDirectory: this.directory };
    this.template = new DeployedTemplate([stack], {
      runtime: { databaseHost: '127.0.0.1', databasePort: 5432, gatewayUrl: 'http://127.0.0.1:5000' },
    });
    this.authorizer = new Authorizer(collectPolicies(this.template));
  }

  readonly onFailure = (error: unknown): void => {
    this.failures.push(error);
  };

  /** Credentials of a session of a role of the template. */
  credentials(roleLogicalId: string): SessionCredentials {
    return this.registry.issue(roleSession(`${STACK}-${roleLogicalId}`, 'test'));
  }

  host(options: Partial<LambdaHostOptions> = {}): LambdaHost {
    return new LambdaHost({
      functions: functionConfigurations(this.template),
      registry: this.registry,
      endpoints: {},
      nodePath: '/nonexistent',
      dataDirectory: this.directory,
      ...options,
    });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A role with one inline policy of these statements. */
export function role(...statements: Properties[]): Resources[string] {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      Policies: [{ PolicyName: 'inline', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
    },
  };
}

export function allow(action: string | string[], resource: unknown, condition?: Properties): Properties {
  return {
    Effect: 'Allow',
    Action: action,
    Resource: resource,
    ...(condition === undefined ? {} : { Condition: condition }),
  };
}

export function functionArn(logicalId: string): string {
  return arn('lambda', `function:${STACK}-${logicalId}`);
}

/** What an SDK client of the tests is made with. */
export function clientConfig(endpoint: string, credentials: SessionCredentials) {
  return { region: 'us-east-1', endpoint, credentials, maxAttempts: 1 };
}

/** An HTTP API with routes to functions, all of which API Gateway may invoke. */
export function httpApi(
  routes: Record<string, { function: string; authorizer?: string }>,
  authorizers: Record<string, { function: string; ttlSeconds?: number }> = {},
): Resources {
  const resources: Resources = {
    Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType: 'HTTP' } },
  };
  const permit = (name: string) => {
    resources[`Permission${name}`] = {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        FunctionName: { 'Fn::GetAtt': [name, 'Arn'] },
        Principal: 'apigateway.amazonaws.com',
        SourceArn: { 'Fn::Sub': 'arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*' },
      },
    };
  };
  for (const [name, { function: target, ttlSeconds = 0 }] of Object.entries(authorizers)) {
    permit(target);
    resources[name] = {
      Type: 'AWS::ApiGatewayV2::Authorizer',
      Properties: {
        AuthorizerType: 'REQUEST',
        AuthorizerUri: {
          'Fn::Sub': `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\${${target}.Arn}/invocations`,
        },
        AuthorizerPayloadFormatVersion: '2.0',
        EnableSimpleResponses: true,
        AuthorizerResultTtlInSeconds: ttlSeconds,
        IdentitySource: ['$request.header.Authorization'],
      },
    };
  }
  for (const [i, [routeKey, { function: target, authorizer }]] of Object.entries(routes).entries()) {
    permit(target);
    resources[`Integration${i}`] = {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: { IntegrationType: 'AWS_PROXY', IntegrationUri: { 'Fn::GetAtt': [target, 'Arn'] } },
    };
    resources[`Route${i}`] = {
      Type: 'AWS::ApiGatewayV2::Route',
      Properties: {
        RouteKey: routeKey,
        Target: { 'Fn::Join': ['/', ['integrations', { Ref: `Integration${i}` }]] },
        ...(authorizer === undefined
          ? {}
          : { AuthorizationType: 'CUSTOM', AuthorizerId: { Ref: authorizer } }),
      },
    };
  }
  return resources;
}
