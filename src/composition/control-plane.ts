/** Makes what the functions beside Postgres need, from the deployment's settings. */
import { DynamoDbPromotionIntents } from '../adapters/aws/dynamodb-promotion-intents.ts';
import { DynamoDbServingPointers } from '../adapters/aws/dynamodb-serving-pointers.ts';
import { PostgresModelCatalog } from '../adapters/postgres/postgres-model-catalog.ts';
import { PostgresModelRegistry } from '../adapters/postgres/postgres-model-registry.ts';
import { PostgresProjections } from '../adapters/postgres/postgres-projections.ts';
import { PostgresRegistryArchive } from '../adapters/postgres/postgres-registry-archive.ts';
import { PostgresRegistryHistory } from '../adapters/postgres/postgres-registry-history.ts';
import { TenantDatabase } from '../adapters/postgres/tenant-database.ts';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';
import { Promotion } from '../registry/promotion.ts';
import { contactTeller } from './database-contacts.ts';
import { eventPublisher } from './events.ts';
import { manifestSignatures } from './signatures.ts';
import { dynamodb } from './stores.ts';

/** With the 5 seconds of a last attempt to connect still under the function's 29, and long enough for most resumes. */
const resumeWithinMs = 20_000;

/** As long as jobs and the prediction log are kept by default. */
const projectionDays = 90;

export function controlPlane() {
  const database = new TenantDatabase(config.database, {
    ...{ clock: systemClock, resumeWithinMs, teller: contactTeller() },
  });
  const registry = new PostgresModelRegistry(database);
  const intents = new DynamoDbPromotionIntents(dynamodb(), config.intentsTable, systemClock);
  const events = eventPublisher();
  const promotion = new Promotion({
    registry,
    intents,
    events,
    pointers: new DynamoDbServingPointers(dynamodb(), config.servingTable),
    signatures: manifestSignatures(),
  });
  return {
    ...{ database, registry, intents, events, promotion },
    catalog: new PostgresModelCatalog(database),
    history: new PostgresRegistryHistory(database),
    archive: new PostgresRegistryArchive(database),
    projections: new PostgresProjections(database, projectionDays),
  };
}
