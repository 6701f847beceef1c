import type {
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerWithContextResult,
} from 'aws-lambda';
import { documentClients } from '../../src/adapters/aws/document-client.ts';
import { DynamoDbApiKeys } from '../../src/adapters/aws/dynamodb-api-keys.ts';
import { DynamoDbOffboardings } from '../../src/adapters/aws/dynamodb-offboardings.ts';
import { logger } from '../../src/adapters/aws/lambda/observability.ts';
import { OidcTokens } from '../../src/adapters/oidc-tokens.ts';
import { systemClock } from '../../src/clock.ts';
import { tenantSessions } from '../../src/composition/tenant-sessions.ts';
import { config } from '../../src/config.ts';
import { authenticate } from '../../src/tenancy/authenticate.ts';
import type { VerifiedClaims } from '../../src/tenancy/tenant-context.ts';

const tokens = new OidcTokens(config.oidc);
const documents = documentClients(tenantSessions);
const apiKeys = new DynamoDbApiKeys(documents, config.accessTable, systemClock);
const offboardings = new DynamoDbOffboardings(documents.own, config.accessTable);

/**
 * Verifies who calls. A refusal is handed on as context instead of being answered here, where only API
 * Gateway's own `{"message":"Forbidden"}` could be said: the function answers 401 in the caller's dialect.
 */
export const handler = async (
  event: APIGatewayRequestAuthorizerEventV2,
): Promise<APIGatewaySimpleAuthorizerWithContextResult<VerifiedClaims>> => {
  const claims = await authenticate(event.headers?.authorization ?? '', { tokens, apiKeys, offboardings });
  logger.info('authenticated', { outcome: claims.denied ?? 'ok', tenant: claims.tenant });
  return { isAuthorized: true, context: claims };
};
