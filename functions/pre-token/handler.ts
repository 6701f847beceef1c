import type { PreTokenGenerationV2TriggerEvent } from 'aws-lambda';
import { documentClients } from '../../src/adapters/aws/document-client.ts';
import { DynamoDbMemberships } from '../../src/adapters/aws/dynamodb-memberships.ts';
import { tenantSessions } from '../../src/composition/tenant-sessions.ts';
import { config } from '../../src/config.ts';

const memberships = new DynamoDbMemberships(documentClients(tenantSessions), config.accessTable);

/** Cognito's access tokens name no tenant by themselves: it comes from a table that only admins write. */
export const handler = async (
  event: PreTokenGenerationV2TriggerEvent,
): Promise<PreTokenGenerationV2TriggerEvent> => {
  const membership = await memberships.of(event.request.userAttributes.sub ?? '');
  if (membership === undefined) return event;
  const claims = { tenant: membership.tenant, role: membership.role };
  event.response.claimsAndScopeOverrideDetails = {
    accessTokenGeneration: { claimsToAddOrOverride: claims },
    idTokenGeneration: { claimsToAddOrOverride: claims },
  };
  return event;
};
