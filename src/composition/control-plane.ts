/** Makes what the functions beside Postgres need, from the deployment's settings. */
import { DynamoDbPromotionIntents } from '../adapters/aws/dynamodb-promotion-intents.ts';
import { DynamoDbServingPointers } from '../adapters/aws/dynamodb-serving-pointers.ts';
import { PostgresModelRegistry } from '../adapters/postgres/postgres-model-registry.ts';
import { TenantDatabase } from '../adapters/postgres/tenant-database.ts';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';
import { Promotion } from '../registry/promotion.ts';
import { eventPublisher } from './events.ts';
import { dynamodb } from './stores.ts';

/** With the 5 seconds of a last attempt to connect still under the function's 29, and long enough for most resumes. */
const resumeWithinMs = 20_000;

export function controlPlane() {
  const registry = new PostgresModelRegistry(
    new TenantDatabase(config.database, { clock: systemClock, resumeWithinMs }),
  );
  const intents = new DynamoDbPromotionIntents(dynamodb(), config.intentsTable, systemClock);
  const events = eventPublisher();
  const promotion = new Promotion({
    registry,
    intents,
    events,
    pointers: new DynamoDbServingPointers(dynamodb(), config.servingTable),
  });
  return { registry, intents, events, promotion };
}
