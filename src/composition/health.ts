/** Makes what says how the platform is, from the deployment's settings. */
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDbDatabaseContacts } from '../adapters/aws/dynamodb-database-contacts.ts';
import { StoreProbes } from '../adapters/aws/store-probes.ts';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';
import { ContactTeller } from '../monitoring/database-contact.ts';
import { dynamodb, s3 } from './stores.ts';

const contacts = () => new DynamoDbDatabaseContacts(dynamodb().own, config.servingTable);

/** For functions that use the database. */
export const contactTeller = () => new ContactTeller(contacts(), systemClock);

export const storeProbes = () =>
  new StoreProbes(
    {
      ...{ dynamodb: dynamodb().own, servingTable: config.servingTable, contacts: contacts() },
      ...{ transientTable: config.transientTable, s3: s3().own, bucket: config.artifactBucket },
      stepFunctions: new SFNClient({ maxAttempts: 2 }),
      stateMachineArn: config.trainingStateMachineArn,
    },
    systemClock,
  );
