/** Makes what a predict call starts a batch job with: no SDK and no schemas, which would cost its cold start. */
import { ulid } from 'ulid';
import { SignedBatchStart } from '../adapters/aws/signed-batch-start.ts';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';
import type { JobId } from '../contracts/names.ts';
import { BatchStarter } from '../serving/batch/batch-starter.ts';
import type { ServingStore } from '../serving/serving-store.ts';

export function rowBatches(store: Pick<ServingStore, 'pointer'>): BatchStarter {
  const signed = new SignedBatchStart({
    region: config.region,
    jobsTable: config.jobsTable,
    stagingBucket: config.stagingBucket,
    stateMachineArn: config.batchStateMachineArn,
    clock: systemClock,
    endpoint: (service) => config.endpoint(service),
  });
  return new BatchStarter({
    ...{ jobs: signed, executions: signed, files: signed, clock: systemClock },
    champions: { read: (tenant, model) => store.pointer(tenant, model) },
    newJobId: () => ulid() as JobId,
  });
}
