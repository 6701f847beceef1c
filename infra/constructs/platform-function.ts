import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { FunctionBundles, FunctionName } from '../bundle-functions.ts';
import type { StageSettings } from '../stage.ts';
import { acknowledge, ONE_ROLE_ONE_POLICY } from './acknowledgement.ts';
import type { PrivateNetwork } from './private-network.ts';
import { TenantRole } from './tenant-role.ts';

/** What every stack of the platform is built from. */
export interface PlatformContext {
  readonly settings: StageSettings;
  readonly bundles: FunctionBundles;
  /** The root of the project. */
  readonly root: string;
}

/** The same where the data stack is there. */
export interface FunctionContext extends PlatformContext {
  /** Encrypts what functions write to their logs. */
  readonly logKey: kms.IKey;
}

export interface PlatformFunctionProps {
  readonly platform: FunctionContext;
  /** The folder below `functions/`. */
  readonly code: FunctionName;
  /** The name in logs, metrics and traces. @default - the name of the code folder */
  readonly serviceName?: string;
  /** For functions that people invoke. @default - CloudFormation makes one up */
  readonly functionName?: string;
  readonly description: string;
  readonly memoryMiB: number;
  readonly timeoutSeconds: number;
  /** Room below `/tmp`; what is above 512 is billed while the function runs. @default - 512, Lambda's own */
  readonly ephemeralStorageMiB?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly layers?: readonly lambda.ILayerVersion[];
  /** Whether an environment serves one tenant only; cannot be changed later. @default false */
  readonly tenantIsolation?: boolean;
  /** @default - the function is in no VPC */
  readonly network?: PrivateNetwork;
}

/** A Node.js 24 function on arm64 with a role, a log group and traces of its own. */
export class PlatformFunction extends Construct {
  readonly function: lambda.Function;
  /** For what has no tenant. */
  readonly role: iam.Role;
  private tenants: TenantRole | undefined;

  constructor(scope: Construct, id: string, props: PlatformFunctionProps) {
    super(scope, id);
    const { settings, bundles, logKey } = props.platform;

    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: settings.logRetentionDays as logs.RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
      encryptionKey: logKey,
    });
    // A role of our own: the managed policies that CDK attaches allow logs of every function in the account.
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `${props.serviceName ?? props.code} (${settings.name})`,
    });
    logGroup.grantWrite(this.role);
    if (props.network) this.allowNetworkInterfaces();

    this.function = new lambda.Function(this, 'Function', {
      ...(props.functionName !== undefined && { functionName: props.functionName }),
      description: props.description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(bundles[props.code]),
      memorySize: props.memoryMiB,
      timeout: Duration.seconds(props.timeoutSeconds),
      ...(props.ephemeralStorageMiB !== undefined && {
        ephemeralStorageSize: Size.mebibytes(props.ephemeralStorageMiB),
      }),
      role: this.role,
      ...(props.tenantIsolation === true && { tenancyConfig: lambda.TenancyConfig.PER_TENANT }),
      layers: [...(props.layers ?? [])],
      tracing: lambda.Tracing.ACTIVE,
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      environment: {
        TENANTML_STAGE: settings.name,
        POWERTOOLS_SERVICE_NAME: props.serviceName ?? props.code,
        POWERTOOLS_METRICS_NAMESPACE: 'TenantML',
        POWERTOOLS_LOG_LEVEL: settings.logLevel,
        ...(props.network && vpcEnvironment(props.network)),
        ...props.environment,
      },
      ...(props.network && {
        vpc: props.network.vpc,
        vpcSubnets: props.network.subnets,
        securityGroups: [props.network.functionSecurityGroup],
        ipv6AllowedForDualStack: true,
      }),
    });
    acknowledge(
      this.role,
      'AwsSolutions-IAM5[Resource::*]',
      props.network
        ? 'X-Ray segments and the network interfaces that Lambda makes for a function in a VPC have no ARN to name.'
        : 'X-Ray has no resource to name: traces are written to the account.',
    );
    for (const id of ['Serverless-LambdaDLQ', 'NIST.800.53.R5-LambdaDLQ']) {
      acknowledge(
        this.function,
        id,
        'Callers wait for the answer (API Gateway, Step Functions, CloudFormation) or come again by themselves (schedules); what is closed by an event is also bounded by the deadline in its job.',
      );
    }
    acknowledge(
      this.function,
      'NIST.800.53.R5-LambdaConcurrency',
      'Reserved concurrency takes from the account what other functions may need, and new accounts have ten environments in all; tenants are limited by their plans, and everybody by the throttle of the API.',
    );
    if (!props.network) {
      acknowledge(
        this.function,
        'NIST.800.53.R5-LambdaInsideVPC',
        'Only functions that use Postgres are in the network: the others speak to services of AWS with signed requests, and a VPC would give them a slower start and endpoints billed by the hour, but nothing to reach.',
      );
    }
    acknowledge(this.role, 'NIST.800.53.R5-IAMNoInlinePolicy', ONE_ROLE_ONE_POLICY);
  }

  /** For tenants' data; a function that is never asked for it has none. */
  get tenantRole(): TenantRole {
    if (this.tenants === undefined) {
      const executionRole = this.role;
      const description = `${executionRole.node.scope?.node.id}: data of one tenant at a time`;
      this.tenants = new TenantRole(this, 'Tenants', { executionRole, description });
      this.function.addEnvironment('TENANT_ROLE_ARN', this.tenants.role.roleArn);
    }
    return this.tenants;
  }

  /** What Lambda itself needs to attach a function to the network, as in AWSLambdaVPCAccessExecutionRole without logs. */
  private allowNetworkInterfaces(): void {
    this.role.addToPolicy(
      new iam.PolicyStatement({
        actions: [
          'ec2:CreateNetworkInterface',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSubnets',
          'ec2:DeleteNetworkInterface',
          'ec2:AssignPrivateIpAddresses',
          'ec2:UnassignPrivateIpAddresses',
        ],
        resources: ['*'],
      }),
    );
  }
}

/** For functions that load or deploy versions: whether those from before versions were signed pass. */
export function unsignedModels({ unsignedModels: setting }: StageSettings): Record<string, string> {
  return setting === 'allow' ? { UNSIGNED_MODELS: 'allow' } : {};
}

function vpcEnvironment(network: PrivateNetwork): Record<string, string> {
  return {
    // The dual-stack names: the network has no IPv4 way out. Only these clients: the global dual-stack flag breaks PutEvents.
    AWS_ENDPOINT_URL_EVENTBRIDGE: `https://events.${Stack.of(network).region}.api.aws`,
    AWS_ENDPOINT_URL_STS: `https://sts.${Stack.of(network).region}.api.aws`,
    // The authorities of RDS, which the runtime holds and Node does not load by itself.
    NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
  };
}
