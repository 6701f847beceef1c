import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { clientEnvironment } from './aws/client-environment.ts';
import { DynamoDbServer } from './dynamodb/dynamodb-server.ts';
import { TwinError } from './errors.ts';
import { EventBusServer } from './events/event-bus-server.ts';
import { Scheduler } from './events/scheduler.ts';
import { Targets } from './events/targets.ts';
import { GatewayServer } from './gateway/gateway-server.ts';
import { Authorizer } from './iam/authorizer.ts';
import { CredentialRegistry, type SessionCredentials } from './iam/credential-registry.ts';
import { collectPolicies, type PolicySet } from './iam/policies.ts';
import { roleSession } from './iam/principal.ts';
import { OidcIssuer, type TokenRequest } from './identity/oidc-issuer.ts';
import { acquireInstanceLock } from './instance-lock.ts';
import { KmsServer } from './kms/kms-server.ts';
import { functionConfigurations } from './lambda/function-configuration.ts';
import { InvokeServer } from './lambda/invoke-server.ts';
import { LambdaHost } from './lambda/lambda-host.ts';
import { PostgresServer } from './postgres/postgres-server.ts';
import { Progress } from './progress.ts';
import { S3Server } from './s3/s3-server.ts';
import { containersOf, InferenceServer } from './sagemaker/inference-server.ts';
import { StateMachineServer } from './step-functions/state-machine-server.ts';
import { statusChangeEvent } from './step-functions/status-change-event.ts';
import { StsServer } from './sts/sts-server.ts';
import { synthesize } from './synthesis.ts';
import { loadCloudAssembly } from './template/cloud-assembly.ts';
import { DeployedTemplate } from './template/deployed-template.ts';

export interface TwinOptions {
  /** Port of the gateway; 0 picks a free one. @default 5000 */
  readonly port?: number;
  /** Where all data is kept. @default `.tenantml` */
  readonly dataDir?: string;
  readonly quiet?: boolean;
  /** Set in every function, over what the template sets. */
  readonly functionEnvironment?: Readonly<Record<string, string>>;
  /** Containers of SageMaker's endpoints: `name=http://host:port`, several by commas. @default - none */
  readonly sageMakerEndpoints?: string;
  /** A synthesized app to run. @default - the platform's own, synthesized when its sources changed */
  readonly cloudAssembly?: string;
}

/** Addresses of the local servers, as the AWS SDK takes them. */
export interface TwinEndpoints {
  readonly s3: string;
  readonly dynamodb: string;
  readonly stepFunctions: string;
  readonly eventBridge: string;
  readonly lambda: string;
  readonly sageMakerRuntime: string;
  readonly kms: string;
  readonly sts: string;
}

/** The registry's database: looked into, and taken away, by those who test. */
export type TwinDatabase = Pick<PostgresServer, 'start' | 'stop'> & {
  /** As a superuser, which sees the rows of every tenant. */
  connect(): ReturnType<PostgresServer['connectAsSuperuser']>;
};

/** What a token says beside tenant and role. */
export type TokenClaims = Pick<TokenRequest, 'scope' | 'subject'>;

export interface Twin {
  readonly url: string;
  readonly database: TwinDatabase;
  readonly endpoints: TwinEndpoints;
  /** Credentials that may do everything on the local servers. */
  readonly administrator: SessionCredentials;
  readonly template: DeployedTemplate;
  /** Credentials of a role of the template, such as its function has. */
  roleCredentials(roleName: string): SessionCredentials;
  issueToken(tenant: string, role?: string, more?: TokenClaims): Promise<string>;
  /** Processes of a function now, by its name, logical id or service name. */
  functionPids(name: string, tenantId?: string): number[];
  stop(): Promise<void>;
}

const ROOT = join(import.meta.dirname, '..');
const BOOTSTRAP_SQL = join(ROOT, 'src/adapters/postgres/bootstrap.sql');
const DATABASE_NAME = 'tenantml';
const DEFAULT_PORT = 5000;
/** A role of the twin only, for the people who use it. */
const ADMINISTRATOR_ROLE = 'TwinAdministrator';

