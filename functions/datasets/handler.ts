import { httpFunction } from '../../src/adapters/aws/lambda/http-function.ts';
import { datasetService } from '../../src/composition/datasets.ts';
import { ingestExecutions } from '../../src/composition/executions.ts';
import { datasetStore } from '../../src/composition/stores.ts';
import { DatasetNotFoundError } from '../../src/data/dataset-store.ts';

const service = datasetService(ingestExecutions());

export const handler = httpFunction({
  createDataset: async ({ tenant, body }) => ({ body: await service.create(tenant, body) }),
  completeUpload: async ({ tenant, params }) => ({
    body: { job_id: await service.complete(tenant, params.upload_id), status: 'queued' },
  }),
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
