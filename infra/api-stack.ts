import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { gatewayRoutes, type HttpFunction } from '../src/contracts/planes.ts';
import { authorizerFunction } from './authorizer-function.ts';
import { acknowledge } from './constructs/acknowledgement.ts';
import { FunctionSchedule } from './constructs/function-schedule.ts';
import { ModelLayers } from './constructs/model-layers.ts';
import { PlatformAlarms } from './constructs/platform-alarms.ts';
import {
  type FunctionContext,
  type PlatformContext,
  PlatformFunction,
  unsignedModels,
} from './constructs/platform-function.ts';
import { DATABASE_CONTACT } from './constructs/registry-database.ts';
import type { DataStack } from './data-stack.ts';
import type { IdentityStack } from './identity-stack.ts';
import { migrateBefore } from './migrate-function.ts';
import { predictFunction } from './predict-function.ts';
import {
  authorizerCacheSeconds,
  retentionFunction,
  tenantFunction,
  tenantOperations,
} from './tenant-functions.ts';
import type { TrainingStack } from './training-stack.ts';

export interface ApiStackProps extends StackProps {
  readonly platform: PlatformContext;
  readonly data: DataStack;
  readonly training: TrainingStack;
  /** Present when the stage's identity is Cognito. */
  readonly identity?: IdentityStack;
}

/** The HTTP surface: gateway, authorizer and the functions behind it, the promotion repair and the migrations. */
export class ApiStack extends Stack {
  private readonly platform: FunctionContext;
  private readonly data: DataStack;
  private readonly training: TrainingStack;
  private readonly layers: ModelLayers;

  constructor(scope: Construct, id: string, props: ApiStackProps) {
    super(scope, id, props);
    this.platform = { ...props.platform, logKey: props.data.encryptionKey };
    this.data = props.data;
    const own = { platform: this.platform, data: this.data };
    this.training = props.training;
    this.layers = new ModelLayers(this, 'Layers', { root: props.platform.root });

    const authorizer = authorizerFunction(this, { ...props, ...own });
    const functions: Record<HttpFunction, lambda.Function> = {
      predict: predictFunction(this, { ...props, ...own, layers: this.layers }),
      train: this.train(),
      datasets: this.datasets(),
      registry: this.registry(),
      monitoring: this.monitoring(),
      tenant: tenantFunction(this, own),
      platform: this.platformFunction(),
    };
    const { api, stage } = this.gateway(authorizer, functions);
    const relay = this.repair();
    retentionFunction(this, own);
    const { rows } = tenantOperations(this, own);
    // New code of this stack meets the new schema only.
    migrateBefore(this, [functions.registry, relay, rows], own);

    new PlatformAlarms(this, 'Alarms', {
      settings: props.platform.settings,
      api,
      cluster: this.data.database.cluster,
      lostEvents: this.training.lostEvents,
      encryptionKey: this.data.encryptionKey,
      failedExecutions: this.training.failedExecutions,
    });
    new CfnOutput(this, 'ApiUrl', { value: stage.url });
  }

