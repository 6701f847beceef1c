import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { systemClock } from '../../src/clock.ts';
import { openDuckDb } from '../../src/composition/duckdb.ts';
import { datasetStore, jobStore, uploadStore } from '../../src/composition/stores.ts';
import { JobId } from '../../src/contracts/names.ts';
import { ingestUpload } from '../../src/data/ingest-upload.ts';
import { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { JobEndedError } from '../../src/training/job-store.ts';

const parts = {
  uploads: uploadStore(),
  datasets: datasetStore(),
  openEngine: openDuckDb,
  clock: systemClock,
};

export const handler = stepFunction<{ job_id: string }, { dataset_id: string }>(async (event, context) => {
  const tenant = await TenantContext.fromJob(jobStore(), event.job_id, context.awsRequestId);
  const jobId = JobId.parse(event.job_id);
  await jobStore().progress(tenant, jobId, { step: 'ingest', progress: 0.1 });
  const job = await jobStore().get(tenant, jobId);
  if (job?.upload_id === undefined) throw new JobEndedError(jobId);
  const { dataset_id } = await ingestUpload(tenant, job.upload_id, parts);
  return { dataset_id };
});
