import { datasetService } from '../../src/composition/datasets.ts';
import { importExecutions, ingestExecutions } from '../../src/composition/executions.ts';
import { httpFunction } from '../../src/composition/http-function.ts';
import { importService } from '../../src/composition/imports.ts';
import { datasetStore } from '../../src/composition/stores.ts';
import { DatasetNotFoundError } from '../../src/data/dataset-store.ts';

const service = datasetService(ingestExecutions());
const imports = importService(importExecutions());

export const handler = httpFunction({
  createDataset: async ({ tenant, body }) => ({ body: await service.create(tenant, body) }),
  completeUpload: async ({ tenant, params }) => ({
    body: { job_id: await service.complete(tenant, params.upload_id), status: 'queued' },
  }),
  createImport: async ({ tenant, params, body }) => ({
    body: await imports.create(tenant, params.model_name, body),
  }),
  completeImport: async ({ tenant, params }) => {
    const { model_name, upload_id } = params;
    const job_id = await imports.complete(tenant, model_name, upload_id);
    return { body: { job_id, status: 'queued', model_name } };
  },
  listDatasets: async ({ tenant, query }) => {
    const { items, nextCursor } = await datasetStore().list(tenant, query);
    return { body: { items, next_cursor: nextCursor } };
  },
  getDataset: async ({ tenant, params }) => {
    const dataset = await datasetStore().get(tenant, params.dataset_id);
    if (dataset === undefined) throw new DatasetNotFoundError(params.dataset_id);
    return { body: dataset };
  },
});
