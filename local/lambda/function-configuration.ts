import { isAbsolute, join } from 'node:path';
import { arn, REGION } from '../aws/account.ts';
import { TwinError } from '../errors.ts';
import { roleNameOf } from '../iam/principal.ts';
import type { DeployedResource, DeployedTemplate } from '../template/deployed-template.ts';

/** One function as the template defines it. */
export interface FunctionConfiguration {
  readonly name: string;
  readonly arn: string;
  /** Short name for people: logs, messages. */
  readonly label: string;
  readonly logicalId: string;
  readonly roleName: string;
  /** Folder with the code. */
  readonly taskRoot: string;
  readonly handler: string;
  readonly memoryMiB: number;
  readonly timeoutMs: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly reservedConcurrency: number | undefined;
  /** An environment serves one tenant only, and every call names its tenant. */
  readonly isTenantIsolated: boolean;
  /** Retries of asynchronous calls; Lambda's default is 2. */
  readonly maximumRetryAttempts: number;
}

/** Functions that exist only to serve CloudFormation: providers of custom resources. */
const DEPLOYMENT_ONLY = [
  'AWSCDK.TriggerCustomResourceProvider',
  'CustomVpcRestrictDefaultSG',
  'CustomS3AutoDeleteObjects',
  'AWS679f53fac002430cb0da5b7982bd2287', // AwsCustomResource
  'LogRetention',
];

export function functionConfigurations(template: DeployedTemplate): FunctionConfiguration[] {
  const retries = new Map<string, number>();
  for (const config of template.ofType('AWS::Lambda::EventInvokeConfig')) {
    const attempts = config.properties.MaximumRetryAttempts;
    if (attempts !== undefined) retries.set(String(config.properties.FunctionName), Number(attempts));
  }
  return template
    .ofType('AWS::Lambda::Function')
    .filter((resource) => !isDeploymentOnly(resource))
    .map((resource) => configuration(resource, retries.get(resource.physicalId) ?? 2));
}

function isDeploymentOnly(resource: DeployedResource): boolean {
  const path = String(resource.metadata['aws:cdk:path'] ?? '');
  return DEPLOYMENT_ONLY.some(
    (name) => resource.logicalId.startsWith(name.replaceAll('.', '')) || path.includes(name),
  );
}

function configuration(resource: DeployedResource, maximumRetryAttempts: number): FunctionConfiguration {
  const { properties } = resource;
  const runtime = String(properties.Runtime);
  if (!runtime.startsWith('nodejs')) {
    throw new TwinError(
      'RUNTIME_UNSUPPORTED',
      `${resource.label}: the twin runs Node.js functions, not ${runtime}`,
    );
  }
  const asset = resource.metadata['aws:asset:path'];
  if (typeof asset !== 'string') {
    throw new TwinError(
      'ASSET_MISSING',
      `${resource.label}: no aws:asset:path in the template; is asset metadata disabled?`,
    );
  }
  const environment =
    (properties.Environment as { Variables?: Record<string, unknown> } | undefined)?.Variables ?? {};
  return {
    name: resource.physicalId,
    arn: arn('lambda', `function:${resource.physicalId}`),
    // Set by every function that logs with Powertools; shorter than a logical id.
    label:
      environment.POWERTOOLS_SERVICE_NAME === undefined
        ? resource.label
        : String(environment.POWERTOOLS_SERVICE_NAME),
    logicalId: resource.logicalId,
    roleName: roleNameOf(String(properties.Role)),
    taskRoot: isAbsolute(asset) ? asset : join(resource.assemblyDirectory, asset),
    handler: String(properties.Handler),
    memoryMiB: Number(properties.MemorySize ?? 128),
    timeoutMs: Number(properties.Timeout ?? 3) * 1000,
    environment: Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, String(value)])),
    reservedConcurrency:
      properties.ReservedConcurrentExecutions === undefined
        ? undefined
        : Number(properties.ReservedConcurrentExecutions),
    isTenantIsolated:
      (properties.TenancyConfig as { TenantIsolationMode?: unknown } | undefined)?.TenantIsolationMode ===
      'PER_TENANT',
    maximumRetryAttempts,
  };
}

export interface HostedEnvironment {
  readonly credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string };
  /** `AWS_ENDPOINT_URL_*` of the local servers. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly nodePath: string;
  readonly runtimeApi: string;
  /** Stands in for the environment's own /tmp. */
  readonly temporaryDirectory: string;
  readonly logStream: string;
}

/** Variables that only mean something on AWS. */
const AWS_ONLY = new Set([
  'NODE_EXTRA_CA_CERTS', // a file of Lambda's image: the CA of RDS
]);

/**
 * The whole environment of a function process: what Lambda sets, what the template sets, where the local servers
 * are; of the host only PATH. HOME is the function's own folder, so that no SDK finds the developer's ~/.aws.
 */
export function processEnvironment(
  config: FunctionConfiguration,
  hosted: HostedEnvironment,
): Record<string, string> {
  const own = Object.entries(config.environment).filter(([key]) => !AWS_ONLY.has(key));
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: hosted.temporaryDirectory,
    TMPDIR: hosted.temporaryDirectory,
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
    NODE_PATH: hosted.nodePath,
    ...Object.fromEntries(own),
    ...hosted.endpoints,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: hosted.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: hosted.credentials.secretAccessKey,
    AWS_SESSION_TOKEN: hosted.credentials.sessionToken,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_FUNCTION_NAME: config.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(config.memoryMiB),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${config.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: hosted.logStream,
    AWS_LAMBDA_RUNTIME_API: hosted.runtimeApi,
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:2000',
    LAMBDA_TASK_ROOT: config.taskRoot,
    _HANDLER: config.handler,
  };
}
