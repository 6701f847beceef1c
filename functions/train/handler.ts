import { httpFunction } from '../../src/adapters/aws/lambda/http-function.ts';
import { systemClock } from '../../src/clock.ts';
import { batchPredictions } from '../../src/composition/batch.ts';
import {
  batchExecutions,
  importExecutions,
  ingestExecutions,
  trainingExecutions,
} from '../../src/composition/executions.ts';
import { datasetStore, schedules } from '../../src/composition/stores.ts';
import { trainingJobs } from '../../src/composition/training.ts';
import { jobView } from '../../src/training/job-view.ts';
import { nextDue } from '../../src/training/retraining-schedules.ts';

const training = trainingExecutions();
const executionsOf = {
  training,
  ingest: ingestExecutions(),
  batch: batchExecutions(),
  import: importExecutions(),
};
const batches = batchPredictions(executionsOf.batch);
const jobs = trainingJobs({
  executions: training,
  restartBatch: (job) => batches.run(job),
  dataset: (tenant, request) => datasetStore().get(tenant, request.dataset_id),
});

export const handler = httpFunction({
  trainModel: async ({ tenant, body }) => {
    const job = await jobs.start(tenant, body);
    if (body.retrain_every_days === null) await schedules().clear(tenant, body.model_name);
    else if (body.retrain_every_days !== undefined) {
      await schedules().set(tenant, job.request!, nextDue(body.retrain_every_days, systemClock.nowMs()));
    }
    const { job_id, status, created_at } = job;
    return { body: { job_id, status, model_name: body.model_name, created_at } };
  },
  listJobs: async ({ tenant, query }) => {
    const page = await jobs.list(tenant, query);
    return { body: { items: page.items.map(jobView), next_cursor: page.nextCursor } };
  },
  batchPredict: async ({ tenant, body }) => ({ body: jobView(await batches.start(tenant, body)) }),
  getJob: async ({ tenant, params }) => ({
    body: await batches.view(tenant, await jobs.get(tenant, params.job_id)),
  }),
  cancelJob: async ({ tenant, params }) => ({
    body: jobView(await jobs.cancel(tenant, params.job_id, ({ kind }) => executionsOf[kind])),
  }),
});
