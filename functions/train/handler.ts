import { ulid } from 'ulid';
import { systemClock } from '../../src/clock.ts';
import { batchPredictions } from '../../src/composition/batch.ts';
import {
  batchExecutions,
  importExecutions,
  ingestExecutions,
  trainingExecutions,
} from '../../src/composition/executions.ts';
import { httpFunction } from '../../src/composition/http-function.ts';
import { deployedVersions } from '../../src/composition/monitoring.ts';
import { datasetStore, jobStore, retrainingRuns, schedules } from '../../src/composition/stores.ts';
import { trainingJobs } from '../../src/composition/training.ts';
import type { JobId } from '../../src/contracts/names.ts';
import { requireScope } from '../../src/tenancy/scopes.ts';
import { jobView } from '../../src/training/job-view.ts';
import { retrain } from '../../src/training/retraining.ts';
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
const deployedVersion = deployedVersions();
const retraining = {
  ...{ jobs, store: jobStore(), runs: retrainingRuns(), clock: systemClock },
  newJobId: () => ulid() as JobId,
};

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
  retrainModel: async ({ tenant, params, body }) => {
    const deployed = await deployedVersion(tenant, params.model_name);
    const { job_id, status, created_at } = await retrain(tenant, deployed, body, retraining);
    return { body: { job_id, status, model_name: params.model_name, created_at } };
  },
  listJobs: async ({ tenant, query }) => {
    const page = await jobs.list(tenant, query);
    return { body: { items: page.items.map(jobView), next_cursor: page.nextCursor } };
  },
  batchPredict: async ({ tenant, body }) => {
    // The result would show what the caller may not read.
    if (body.include_columns === 'all' || body.include_columns.length > 0) requireScope(tenant, 'data:read');
    return { body: jobView(await batches.start(tenant, body)) };
  },
  getJob: async ({ tenant, params }) => ({
    body: await batches.view(tenant, await jobs.get(tenant, params.job_id)),
  }),
  cancelJob: async ({ tenant, params }) => ({
    body: jobView(await jobs.cancel(tenant, params.job_id, ({ kind }) => executionsOf[kind])),
  }),
});