  private gateway(authorizer: lambda.Function, functions: Record<HttpFunction, lambda.Function>) {
    const { settings } = this.platform;
    const api = new apigateway.HttpApi(this, 'Api', {
      apiName: `tenantml-${settings.name}`,
      description: `TenantML ${settings.name}`,
      createDefaultStage: false,
    });
    const requestAuthorizer = new HttpLambdaAuthorizer('Authorizer', authorizer, {
      responseTypes: [HttpLambdaResponseType.SIMPLE],
      identitySource: ['$request.header.Authorization'],
      resultsCacheTtl: Duration.seconds(authorizerCacheSeconds),
    });
    const integrations = new Map(
      Object.entries(functions).map(([name, target]) => [
        name,
        new HttpLambdaIntegration(`${name}-integration`, target, {
          // One permission per function: one per route would overflow the function's policy. CDK's permission for the
          // whole API names `<stage>/<method>/<path>`, which `$default` is not, so that route keeps a permission of its own.
          scopePermissionToRoute: gatewayRoutes.some(
            (route) => route.function === name && route.routeKey === '$default',
          ),
        }),
      ]),
    );
    for (const { routeKey, function: name, authorized } of gatewayRoutes) {
      const [method, path] = routeKey === '$default' ? [undefined, undefined] : routeKey.split(' ');
      const route = new apigateway.HttpRoute(this, `Route ${routeKey.replaceAll('/', '.')}`, {
        httpApi: api,
        routeKey:
          path === undefined
            ? apigateway.HttpRouteKey.DEFAULT
            : apigateway.HttpRouteKey.with(path, method as apigateway.HttpMethod),
        integration: integrations.get(name)!,
        ...(authorized && { authorizer: requestAuthorizer }),
      });
      if (!authorized) {
        acknowledge(
          route,
          'AwsSolutions-APIG4',
          'Health, documentation and 404 answers hold nothing of a tenant; everything else has the authorizer.',
        );
      }
    }
    const stage = new apigateway.HttpStage(this, 'Stage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: settings.throttle.requestsPerSecond, burstLimit: settings.throttle.burst },
      accessLogSettings: {
        destination: new apigateway.LogGroupLogDestination(
          new logs.LogGroup(this, 'AccessLogs', {
            retention: settings.logRetentionDays as logs.RetentionDays,
            removalPolicy: RemovalPolicy.DESTROY,
            encryptionKey: this.platform.logKey,
          }),
        ),
        format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG_FIELDS)),
      },
    });
    return { api, stage };
  }

  private train(): lambda.Function {
    const { artifactBucket, resultBucket, jobsTable, servingTable } = this.data;
    const train = new PlatformFunction(this, 'Train', {
      platform: this.platform,
      code: 'train',
      description: 'Starts, shows and cancels jobs',
      memoryMiB: 512,
      timeoutSeconds: 20,
      environment: {
        ...this.idempotency(),
        AUDIT_TABLE: this.data.auditTable.tableName,
        JOBS_TABLE: jobsTable.tableName,
        ARTIFACT_BUCKET: artifactBucket.bucketName,
        TRAINING_STATE_MACHINE_ARN: this.training.trainingMachine.arn,
        INGEST_STATE_MACHINE_ARN: this.training.ingestMachine.arn,
        BATCH_STATE_MACHINE_ARN: this.training.batchMachine.arn,
        IMPORT_STATE_MACHINE_ARN: this.training.importMachine.arn,
        RESULT_BUCKET: resultBucket.bucketName,
        SERVING_TABLE: servingTable.tableName,
        ...unsignedModels(this.platform.settings),
        ML_TRAINING_TIMEOUT_MINUTES: String(this.platform.settings.trainingTimeoutMinutes),
      },
    });
    const { role, tenantRole } = train;
    this.data.idempotencyTable.grantTenantRecords(tenantRole, IDEMPOTENCY_ACTIONS);
    this.data.auditTable.grantTenantItems(tenantRole, ['PutItem']);
    jobsTable.grantTenantItems(tenantRole, ['GetItem', 'PutItem', 'UpdateItem', 'Query']);
    jobsTable.grantItems(role, ['job/*'], ['PutItem']);
    artifactBucket.grantTenantRead(tenantRole, 'datasets/');
    artifactBucket.grantTenantList(tenantRole);
    // What a batch prediction is checked against, and the result that a job links to.
    servingTable.grantTenantItems(tenantRole, ['GetItem']);
    servingTable.grantItems(role, ['platform/*'], ['GetItem']);
    artifactBucket.grantTenantRead(tenantRole, 'models/*/builds/*/manifest.json');
    resultBucket.grantTenantRead(tenantRole, 'batch/');
    this.training.trainingMachine.machine.grantStartExecution(role);
    this.training.batchMachine.machine.grantStartExecution(role);
    for (const machine of this.training.machines) machine.grantStop(role);
    return train.function;
  }

  private datasets(): lambda.Function {
    const { artifactBucket, stagingBucket, jobsTable } = this.data;
    const datasets = new PlatformFunction(this, 'Datasets', {
      platform: this.platform,
      code: 'datasets',
      description: 'Takes data and models in',
      memoryMiB: 1769,
      timeoutSeconds: 28,
      ephemeralStorageMiB: 1024,
      layers: [this.layers.duckdb],
      environment: {
        ...this.idempotency(),
        AUDIT_TABLE: this.data.auditTable.tableName,
        JOBS_TABLE: jobsTable.tableName,
        ARTIFACT_BUCKET: artifactBucket.bucketName,
        STAGING_BUCKET: stagingBucket.bucketName,
        INGEST_STATE_MACHINE_ARN: this.training.ingestMachine.arn,
        IMPORT_STATE_MACHINE_ARN: this.training.importMachine.arn,
      },
    });
    const { role, tenantRole } = datasets;
    this.data.idempotencyTable.grantTenantRecords(tenantRole, IDEMPOTENCY_ACTIONS);
    this.data.auditTable.grantTenantItems(tenantRole, ['PutItem']);
    jobsTable.grantTenantItems(tenantRole, ['GetItem', 'PutItem', 'UpdateItem', 'Query']);
    jobsTable.grantItems(role, ['job/*'], ['PutItem']);
    artifactBucket.grantTenantReadWrite(tenantRole, 'datasets/');
    artifactBucket.grantTenantList(tenantRole);
    stagingBucket.grantObjects(tenantRole, '', ['get', 'put', 'delete']);
    stagingBucket.grantTenantList(tenantRole);
    this.training.ingestMachine.machine.grantStartExecution(role);
    this.training.importMachine.machine.grantStartExecution(role);
    return datasets.function;
  }

  private registry(): lambda.Function {
    const { artifactBucket, servingTable, intentsTable, database, bus } = this.data;
    const registry = new PlatformFunction(this, 'Registry', {
      platform: this.platform,
      code: 'registry',
      description: 'Models, versions, deployment',
      memoryMiB: 512,
      timeoutSeconds: 29,
      network: this.data.network,
      environment: {
        ...this.idempotency(),
        AUDIT_TABLE: this.data.auditTable.tableName,
        ...database.environment('tenantml_app'),
        SERVING_TABLE: servingTable.tableName,
        INTENTS_TABLE: intentsTable.tableName,
        ARTIFACT_BUCKET: artifactBucket.bucketName,
        EVENT_BUS_NAME: bus.eventBusName,
        ...unsignedModels(this.platform.settings),
      },
    });
    const { role, tenantRole } = registry;
    this.data.idempotencyTable.grantTenantRecords(tenantRole, IDEMPOTENCY_ACTIONS);
    this.data.auditTable.grantTenantItems(tenantRole, ['Query']);
    database.grantConnect(role, 'tenantml_app');
    servingTable.grantTenantItems(tenantRole, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem']);
    servingTable.grantItems(role, DATABASE_CONTACT, ['PutItem']);
    // The public key that goes with a version that is taken away.
    servingTable.grantItems(role, ['platform/*'], ['GetItem']);
    intentsTable.grantTenantItems(tenantRole, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem']);
    artifactBucket.grantObjects(tenantRole, 'models/', ['get', 'delete']);
    artifactBucket.grantTenantList(tenantRole);
    bus.grantPutEventsTo(role);
    return registry.function;
  }

  private monitoring(): lambda.Function {
    const { artifactBucket, predictionBucket, servingTable, feedbackTable } = this.data;
    const { settings } = this.platform;
    const monitoring = new PlatformFunction(this, 'Monitoring', {
      platform: this.platform,
      code: 'monitoring',
      description: 'Takes feedback, and says how models do',
      memoryMiB: 512,
      timeoutSeconds: 20,
      environment: {
        ...this.idempotency(),
        ARTIFACT_BUCKET: artifactBucket.bucketName,
        PREDICTION_BUCKET: predictionBucket.bucketName,
        SERVING_TABLE: servingTable.tableName,
        FEEDBACK_TABLE: feedbackTable.tableName,
        PREDICTION_LOG_DAYS: String(settings.predictionLogDays),
        ML_PERFORMANCE_THRESHOLD: String(settings.performanceThreshold),
        ML_RETRAINING_FEEDBACK_THRESHOLD: String(settings.retrainingFeedbackThreshold),
        ...unsignedModels(settings),
      },
    });
    const { role, tenantRole } = monitoring;
    this.data.idempotencyTable.grantTenantRecords(tenantRole, IDEMPOTENCY_ACTIONS);
    servingTable.grantTenantItems(tenantRole, ['GetItem']);
    servingTable.grantItems(role, ['platform/*'], ['GetItem']);
    feedbackTable.grantTenantItems(tenantRole, ['PutItem', 'Query']);
    artifactBucket.grantTenantRead(tenantRole, 'models/*/builds/*/manifest.json');
    artifactBucket.grantTenantList(tenantRole);
    predictionBucket.grantTenantRead(tenantRole, 'predictions/');
    predictionBucket.grantTenantList(tenantRole);
    return monitoring.function;
  }

  private platformFunction(): lambda.Function {
    const { artifactBucket, servingTable, transientTable } = this.data;
    const { function: platform, role } = new PlatformFunction(this, 'Platform', {
      platform: this.platform,
      code: 'platform',
      description: 'Health, documentation, and the answer to unknown paths',
      memoryMiB: 512,
      timeoutSeconds: 10,
      environment: {
        SERVING_TABLE: servingTable.tableName,
        TRANSIENT_TABLE: transientTable.tableName,
        ARTIFACT_BUCKET: artifactBucket.bucketName,
        TRAINING_STATE_MACHINE_ARN: this.training.trainingMachine.arn,
      },
    });
    // The health probe asks for what is the platform's, never for anything of a tenant.
    servingTable.grantItems(role, ['platform/*', ...DATABASE_CONTACT], ['GetItem']);
    transientTable.grantItems(role, ['platform/*'], ['GetItem']);
    this.training.trainingMachine.grantDescribe(role);
    artifactBucket.grantPlatformList(role);
    return platform;
  }

  /** The relay finishes promotions whose pointer was not written; repair finds them without waking Postgres. */
  private repair(): lambda.Function {
    const { servingTable, intentsTable, database, bus } = this.data;
    const relay = new PlatformFunction(this, 'Relay', {
      platform: this.platform,
      code: 'relay',
      description: 'Finishes an interrupted promotion from Postgres',
      memoryMiB: 512,
      timeoutSeconds: 60,
      network: this.data.network,
      environment: {
        ...database.environment('tenantml_app'),
        SERVING_TABLE: servingTable.tableName,
        INTENTS_TABLE: intentsTable.tableName,
        EVENT_BUS_NAME: bus.eventBusName,
      },
    });
    database.grantConnect(relay.role, 'tenantml_app');
    // An intent says whose it is.
    intentsTable.grantOwnerLookup(relay.role);
    servingTable.grantTenantItems(relay.tenantRole, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem']);
    servingTable.grantItems(relay.role, DATABASE_CONTACT, ['PutItem']);
    intentsTable.grantTenantItems(relay.tenantRole, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem']);
    bus.grantPutEventsTo(relay.role);

    const repair = new PlatformFunction(this, 'Repair', {
      platform: this.platform,
      code: 'repair',
      description: 'Finds promotions that stopped half way',
      memoryMiB: 256,
      timeoutSeconds: 30,
      environment: {
        INTENTS_TABLE: intentsTable.tableName,
        RELAY_FUNCTION_NAME: relay.function.functionName,
      },
    });
    // Intents live for seconds: a scan of the table reads the few that are left over.
    intentsTable.grantAllItems(repair.role, ['Scan']);
    relay.function.grantInvokeLatestVersion(repair.role);
    new FunctionSchedule(this, 'RepairSchedule', {
      target: repair.function,
      rate: Duration.minutes(1),
      description: 'Repairs promotions that stopped half way',
    });
    return relay.function;
  }

  private idempotency(): Record<string, string> {
    return { IDEMPOTENCY_TABLE: this.data.idempotencyTable.tableName };
  }
}

/** The operations of Powertools' DynamoDB persistence layer. */
const IDEMPOTENCY_ACTIONS = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'] as const;

const ACCESS_LOG_FIELDS = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  method: '$context.httpMethod',
  path: '$context.path',
  routeKey: '$context.routeKey',
  status: '$context.status',
  responseLength: '$context.responseLength',
  latencyMs: '$context.responseLatency',
  integrationLatencyMs: '$context.integrationLatency',
  integrationError: '$context.integrationErrorMessage',
  authorizerError: '$context.authorizer.error',
  tenant: '$context.authorizer.tenant',
  sourceIp: '$context.identity.sourceIp',
};
