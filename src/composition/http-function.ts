/** Makes HTTP functions that remember answers by `Idempotency-Key`, in the table of the deployment's settings. */
import { dynamodbClients } from '../adapters/aws/document-client.ts';
import { type Operations, httpFunction as withoutMemory } from '../adapters/aws/lambda/http-function.ts';
import { Idempotency } from '../adapters/aws/lambda/idempotency.ts';
import { config } from '../config.ts';
import { tenantSessions } from './tenant-sessions.ts';

export const httpFunction = (operations: Operations) =>
  withoutMemory(operations, {
    idempotency: () => new Idempotency(dynamodbClients(tenantSessions), config.idempotencyTable),
  });
