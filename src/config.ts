/** The only reader of `process.env` in the library. */
import type { Plans } from './serving/limits/tenant-limits.ts';

/** A setting that the deployment should have given is missing. */
export class MissingSettingError extends Error {
  constructor(name: string) {
    super(`the environment variable ${name} is not set; the deployment sets it`);
    this.name = 'MissingSettingError';
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new MissingSettingError(name);
  return value;
}

function integer(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`${name}=${text} must be a whole number of at least 1`);
  }
  return value;
}

function fraction(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!(value >= 0 && value <= 1)) throw new Error(`${name}=${text} must be a number of 0 to 1`);
  return value;
}

const mebibyte = 1024 * 1024;

/** Settings of a deployed function; each is read when it is asked for, so that a function needs only its own. */
export const config = {
  get stage() {
    return process.env.TENANTML_STAGE ?? 'unknown';
  },
  /** Where the function's files are. */
  get taskRoot() {
    return required('LAMBDA_TASK_ROOT');
  },
  get region() {
    return required('AWS_REGION');
  },
  /**
   * Whether no other process uses the temporary folder. So it is in a function: Lambda gives each environment a /tmp
   * of its own, the twin a TMPDIR of its own.
   */
  get isTemporaryFolderOwn() {
    return (process.env.AWS_LAMBDA_FUNCTION_NAME ?? '') !== '';
  },
  /** Host and port of Lambda's Runtime API. */
  get runtimeApi() {
    return process.env.AWS_LAMBDA_RUNTIME_API;
  },
  get functionMemoryMiB() {
    return integer('AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 1024);
  },
  get artifactBucket() {
    return required('ARTIFACT_BUCKET');
  },
  get stagingBucket() {
    return required('STAGING_BUCKET');
  },
  get predictionBucket() {
    return required('PREDICTION_BUCKET');
  },
  get resultBucket() {
    return required('RESULT_BUCKET');
  },
  /** How long results of batch predictions are kept: what the lifecycle rule of their bucket says. */
  get batchResultDays() {
    return integer('BATCH_RESULT_DAYS', 30);
  },
  get auditTable() {
    return required('AUDIT_TABLE');
  },
  get feedbackTable() {
    return required('FEEDBACK_TABLE');
  },
  /** Days for which feedback is kept, as the prediction log is. */
  get predictionLogDays() {
    return integer('PREDICTION_LOG_DAYS', 90);
  },
  /** Below it a model is degraded, in units of f1_score or r2. */
  get performanceThreshold() {
    return fraction('ML_PERFORMANCE_THRESHOLD', 0.7);
  },
  /** Feedback that a verdict, and a retraining, needs. */
  get retrainingFeedbackThreshold() {
    return integer('ML_RETRAINING_FEEDBACK_THRESHOLD', 50);
  },
  /** Rows of one part of a batch prediction. @default as the planner has it */
  get batchPartRows(): number | undefined {
    return process.env.BATCH_PART_ROWS ? integer('BATCH_PART_ROWS', 0) : undefined;
  },
  /** The role whose sessions, each of one tenant, touch tenants' data. */
  get tenantRoleArn() {
    return required('TENANT_ROLE_ARN');
  },
  get servingTable() {
    return required('SERVING_TABLE');
  },
  /** Leases of limits and cached predictions. */
  get transientTable() {
    return required('TRANSIENT_TABLE');
  },
  /** Limits by the name of a plan, as JSON. */
  get tenantPlans(): Plans {
    return JSON.parse(process.env.TENANT_PLANS || '{}') as Plans;
  },
  /** Of the key in KMS that signs manifests; only functions that write builds have it. */
  get signingKeyId() {
    return required('SIGNING_KEY_ID');
  },
  /** What is made of versions from before versions were signed. @default 'refuse' */
  get unsignedModels(): 'refuse' | 'allow' {
    return process.env.UNSIGNED_MODELS === 'allow' ? 'allow' : 'refuse';
  },
  get jobsTable() {
    return required('JOBS_TABLE');
  },
  get intentsTable() {
    return required('INTENTS_TABLE');
  },
  get idempotencyTable() {
    return required('IDEMPOTENCY_TABLE');
  },
  get accessTable() {
    return required('ACCESS_TABLE');
  },
  /** Every table with things of tenants; that of who may act comes first. */
  get tenantTables(): { readonly name: string; readonly partitionKey: string; readonly sortKey?: string }[] {
    return JSON.parse(required('TENANT_TABLES'));
  },
  /** Every bucket with things of tenants. */
  get tenantBuckets(): string[] {
    return JSON.parse(required('TENANT_BUCKETS'));
  },
  get tenantRowsFunctionName() {
    return required('TENANT_ROWS_FUNCTION_NAME');
  },
  /** How long each pass of an offboarding waits after the one before. */
  get offboardingWaitsSeconds(): number[] {
    const text = required('OFFBOARDING_WAITS_SECONDS');
    const waits = text.split(',').map(Number);
    if (!waits.every((seconds) => seconds >= 0))
      throw new Error(
        `OFFBOARDING_WAITS_SECONDS=${text} must be numbers of seconds with commas between them`,
      );
    return waits;
  },
  get eventBusName() {
    return required('EVENT_BUS_NAME');
  },
  get trainingStateMachineArn() {
    return required('TRAINING_STATE_MACHINE_ARN');
  },
  get ingestStateMachineArn() {
    return required('INGEST_STATE_MACHINE_ARN');
  },
  get importStateMachineArn() {
    return required('IMPORT_STATE_MACHINE_ARN');
  },
  /** Runs graphs that were brought, in an environment for each tenant. */
  get importedFunctionName() {
    return required('IMPORTED_FUNCTION_NAME');
  },
  get batchStateMachineArn() {
    return required('BATCH_STATE_MACHINE_ARN');
  },
  get relayFunctionName() {
    return required('RELAY_FUNCTION_NAME');
  },
  get database() {
    return {
      host: required('DATABASE_HOST'),
      port: integer('DATABASE_PORT', 5432),
      name: required('DATABASE_NAME'),
      user: required('DATABASE_USER'),
    };
  },
  get oidc() {
    return {
      issuer: required('OIDC_ISSUER'),
      audience: required('OIDC_AUDIENCE'),
      tenantClaim: required('OIDC_TENANT_CLAIM'),
      roleClaim: required('OIDC_ROLE_CLAIM'),
    };
  },
  get trainingTimeoutMinutes() {
    return integer('ML_TRAINING_TIMEOUT_MINUTES', 30);
  },
  /** How long one run of a training step may work before it leaves a checkpoint. @default as long as the function may run */
  get trainingSliceSeconds(): number | undefined {
    return process.env.TRAINING_SLICE_SECONDS ? integer('TRAINING_SLICE_SECONDS', 0) : undefined;
  },
  /** How many models of one tenant are held in memory. */
  get modelCacheSize() {
    return integer('ML_MODEL_CACHE_SIZE', 100);
  },
  /** How much memory the models of one tenant may take. @default - all that models may take */
  get tenantCacheBytes(): number | undefined {
    return process.env.ML_TENANT_MAX_MEMORY_MB ? integer('ML_TENANT_MAX_MEMORY_MB', 0) * mebibyte : undefined;
  },
  /** How long a model that nobody uses stays in memory. */
  get modelCacheIdleMinutes() {
    return integer('ML_MODEL_CACHE_IDLE_MINUTES', 30);
  },
  /** What artifacts may take below the temporary folder. @default - three quarters of the 512 MiB a function has there */
  get artifactDiskBytes() {
    return integer('ML_ARTIFACT_DISK_MB', 384) * mebibyte;
  },
  /** Models to load before the first call, as `tenant/model,tenant/model`. @default - none */
  get prewarmModels(): { readonly tenant: string; readonly model: string }[] {
    const text = process.env.PREWARM_MODELS ?? '';
    return text
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '')
      .map((one) => {
        const [tenant, model, ...rest] = one.split('/');
        if (!tenant || !model || rest.length > 0) {
          throw new Error(`PREWARM_MODELS=${text} must be a list such as acme/income,acme/churn`);
        }
        return { tenant, model };
      });
  },
  /** Where a service of AWS is spoken to, when it is not its usual address. */
  endpoint(
    service: 'S3' | 'DYNAMODB' | 'SAGEMAKER_RUNTIME' | 'SFN' | 'LAMBDA' | 'KMS' | 'STS',
  ): string | undefined {
    return process.env[`AWS_ENDPOINT_URL_${service}`];
  },
  /** The credentials that Lambda gives the function's role. */
  get credentials() {
    return {
      accessKeyId: required('AWS_ACCESS_KEY_ID'),
      secretAccessKey: required('AWS_SECRET_ACCESS_KEY'),
      ...(process.env.AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: process.env.AWS_SESSION_TOKEN }),
    };
  },
};
