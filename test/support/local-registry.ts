import { documentClients } from '../../src/adapters/aws/document-client.ts';
import { DynamoDbPromotionIntents } from '../../src/adapters/aws/dynamodb-promotion-intents.ts';
import { DynamoDbServingPointers } from '../../src/adapters/aws/dynamodb-serving-pointers.ts';
import { SignedObjects } from '../../src/adapters/aws/signed-objects.ts';
import { SignedServingStore } from '../../src/adapters/aws/signed-serving-store.ts';
import { SignedTable } from '../../src/adapters/aws/signed-table.ts';
import { PostgresModelCatalog } from '../../src/adapters/postgres/postgres-model-catalog.ts';
import { PostgresModelRegistry } from '../../src/adapters/postgres/postgres-model-registry.ts';
import { PostgresRegistryArchive } from '../../src/adapters/postgres/postgres-registry-archive.ts';
import { PostgresRegistryHistory } from '../../src/adapters/postgres/postgres-registry-history.ts';
import { TenantDatabase } from '../../src/adapters/postgres/tenant-database.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { ModelName } from '../../src/contracts/names.ts';
import { startLocalDatabase, startLocalStores } from './local-stores.ts';
import { ownSessions } from './own-sessions.ts';
import { registrationOf, sampleManifest } from './samples.ts';
import { modelName, tenantA } from './tenants.ts';

/** The registry on a Postgres of its own. */
export async function startLocalRegistry() {
  const database = await startLocalDatabase();
  const connection = new TenantDatabase(database.settings('tenantml_app'), {
    ...{ clock: systemClock, resumeWithinMs: 5_000 },
  });
  const registry = new PostgresModelRegistry(connection);
  let models = 0;
  return {
    ...{ database, connection, registry },
    /** Registers a new model with so many versions. */
    async newModel(
      nVersions: number,
      over: Record<string, unknown> = {},
      tenant = tenantA,
    ): Promise<ModelName> {
      const model_name = modelName(`model-${++models}`);
      for (let i = 0; i < nVersions; i++)
        await registry.register(tenant, registrationOf(tenant, sampleManifest({ model_name, ...over })));
      return model_name;
    },
    catalog: new PostgresModelCatalog(connection),
    history: new PostgresRegistryHistory(connection),
    archive: new PostgresRegistryArchive(connection),
    async stop() {
      await connection.close();
      await database.stop();
    },
  };
}
export type LocalRegistry = Awaited<ReturnType<typeof startLocalRegistry>>;

/** What a promotion writes beside Postgres, on stores of its own, and what reads it for predictions. */
export async function startLocalPointers(clock: Clock) {
  const { names, endpoints, stop } = await startLocalStores();
  const clients = documentClients(ownSessions);
  const at = { region: 'us-east-1', sessions: ownSessions };
  return {
    pointers: new DynamoDbServingPointers(clients, names.ServingTable),
    intents: new DynamoDbPromotionIntents(clients, names.IntentsTable, clock),
    reader: new SignedServingStore(
      new SignedTable({ ...at, table: names.ServingTable, endpoint: endpoints.dynamodb }),
      new SignedObjects({ ...at, bucket: names.ArtifactBucket, endpoint: endpoints.s3 }),
    ),
    stop,
  };
}
export type LocalPointers = Awaited<ReturnType<typeof startLocalPointers>>;
