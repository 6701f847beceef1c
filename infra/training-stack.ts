import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { batchTimeoutMinutes, ingestTimeoutMinutes } from '../src/contracts/time-limits.ts';
import { batchDefinition } from './batch-definition.ts';
import { acknowledge } from './constructs/acknowledgement.ts';
import { FunctionSchedule } from './constructs/function-schedule.ts';
import { JobMachine } from './constructs/job-machine.ts';
import { ModelLayers } from './constructs/model-layers.ts';
import {
  type FunctionContext,
  type PlatformContext,
  PlatformFunction,
  unsignedModels,
} from './constructs/platform-function.ts';
import { DATABASE_CONTACT } from './constructs/registry-database.ts';
import type { DataStack } from './data-stack.ts';
import { importDefinition } from './import-definition.ts';
import { ingestDefinition, trainingDefinition } from './state-machines.ts';

const MAX_LAMBDA_TIMEOUT_SECONDS = 900;
/** A session takes about 6 times its file, of at most 128 MiB; half a GiB is left for the tensors of a call. */
const IMPORTED_MEMORY_MIB = 1769;
/** Less than predict has, so that predict can say what happened. */
const IMPORTED_TIMEOUT_SECONDS = 15;
/** Room for registering, closing and retries after the training itself has used up its time. */
const MACHINE_GRACE_MINUTES = 5;
/** The upload, up to 2 GiB, beside the Parquet file that is made of it and what DuckDB spills: all that Lambda has. */
const INGEST_STORAGE_MIB = 10_240;
/** One and a sixth vCPU: DuckDB reads while the graph runs. What is left for a model is what predict has for its cache. */
const BATCH_MEMORY_MIB = 2048;
/** All parts beside the result that is made of them. */
const BATCH_STORAGE_MIB = 10_240;
/** A dataset as Parquet, and what DuckDB spills while reading it. */
const TRAINER_STORAGE_MIB = { small: 2048, medium: 4096, large: 6144 };

export interface TrainingStackProps extends StackProps {
  readonly platform: PlatformContext;
  readonly data: DataStack;
}

/** Jobs: the functions that train and ingest, the machines that call them, and what starts or closes jobs by itself. */
export class TrainingStack extends Stack {
  readonly trainingMachine: JobMachine;
  readonly ingestMachine: JobMachine;
  readonly batchMachine: JobMachine;
  readonly importMachine: JobMachine;
  /** Runs graphs that tenants brought, in environments that never see two tenants. */
  readonly predictImported: lambda.Function;
  /** Ends of executions that could not be handed to close-job. */
  readonly lostEvents: sqs.Queue;
  /** Matches executions of any machine that failed or timed out. */
  readonly failedExecutions: events.Rule;
  private readonly platform: FunctionContext;
  private readonly data: DataStack;
  private readonly layers: ModelLayers;

