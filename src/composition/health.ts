/** Makes what says how the platform is, from the deployment's settings. */
import { SFNClient } from '@aws-sdk/client-sfn';
import { StoreProbes } from '../adapters/aws/store-probes.ts';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';
import { databaseContacts } from './database-contacts.ts';
import { dynamodb, s3 } from './stores.ts';

export const storeProbes = () =>
  new StoreProbes(
    {
      ...{ dynamodb: dynamodb().own, servingTable: config.servingTable, contacts: databaseContacts() },
      ...{ transientTable: config.transientTable, s3: s3().own, bucket: config.artifactBucket },
      stepFunctions: new SFNClient({ maxAttempts: 2 }),
      stateMachineArn: config.trainingStateMachineArn,
    },
    systemClock,
  );
