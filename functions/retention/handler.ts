import { logger } from '../../src/adapters/aws/lambda/observability.ts';
import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { retentionParts } from '../../src/composition/retention.ts';
import { removeAged } from '../../src/tenancy/retention.ts';

const parts = retentionParts((reference, error) =>
  logger.error('what a tenant keeps no longer was not removed', { reference, error: error as Error }),
);
/** For the page that is under way. */
const spareMs = 30_000;

/** Once a day, for tenants who keep less than the platform does. */
export const handler = stepFunction<object, object>(async (_event, context) =>
  removeAged(parts, context.awsRequestId, () => context.getRemainingTimeInMillis() > spareMs),
);