  constructor(scope: Construct, id: string, props: TrainingStackProps) {
    super(scope, id, props);
    this.platform = { ...props.platform, logKey: props.data.encryptionKey };
    this.data = props.data;
    this.layers = new ModelLayers(this, 'Layers', { root: props.platform.root });
    const { settings } = props.platform;
    const logRetention = settings.logRetentionDays as logs.RetentionDays;
    const { logKey } = this.platform;

    const trainerSmall = this.trainer('small', settings.trainerMemoryMiB.small);
    const trainerMedium = this.trainer('medium', settings.trainerMemoryMiB.medium);
    const trainerLarge = this.trainer('large', settings.trainerMemoryMiB.large);
    const registrar = this.registrar();
    const closeJob = this.closeJob();
    const ingest = this.ingest();
    this.predictImported = this.importedGraphs();
    const batch = this.batch();
    const importer = this.importer();

    this.trainingMachine = new JobMachine(this, 'Training', {
      name: 'training',
      stageName: settings.name,
      definition: trainingDefinition(
        {
          trainerSmall: trainerSmall.functionArn,
          trainerMedium: trainerMedium.functionArn,
          trainerLarge: trainerLarge.functionArn,
          registrar: registrar.functionArn,
          closeJob: closeJob.functionArn,
        },
        settings.trainingTimeoutMinutes + MACHINE_GRACE_MINUTES,
      ),
      functions: [trainerSmall, trainerMedium, trainerLarge, registrar, closeJob],
      logRetention,
      logKey,
    });
    this.ingestMachine = new JobMachine(this, 'Ingest', {
      name: 'ingest',
      stageName: settings.name,
      definition: ingestDefinition(
        { ingest: ingest.functionArn, closeJob: closeJob.functionArn },
        ingestTimeoutMinutes,
      ),
      functions: [ingest, closeJob],
      logRetention,
      logKey,
    });

    this.batchMachine = new JobMachine(this, 'Batch', {
      name: 'batch',
      stageName: settings.name,
      definition: batchDefinition(
        {
          batch: batch.functionArn,
          registrar: registrar.functionArn,
          closeJob: closeJob.functionArn,
        },
        batchTimeoutMinutes + MACHINE_GRACE_MINUTES,
      ),
      functions: [batch, registrar, closeJob],
      logRetention,
      logKey,
    });

    this.importMachine = new JobMachine(this, 'Import', {
      name: 'import',
      stageName: settings.name,
      definition: importDefinition({
        import: importer.functionArn,
        registrar: registrar.functionArn,
        closeJob: closeJob.functionArn,
      }),
      functions: [importer, registrar, closeJob],
      logRetention,
      logKey,
    });

    this.lostEvents = new sqs.Queue(this, 'LostEvents', {
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    for (const id of ['AwsSolutions-SQS3', 'Serverless-SQSRedrivePolicy']) {
      acknowledge(this.lostEvents, id, 'This queue is itself the dead letter queue of the rule below.');
    }
    // A machine that is stopped or times out runs no closing state of its own. Two rules: the first one's matches are what
    // the alarm on failing jobs counts, and a job that somebody has stopped has not failed.
    this.failedExecutions = this.closesJobs('ExecutionEnded', ['FAILED', 'TIMED_OUT'], closeJob);
    this.closesJobs('ExecutionStopped', ['ABORTED'], closeJob);

    new FunctionSchedule(this, 'RetrainSchedule', {
      target: this.retrain(),
      rate: Duration.hours(1),
      description: 'Starts the retraining jobs that are due',
    });

    new CfnOutput(this, 'TrainingStateMachineArn', { value: this.trainingMachine.arn });
    new CfnOutput(this, 'IngestStateMachineArn', { value: this.ingestMachine.arn });
    new CfnOutput(this, 'BatchStateMachineArn', { value: this.batchMachine.arn });
    new CfnOutput(this, 'ImportStateMachineArn', { value: this.importMachine.arn });
  }

  get machines(): readonly JobMachine[] {
    return [this.trainingMachine, this.ingestMachine, this.batchMachine, this.importMachine];
  }

  private closesJobs(id: string, status: readonly string[], closeJob: lambda.Function): events.Rule {
    return new events.Rule(this, id, {
      description: `Closes the job of an execution that is ${status.join(' or ')} and has not closed it`,
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { status, stateMachineArn: this.machines.map(({ arn }) => arn) },
      },
      targets: [new targets.LambdaFunction(closeJob, { deadLetterQueue: this.lostEvents })],
    });
  }

  private trainer(size: 'small' | 'medium' | 'large', memoryMiB: number): lambda.Function {
    const { artifactBucket, stagingBucket, jobsTable, signingKey } = this.data;
    const { trainingSliceSeconds } = this.platform.settings;
    const trainer = new PlatformFunction(this, `Trainer${size[0]!.toUpperCase()}${size.slice(1)}`, {
      platform: this.platform,
      code: 'trainer',
      serviceName: `trainer-${size}`,
      description: `Training steps, ${memoryMiB} MiB`,
      memoryMiB,
      timeoutSeconds: MAX_LAMBDA_TIMEOUT_SECONDS,
      ephemeralStorageMiB: TRAINER_STORAGE_MIB[size],
      layers: [this.layers.duckdb, this.layers.onnxruntime],
      environment: {
        JOBS_TABLE: jobsTable.tableName,
        ARTIFACT_BUCKET: artifactBucket.bucketName,
        STAGING_BUCKET: stagingBucket.bucketName,
        SIGNING_KEY_ID: signingKey.keyId,
        ...(trainingSliceSeconds === undefined
          ? {}
          : { TRAINING_SLICE_SECONDS: String(trainingSliceSeconds) }),
      },
    });
    const { role, tenantRole } = trainer;
    jobsTable.grantItems(role, ['job/*'], ['GetItem']);
    jobsTable.grantTenantItems(tenantRole, ['GetItem', 'UpdateItem']);
    artifactBucket.grantTenantRead(tenantRole, 'datasets/');
    artifactBucket.grantTenantReadWrite(tenantRole, 'models/');
    artifactBucket.grantTenantList(tenantRole);
    stagingBucket.grantTenantReadWrite(tenantRole);
    stagingBucket.grantTenantList(tenantRole);
    signingKey.grant(role, 'kms:Sign');
    return trainer.function;
  }

  private registrar(): lambda.Function {
    const { artifactBucket, jobsTable, servingTable, intentsTable, feedbackTable, database, bus } = this.data;
    const registrar = new PlatformFunction(this, 'Registrar', {
      platform: this.platform,
      code: 'registrar',
      description: 'Training steps that write to the registry',
      memoryMiB: 512,
      timeoutSeconds: 60,
      network: this.data.network,
      environment: {
        ...database.environment('tenantml_app'),
        JOBS_TABLE: jobsTable.tableName,
        SERVING_TABLE: servingTable.tableName,
        INTENTS_TABLE: intentsTable.tableName,
        FEEDBACK_TABLE: feedbackTable.tableName,
        PREDICTION_LOG_DAYS: String(this.platform.settings.predictionLogDays),
        ARTIFACT_BUCKET: artifactBucket.bucketName,
        EVENT_BUS_NAME: bus.eventBusName,
        ...unsignedModels(this.platform.settings),
      },
    });
    const { role, tenantRole } = registrar;
    database.grantConnect(role, 'tenantml_app');
    jobsTable.grantItems(role, ['job/*'], ['GetItem']);
    jobsTable.grantTenantItems(tenantRole, ['GetItem', 'UpdateItem']);
    servingTable.grantTenantItems(tenantRole, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem']);
    servingTable.grantItems(role, DATABASE_CONTACT, ['PutItem']);
    // The public key by which a build is verified before it is registered.
    servingTable.grantItems(role, ['platform/*'], ['GetItem']);
    intentsTable.grantTenantItems(tenantRole, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem']);
    // What is known of the version that serves is projected when a new one is registered.
    feedbackTable.grantTenantItems(tenantRole, ['Query']);
    artifactBucket.grantTenantRead(tenantRole, 'models/');
    artifactBucket.grantTenantList(tenantRole);
    bus.grantPutEventsTo(role);
    return registrar.function;
  }

  private closeJob(): lambda.Function {
    const { jobsTable, bus } = this.data;
    const closeJob = new PlatformFunction(this, 'CloseJob', {
      platform: this.platform,
      code: 'close-job',
      description: 'Writes the end of a job and publishes it',
      memoryMiB: 256,
      timeoutSeconds: 30,
      environment: { JOBS_TABLE: jobsTable.tableName, EVENT_BUS_NAME: bus.eventBusName },
    });
    const { role, tenantRole } = closeJob;
    jobsTable.grantItems(role, ['job/*'], ['GetItem']);
    jobsTable.grantTenantItems(tenantRole, ['GetItem', 'UpdateItem']);
    bus.grantPutEventsTo(role);
    return closeJob.function;
  }

  private ingest(): lambda.Function {
    const { artifactBucket, stagingBucket, jobsTable } = this.data;
    const ingest = new PlatformFunction(this, 'IngestFunction', {
      platform: this.platform,
      code: 'ingest',
      description: 'Reads an upload into a dataset version',
      memoryMiB: 1769,
      timeoutSeconds: MAX_LAMBDA_TIMEOUT_SECONDS,
      ephemeralStorageMiB: INGEST_STORAGE_MIB,
      layers: [this.layers.duckdb],
      environment: {
        JOBS_TABLE: jobsTable.tableName,
        ARTIFACT_BUCKET: artifactBucket.bucketName,
        STAGING_BUCKET: stagingBucket.bucketName,
      },
    });
    const { role, tenantRole } = ingest;
    jobsTable.grantItems(role, ['job/*'], ['GetItem']);
    jobsTable.grantTenantItems(tenantRole, ['GetItem', 'UpdateItem']);
    artifactBucket.grantTenantReadWrite(tenantRole, 'datasets/');
    artifactBucket.grantTenantList(tenantRole);
    stagingBucket.grantObjects(tenantRole, '', ['get', 'delete']);
    stagingBucket.grantTenantList(tenantRole);
    return ingest.function;
  }

  private batch(): lambda.Function {
    const { artifactBucket, stagingBucket, resultBucket, jobsTable, servingTable } = this.data;
    const { batchResultDays, batchPartRows } = this.platform.settings;
    const batch = new PlatformFunction(this, 'BatchFunction', {
      platform: this.platform,
      code: 'batch',
      description: 'Scores datasets',
      memoryMiB: BATCH_MEMORY_MIB,
      timeoutSeconds: MAX_LAMBDA_TIMEOUT_SECONDS,
      ephemeralStorageMiB: BATCH_STORAGE_MIB,
      layers: [this.layers.duckdb, this.layers.onnxruntime],
      environment: {
        JOBS_TABLE: jobsTable.tableName,
        ARTIFACT_BUCKET: artifactBucket.bucketName,
        STAGING_BUCKET: stagingBucket.bucketName,
        RESULT_BUCKET: resultBucket.bucketName,
        SERVING_TABLE: servingTable.tableName,
        ...unsignedModels(this.platform.settings),
        IMPORTED_FUNCTION_NAME: this.predictImported.functionName,
        BATCH_RESULT_DAYS: String(batchResultDays),
        ...(batchPartRows === undefined ? {} : { BATCH_PART_ROWS: String(batchPartRows) }),
      },
    });
    const { role, tenantRole } = batch;
    jobsTable.grantItems(role, ['job/*'], ['GetItem']);
    jobsTable.grantTenantItems(tenantRole, ['GetItem', 'UpdateItem']);
    artifactBucket.grantTenantRead(tenantRole, 'datasets/');
    artifactBucket.grantTenantRead(tenantRole, 'models/');
    artifactBucket.grantTenantList(tenantRole);
    // Public keys, by which versions are verified.
    servingTable.grantItems(role, ['platform/*'], ['GetItem']);
    this.predictImported.grantInvokeLatestVersion(role);
    for (const bucket of [stagingBucket, resultBucket]) {
      bucket.grantTenantReadWrite(tenantRole, 'batch/');
      bucket.grantTenantList(tenantRole);
    }
    return batch.function;
  }

  /** No grants at all: whoever calls brings a link to the one file that the call needs. */
  private importedGraphs(): lambda.Function {
    return new PlatformFunction(this, 'PredictImported', {
      platform: this.platform,
      code: 'predict-imported',
      description: 'Runs graphs that tenants brought, each tenant in environments of its own',
      memoryMiB: IMPORTED_MEMORY_MIB,
      timeoutSeconds: IMPORTED_TIMEOUT_SECONDS,
      layers: [this.layers.onnxruntime],
      tenantIsolation: true,
    }).function;
  }

  private importer(): lambda.Function {
    const { artifactBucket, stagingBucket, jobsTable, signingKey } = this.data;
    const importer = new PlatformFunction(this, 'ImportFunction', {
      platform: this.platform,
      code: 'import',
      description: 'Looks at a model that was brought, and has it tried',
      memoryMiB: IMPORTED_MEMORY_MIB,
      timeoutSeconds: 120,
      environment: {
        JOBS_TABLE: jobsTable.tableName,
        ARTIFACT_BUCKET: artifactBucket.bucketName,
        STAGING_BUCKET: stagingBucket.bucketName,
        SIGNING_KEY_ID: signingKey.keyId,
        IMPORTED_FUNCTION_NAME: this.predictImported.functionName,
      },
    });
    const { role, tenantRole } = importer;
    signingKey.grant(role, 'kms:Sign');
    jobsTable.grantItems(role, ['job/*'], ['GetItem']);
    jobsTable.grantTenantItems(tenantRole, ['GetItem', 'UpdateItem']);
    artifactBucket.grantObjects(tenantRole, 'models/', ['put']);
    stagingBucket.grantObjects(tenantRole, 'uploads/', ['get', 'delete']);
    stagingBucket.grantTenantList(tenantRole);
    this.predictImported.grantInvokeLatestVersion(role);
    return importer.function;
  }

  private retrain(): lambda.Function {
    const { jobsTable, servingTable } = this.data;
    const retrain = new PlatformFunction(this, 'Retrain', {
      platform: this.platform,
      code: 'retrain',
      description: 'Starts the retraining jobs that are due',
      memoryMiB: 256,
      timeoutSeconds: 60,
      environment: {
        JOBS_TABLE: jobsTable.tableName,
        SERVING_TABLE: servingTable.tableName,
        TRAINING_STATE_MACHINE_ARN: this.trainingMachine.arn,
        ML_TRAINING_TIMEOUT_MINUTES: String(this.platform.settings.trainingTimeoutMinutes),
      },
    });
    const { role, tenantRole } = retrain;
    jobsTable.grantTenantItems(tenantRole, ['GetItem', 'PutItem', 'UpdateItem', 'Query']);
    jobsTable.grantItems(role, ['job/*'], ['PutItem']);
    jobsTable.grantIndexQuery(role, 'due');
    // How long the tenant lets a training take.
    servingTable.grantTenantItems(tenantRole, ['GetItem']);
    this.trainingMachine.machine.grantStartExecution(role);
    return retrain.function;
  }
}
