import type { Stack } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { type PlatformContext, PlatformFunction } from './constructs/platform-function.ts';
import type { DataStack } from './data-stack.ts';

export interface TenantFunctionProps {
  readonly platform: PlatformContext;
  readonly data: DataStack;
}

/** The function by which admins of a tenant manage its keys, members and settings. */
export function tenantFunction(stack: Stack, { platform, data }: TenantFunctionProps): lambda.Function {
  const { accessTable, servingTable } = data;
  const { settings } = platform;
  const { function: tenant, role } = new PlatformFunction(stack, 'Tenant', {
    platform,
    code: 'tenant',
    description: 'Keys, members and settings of a tenant',
    memoryMiB: 512,
    timeoutSeconds: 10,
    environment: {
      ACCESS_TABLE: accessTable.tableName,
      SERVING_TABLE: servingTable.tableName,
      TENANT_PLANS: JSON.stringify(settings.plans),
      ML_PERFORMANCE_THRESHOLD: String(settings.performanceThreshold),
      ML_RETRAINING_FEEDBACK_THRESHOLD: String(settings.retrainingFeedbackThreshold),
    },
  });
  // What is listed below the tenant, and what a key or a user that comes leads to.
  accessTable.grantItems(role, ['tenant/*', 'api-key/*', 'member/*'], ['GetItem', 'PutItem', 'DeleteItem']);
  accessTable.grantTenantItems(role, ['Query']);
  servingTable.grantTenantItems(role, ['GetItem', 'UpdateItem']);
  return tenant;
}
