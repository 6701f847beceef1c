import { DynamoDbOffboardings } from '../../src/adapters/aws/dynamodb-offboardings.ts';
import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import type { TenantRowsRequest } from '../../src/adapters/aws/tenant-rows.ts';
import { TenantDatabase } from '../../src/adapters/postgres/tenant-database.ts';
import { TenantRemoval } from '../../src/adapters/postgres/tenant-removal.ts';
import { systemClock as clock } from '../../src/clock.ts';
import { dynamodb } from '../../src/composition/stores.ts';
import { config } from '../../src/config.ts';
import type { Sweep } from '../../src/tenancy/offboarding.ts';
import { TenantContext } from '../../src/tenancy/tenant-context.ts';

const offboardings = new DynamoDbOffboardings(dynamodb().own, config.accessTable);
const database = new TenantDatabase(config.database, { clock, resumeWithinMs: 60_000 });
const removal = new TenantRemoval(database);
/** For the statement that is under way. */
const spareMs = 60_000;

/** Removes and counts rows of a tenant that was marked as offboarded, and of no other. */
export const handler = stepFunction<TenantRowsRequest, Sweep>(async (event, context) => {
  const tenant = await TenantContext.fromJob(offboardings, event.tenant, context.awsRequestId);
  if (event.act === 'count') return removal.count(tenant);
  return removal.remove(tenant, () => context.getRemainingTimeInMillis() > spareMs);
});
