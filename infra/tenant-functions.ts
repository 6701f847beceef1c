import { CfnOutput, Duration, type Stack } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { FunctionSchedule } from './constructs/function-schedule.ts';
import { type FunctionContext, PlatformFunction } from './constructs/platform-function.ts';
import type { DataStack } from './data-stack.ts';

/** How long the gateway believes what the authorizer said. */
export const authorizerCacheSeconds = 300;
/** What Lambda gives a call at most. */
const longestCallSeconds = 900;

export interface TenantFunctionProps {
  readonly platform: FunctionContext;
  readonly data: DataStack;
}

/** The function by which admins of a tenant manage its keys, members and settings. */
export function tenantFunction(stack: Stack, { platform, data }: TenantFunctionProps): lambda.Function {
  const { accessTable, auditTable, servingTable } = data;
  const { settings } = platform;
  const tenant = new PlatformFunction(stack, 'Tenant', {
    platform,
    code: 'tenant',
    description: 'Keys, members and settings of a tenant',
    memoryMiB: 512,
    timeoutSeconds: 10,
    environment: {
      ACCESS_TABLE: accessTable.tableName,
      AUDIT_TABLE: auditTable.tableName,
      SERVING_TABLE: servingTable.tableName,
      TENANT_PLANS: JSON.stringify(settings.plans),
      ML_TRAINING_TIMEOUT_MINUTES: String(settings.trainingTimeoutMinutes),
      PREDICTION_LOG_DAYS: String(settings.predictionLogDays),
      ML_PERFORMANCE_THRESHOLD: String(settings.performanceThreshold),
      ML_RETRAINING_FEEDBACK_THRESHOLD: String(settings.retrainingFeedbackThreshold),
    },
  });
  // What is listed below the tenant, and what a key or a user that comes leads to.
  accessTable.grantTenantItems(tenant.tenantRole, ['GetItem', 'PutItem', 'DeleteItem', 'Query']);
  accessTable.grantItems(tenant.role, ['api-key/*', 'member/*'], ['GetItem', 'PutItem', 'DeleteItem']);
  servingTable.grantTenantItems(tenant.tenantRole, ['GetItem', 'UpdateItem']);
  auditTable.grantTenantItems(tenant.tenantRole, ['PutItem']);
  return tenant.function;
}

/** Removes, once a day, what is older than its tenant keeps it. */
export function retentionFunction(stack: Stack, { platform, data }: TenantFunctionProps): void {
  const { servingTable, jobsTable, predictionBucket } = data;
  const retention = new PlatformFunction(stack, 'Retention', {
    platform,
    code: 'retention',
    description: 'Removes what tenants keep no longer',
    memoryMiB: 512,
    timeoutSeconds: 900,
    environment: {
      SERVING_TABLE: servingTable.tableName,
      JOBS_TABLE: jobsTable.tableName,
      PREDICTION_BUCKET: predictionBucket.bucketName,
    },
  });
  const { role, tenantRole } = retention;
  // It finds the settings of all tenants; each says whose it is.
  servingTable.grantAllItems(role, ['Scan']);
  servingTable.grantOwnerLookup(role);
  jobsTable.grantItems(role, ['job/*'], ['DeleteItem']);
  jobsTable.grantTenantItems(tenantRole, ['Query', 'DeleteItem']);
  predictionBucket.grantObjects(tenantRole, 'predictions/', ['delete']);
  predictionBucket.grantTenantList(tenantRole);
  new FunctionSchedule(stack, 'RetentionSchedule', {
    target: retention.function,
    rate: Duration.days(1),
    description: 'Removes what tenants keep no longer',
  });
}

/**
 * The functions by which operators take tenants in and remove them. No route, rule or schedule leads to them: whoever may
 * invoke `tenantml-<stage>-tenants` is an operator.
 */
export function tenantOperations(
  stack: Stack,
  { platform, data }: TenantFunctionProps,
): { tenants: lambda.Function; rows: lambda.Function } {
  const { accessTable, servingTable, database, network } = data;
  const rows = new PlatformFunction(stack, 'TenantRows', {
    platform,
    code: 'tenant-rows',
    description: 'Removes the rows of an offboarded tenant',
    memoryMiB: 512,
    timeoutSeconds: 300,
    network,
    environment: { ...database.environment('tenantml_migrator'), ACCESS_TABLE: accessTable.tableName },
  });
  database.grantConnect(rows.role, 'tenantml_migrator');
  accessTable.grantItems(rows.role, ['offboarded/*'], ['GetItem']);

  const tables = data.tenantTables.map(({ tableName, partitionKey, sortKey }) => ({
    ...{ name: tableName, partitionKey },
    ...(sortKey !== undefined && { sortKey }),
  }));
  const tenants = new PlatformFunction(stack, 'Tenants', {
    platform,
    code: 'tenants',
    functionName: `tenantml-${platform.settings.name}-tenants`,
    description: 'Onboards and offboards tenants, for operators',
    memoryMiB: 512,
    timeoutSeconds: 900,
    environment: {
      ACCESS_TABLE: accessTable.tableName,
      SERVING_TABLE: servingTable.tableName,
      TENANT_TABLES: JSON.stringify(tables),
      TENANT_BUCKETS: JSON.stringify(data.tenantBuckets.map(({ bucketName }) => bucketName)),
      TENANT_ROWS_FUNCTION_NAME: rows.function.functionName,
      // At once; when the gateway has forgotten whom it believed; when the longest call that it let through has ended.
      OFFBOARDING_WAITS_SECONDS: `0,${authorizerCacheSeconds},${longestCallSeconds}`,
    },
  });
  const { role, tenantRole } = tenants;
  accessTable.grantTenantItems(tenantRole, ['GetItem', 'PutItem', 'UpdateItem', 'Query']);
  accessTable.grantItems(
    role,
    ['api-key/*', 'member/*', 'offboarded/*'],
    ['GetItem', 'PutItem', 'UpdateItem'],
  );
  servingTable.grantTenantItems(tenantRole, ['UpdateItem']);
  for (const table of data.tenantTables) table.grantTenantRemoval(role);
  for (const bucket of data.tenantBuckets) bucket.grantTenantRemoval(tenantRole);
  rows.function.grantInvokeLatestVersion(role);
  new CfnOutput(stack, 'TenantsFunctionName', { value: tenants.function.functionName });
  return { tenants: tenants.function, rows: rows.function };
}