/** Starts the whole platform on this machine, from its synthesized template. */
export async function startTwin(options: TwinOptions = {}): Promise<Twin> {
  const dataDirectory = resolve(options.dataDir ?? join(ROOT, '.tenantml'));
  mkdirSync(join(dataDirectory, 'logs'), { recursive: true });
  const release = acquireInstanceLock(join(dataDirectory, 'twin.lock'));
  const stops: (() => unknown)[] = [release];
  const stop = async () => {
    // In reverse order of starting; one that fails to stop must not keep the others running.
    for (const undo of stops.splice(0).reverse()) {
      await Promise.resolve(undo()).catch(() => undefined);
    }
  };
  try {
    const twin = await start(options, dataDirectory, (undo) => stops.push(undo));
    return { ...twin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  options: TwinOptions,
  dataDirectory: string,
  onStop: (undo: () => unknown) => void,
): Promise<Omit<Twin, 'stop'>> {
  const progress = new Progress(options.quiet === true, join(dataDirectory, 'logs/twin.log'));
  const onFailure = (error: unknown) => progress.failure(error);
  const registry = new CredentialRegistry(secretOf(join(dataDirectory, 'credentials.secret')));
  const ports = keptPorts(join(dataDirectory, 'ports.json'));

  const database = await PostgresServer.open({
    directory: join(dataDirectory, 'postgres'),
    logFile: join(dataDirectory, 'logs/postgres.log'),
    database: DATABASE_NAME,
    bootstrapFile: BOOTSTRAP_SQL,
  });
  onStop(() => database.stop());
  const databaseReady = progress.step(
    'PostgreSQL',
    () => database.start(),
    () => `${database.host}:${database.port}`,
  );
  databaseReady.catch(() => undefined); // reported where it is awaited

  const assembly =
    options.cloudAssembly === undefined
      ? progress.step(
          'CloudFormation template',
          async () => {
            const synthesis = await synthesize((child) => onStop(() => child.kill('SIGKILL')));
            onStop(synthesis.release);
            return synthesis;
          },
          ({ cached }) => (cached ? 'unchanged' : 'synthesized'),
        )
      : Promise.resolve({ directory: options.cloudAssembly });
  assembly.catch(() => undefined);

  const s3 = new S3Server({
    directory: join(dataDirectory, 's3'),
    registry,
    port: ports.get('s3'),
    onFailure,
  });
  onStop(() => s3.stop());
  const dynamodb = new DynamoDbServer({ directory: join(dataDirectory, 'dynamodb'), registry, onFailure });
  onStop(() => dynamodb.stop());
  const buses = new EventBusServer({ registry, onFailure });
  onStop(() => buses.stop());
  const machines = new StateMachineServer({
    directory: join(dataDirectory, 'step-functions'),
    registry,
    onStatusChange: (execution) => buses.publish('default', statusChangeEvent(execution)),
    onFailure,
  });
  const lambda = new InvokeServer({ registry, onFailure });
  onStop(() => lambda.stop());
  const inference = new InferenceServer({
    ...{ registry, onFailure },
    containers: containersOf(options.sageMakerEndpoints),
  });
  onStop(() => inference.stop());
  const sts = new StsServer({ registry, onFailure });
  onStop(() => sts.stop());

  const kms = new KmsServer({ directory: join(dataDirectory, 'kms'), registry, onFailure });
  onStop(() => kms.stop());

  let issuer: OidcIssuer | undefined;
  const gateway = new GatewayServer({
    port: options.port ?? DEFAULT_PORT,
    twinRoutes: async (request, response, path) => (await issuer?.serve(request, response, path)) ?? false,
    onFailure,
  });
  const url = await progress.step(
    'gateway',
    () => startGateway(gateway, options.port ?? DEFAULT_PORT),
    (address) => address,
  );
  onStop(() => gateway.stop());

  const endpoints = await progress.step('S3, DynamoDB, buses, machines', async () => {
    const [s3Url, dynamodbUrl, busUrl, machineUrl, lambdaUrl, inferenceUrl, kmsUrl, stsUrl] =
      await Promise.all([
        s3.start(),
        dynamodb.start(),
        buses.start(),
        machines.start(),
        lambda.start(),
        inference.start(),
        kms.start(),
        sts.start(),
      ]);
    return {
      s3: s3Url,
      dynamodb: dynamodbUrl,
      eventBridge: busUrl,
      stepFunctions: machineUrl,
      lambda: lambdaUrl,
      sageMakerRuntime: inferenceUrl,
      kms: kmsUrl,
      sts: stsUrl,
    };
  });
  ports.keep('s3', s3.port);

  const stacks = await loadCloudAssembly((await assembly).directory);
  const issuerUrl = `${url}/_twin/identity`;
  const template = new DeployedTemplate(stacks, {
    runtime: { databaseHost: database.host, databasePort: database.port, gatewayUrl: url },
    parameters: { OidcIssuer: issuerUrl },
  });
  const functions = functionConfigurations(template).map((one) => ({
    ...one,
    environment: { ...one.environment, ...options.functionEnvironment },
  }));
  issuer = await OidcIssuer.open({
    issuer: issuerUrl,
    audience:
      functions.find(({ environment }) => environment.OIDC_AUDIENCE)?.environment.OIDC_AUDIENCE ??
      DATABASE_NAME,
    keyFile: join(dataDirectory, 'identity.pem'),
  });

  const authorizer = new Authorizer(withAdministrator(collectPolicies(template)));
  const host = new LambdaHost({
    functions,
    registry,
    endpoints: sdkEndpoints(endpoints),
    nodePath: join(ROOT, 'node_modules'),
    dataDirectory,
    onFailure,
  });
  onStop(() => host.stop());
  onStop(() => machines.stop());
  await progress.step(
    'deployment',
    async () => {
      const targets = new Targets(host, machines, authorizer);
      s3.deploy(template.ofType('AWS::S3::Bucket'), authorizer);
      await dynamodb.deploy(
        template.ofType('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'),
        authorizer,
      );
      lambda.deploy(host, authorizer);
      inference.deploy(authorizer);
      kms.deploy(template.ofType('AWS::KMS::Key'), authorizer);
      sts.deploy(authorizer);
      machines.deploy(template.ofType('AWS::StepFunctions::StateMachine'), host, authorizer);
      buses.deploy(template, targets, authorizer);
      const scheduler = new Scheduler(template, targets, onFailure);
      onStop(() => scheduler.stop());
    },
    () => `${functions.length} functions, ${template.resources.length} resources`,
  );
  await databaseReady;
  for (const trigger of template.ofType('Custom::Trigger')) {
    await runTrigger(host, String(trigger.properties.HandlerArn), progress);
  }
  const interrupted = machines.failInterrupted();
  if (interrupted > 0)
    progress.say(`  ! ${interrupted} execution(s) of the last run were interrupted and are failed`);
  gateway.deploy(template, host, authorizer);

  const administrator = registry.issue(roleSession(ADMINISTRATOR_ROLE, 'local'));
  writeFileSync(join(dataDirectory, 'aws.env'), clientEnvironment(administrator, sdkEndpoints(endpoints)), {
    mode: 0o600,
  });
  return {
    url,
    database: {
      connect: () => database.connectAsSuperuser(DATABASE_NAME),
      start: () => database.start(),
      stop: () => database.stop(),
    },
    endpoints,
    administrator,
    template,
    roleCredentials: (roleName) => registry.issue(roleSession(roleName, 'local')),
    issueToken: (tenant, role, more) =>
      issuer.issueToken({ tenant, ...(role === undefined ? {} : { role }), ...more }),
    functionPids: (name, tenantId) => host.pids(name, tenantId),
  };
}

async function startGateway(gateway: GatewayServer, port: number): Promise<string> {
  try {
    return await gateway.start();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new TwinError('PORT_IN_USE', `port ${port} is in use; set TENANTML_PORT to another one`, { cause });
  }
}

/** aws-cdk-lib/triggers run a function as part of the deployment; the deployment fails when it does. */
async function runTrigger(host: LambdaHost, handlerArn: string, progress: Progress): Promise<void> {
  const config = host.find(handlerArn);
  await progress.step(`trigger ${config.label}`, async () => {
    const result = await host.invoke(config.name, Buffer.from('{}'));
    if (!result.ok) {
      throw new TwinError(
        'TRIGGER_FAILED',
        `${config.label} failed: ${result.payload.toString('utf8').slice(0, 500)}; see ${host.logFile(config)}`,
      );
    }
  });
}

function sdkEndpoints(endpoints: TwinEndpoints): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_SFN: endpoints.stepFunctions,
    AWS_ENDPOINT_URL_EVENTBRIDGE: endpoints.eventBridge,
    AWS_ENDPOINT_URL_LAMBDA: endpoints.lambda,
    AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: endpoints.sageMakerRuntime,
    AWS_ENDPOINT_URL_KMS: endpoints.kms,
    AWS_ENDPOINT_URL_STS: endpoints.sts,
  };
}

function withAdministrator(policies: PolicySet): PolicySet {
  const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
  const identity = new Map(policies.identity).set(ADMINISTRATOR_ROLE, [
    { name: 'everything', policy: everything },
  ]);
  return { ...policies, identity };
}

function secretOf(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

/** Ports of the last run: presigned URLs that were handed out then still lead somewhere. */
function keptPorts(file: string): { get(name: string): number; keep(name: string, port: number): void } {
  const ports: Record<string, number> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  return {
    get: (name) => ports[name] ?? 0,
    keep: (name, port) => {
      ports[name] = port;
      writeFileSync(file, JSON.stringify(ports));
    },
  };
}
