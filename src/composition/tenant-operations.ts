/** Makes what operators work on tenants with, from the deployment's settings. */
import { LambdaClient } from '@aws-sdk/client-lambda';
import { ulid } from 'ulid';
import { DynamoDbApiKeys } from '../adapters/aws/dynamodb-api-keys.ts';
import { DynamoDbMemberships } from '../adapters/aws/dynamodb-memberships.ts';
import { DynamoDbOffboardings } from '../adapters/aws/dynamodb-offboardings.ts';
import { TenantBucketObjects } from '../adapters/aws/tenant-bucket-objects.ts';
import { TenantRows } from '../adapters/aws/tenant-rows.ts';
import { TenantTableItems } from '../adapters/aws/tenant-table-items.ts';
import { systemClock as clock } from '../clock.ts';
import { config } from '../config.ts';
import type { TenantId } from '../contracts/names.ts';
import { ApiKeys } from '../tenancy/api-keys.ts';
import { Members } from '../tenancy/members.ts';
import { Offboarding } from '../tenancy/offboarding.ts';
import { TenantContext } from '../tenancy/tenant-context.ts';
import { TenantOperations } from '../tenancy/tenant-operations.ts';
import { dynamodb, s3, settingsStore } from './stores.ts';

export function tenantOperations(): TenantOperations {
  const offboardings = new DynamoDbOffboardings(dynamodb().own, config.accessTable);
  const apiKeys = new DynamoDbApiKeys(dynamodb(), config.accessTable, clock);
  return new TenantOperations({
    ...{ offboardings, clock },
    agreements: settingsStore(),
    apiKeys: new ApiKeys({ store: apiKeys, newId: () => ulid(), clock }),
    members: new Members(new DynamoDbMemberships(dynamodb(), config.accessTable), clock),
    offboarding: new Offboarding({
      ...{ offboardings, clock, waitsSeconds: config.offboardingWaitsSeconds },
      stores: [
        ...config.tenantTables.map((table) => new TenantTableItems(dynamodb().own, table)),
        ...config.tenantBuckets.map((bucket) => new TenantBucketObjects(s3(), bucket)),
        new TenantRows(new LambdaClient({ maxAttempts: 3 }), config.tenantRowsFunctionName),
      ],
    }),
  });
}

/** An operator, whom IAM let in, acting for a tenant. */
export const operatorFor = (tenant: TenantId, requestId: string): TenantContext =>
  TenantContext.fromClaims(
    { tenant, role: 'admin', subject: 'operator', expires_at: Number.POSITIVE_INFINITY },
    requestId,
    0,
  );
