import { DynamoDbAuditTrail } from '../adapters/aws/dynamodb-audit-trail.ts';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';
import { dynamodb } from './stores.ts';

/** Changes that were made beside Postgres. */
export const auditTrail = () => new DynamoDbAuditTrail(dynamodb(), config.auditTable, systemClock);
