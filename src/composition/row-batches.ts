/** Makes what a predict call starts a batch job with: no SDK and no schemas, which would cost its cold start. */
import { ulid } from 'ulid';
import { SignedBatchStart } from '../adapters/aws/signed-batch-start.ts';
import { SignedClient } from '../adapters/aws/signed-client.ts';
import { SignedObjects } from '../adapters/aws/signed-objects.ts';
import { SignedTable } from '../adapters/aws/signed-table.ts';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';
import type { JobId } from '../contracts/names.ts';
import { BatchStarter } from '../serving/batch/batch-starter.ts';
import type { ServingStore } from '../serving/serving-store.ts';
import { tenantSessions } from './tenant-sessions.ts';

export function rowBatches(store: Pick<ServingStore, 'pointer'>): BatchStarter {
  const { region } = config;
  const sessions = tenantSessions;
  const s3 = config.endpoint('S3');
  const signed = new SignedBatchStart({
    jobs: new SignedTable({
      ...{ region, sessions, table: config.jobsTable, endpoint: config.endpoint('DYNAMODB') },
    }),
    staging: new SignedObjects({ region, sessions, bucket: config.stagingBucket, endpoint: s3 }),
    states: new SignedClient('states', config.endpoint('SFN') ?? `https://states.${region}.amazonaws.com`),
    stateMachineArn: config.batchStateMachineArn,
    clock: systemClock,
  });
  return new BatchStarter({
    ...{ jobs: signed, executions: signed, files: signed, clock: systemClock },
    champions: { read: (tenant, model, environment) => store.pointer(tenant, model, environment) },
    newJobId: () => ulid() as JobId,
  });
}
