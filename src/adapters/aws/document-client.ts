import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { TenantSessions } from '../../tenancy/credentials.ts';
import { TenantClients } from './tenant-clients.ts';

export type DocumentClients = TenantClients<DynamoDBDocumentClient>;

const settings = { maxAttempts: 4 };

const documentClientOf = (client: DynamoDBClient): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(client, {
    // A metric may lie beyond 2^53 (an rmse of large targets, a mape where a target is 0): all numbers here are doubles.
    marshallOptions: { removeUndefinedValues: true, allowImpreciseNumbers: true },
    unmarshallOptions: { wrapNumbers: Number },
  });

/** @returns a client that speaks plain objects; `undefined` attributes are left out */
export const documentClient = (): DynamoDBDocumentClient => documentClientOf(new DynamoDBClient(settings));

/** @returns such clients, for the function's own items and for those of tenants */
export const documentClients = (sessions: TenantSessions): DocumentClients =>
  clientsOf(sessions, documentClientOf);

/** @returns clients that speak attribute values, as Powertools does */
export const dynamodbClients = (sessions: TenantSessions): TenantClients<DynamoDBClient> =>
  clientsOf(sessions, (client) => client);

function clientsOf<Client extends object>(
  sessions: TenantSessions,
  wrapped: (client: DynamoDBClient) => Client,
): TenantClients<Client> {
  const own = new DynamoDBClient(settings);
  const { requestHandler } = own.config;
  return new TenantClients(wrapped(own), sessions, (credentials) =>
    wrapped(new DynamoDBClient({ ...settings, credentials, requestHandler })),
  );
}

export const isConditionFailure = (error: unknown): boolean =>
  (error as { name?: string } | undefined)?.name === 'ConditionalCheckFailedException';

/** @returns whether the condition of what was sent held; nothing was written when it did not */
export const conditionHeld = (sent: Promise<unknown>): Promise<boolean> =>
  sent.then(
    () => true,
    (error: unknown) => {
      if (isConditionFailure(error)) return false;
      throw error;
    },
  );
