/** Makes HTTP functions that remember answers by `Idempotency-Key`, and record what they change, in the deployment's tables. */
import { dynamodbClients } from '../adapters/aws/document-client.ts';
import { type Operations, httpFunction as withoutMemory } from '../adapters/aws/lambda/http-function.ts';
import { Idempotency } from '../adapters/aws/lambda/idempotency.ts';
import { config } from '../config.ts';
import { auditTrail } from './audit.ts';
import { tenantSessions } from './tenant-sessions.ts';

export const httpFunction = (operations: Operations) =>
  withoutMemory(operations, {
    idempotency: () => new Idempotency(dynamodbClients(tenantSessions), config.idempotencyTable),
    trail: auditTrail,
  });
