import { z } from 'zod';
import {
  Dataset,
  DatasetCreated,
  DatasetList,
  DatasetRequest,
  DatasetUploadCompleted,
  maxInlineBytes,
} from './datasets.ts';
import { DatasetId, UploadId } from './names.ts';
import { Page } from './page.ts';
import { ok, type Route } from './route.ts';

/** Data that models learn from. */
export const datasetRoutes = {
  createDataset: {
    method: 'POST',
    path: '/api/v1/ml/datasets',
    function: 'datasets',
    authorized: true,
    scope: 'data:write',
    tag: 'datasets',
    summary: 'Create a dataset from rows or CSV text, or ask for an upload link',
    description:
      'Inline data of up to 4 MB answers with the dataset. Larger files: `upload` answers with a presigned PUT; ' +
      'send the file, then POST to `complete_path`, which starts an ingest job.',
    body: DatasetRequest,
    example: { name: 'tickets', csv: 'channel,affected_users,priority\nphone,80,urgent\nemail,0,low\n' },
    // Room for JSON's escapes around 4 MB of data.
    maxBodyBytes: maxInlineBytes * 1.5,
    // The same data is the same dataset, and its profile may be larger than what can be remembered.
    repeatable: (body) => !Object.hasOwn(body as object, 'upload'),
    answers: {
      201: { description: 'The dataset, or the upload link', schema: DatasetCreated },
    },
  },
  completeUpload: {
    method: 'POST',
    path: '/api/v1/ml/datasets/{upload_id}/complete',
    function: 'datasets',
    authorized: true,
    scope: 'data:write',
    tag: 'datasets',
    summary: 'Say that an upload is whole; starts its ingest job',
    params: z.object({ upload_id: UploadId }),
    answers: {
      202: {
        description: 'The ingest job; its `dataset_id` names the result',
        schema: DatasetUploadCompleted,
      },
    },
  },
  listDatasets: {
    method: 'GET',
    path: '/api/v1/ml/datasets',
    function: 'datasets',
    authorized: true,
    scope: 'data:read',
    tag: 'datasets',
    summary: 'List datasets',
    query: Page,
    answers: ok(DatasetList, 'A page of datasets'),
  },
  getDataset: {
    method: 'GET',
    path: '/api/v1/ml/datasets/{dataset_id}',
    function: 'datasets',
    authorized: true,
    scope: 'data:read',
    tag: 'datasets',
    summary: 'Show a dataset: schema and profile',
    params: z.object({ dataset_id: DatasetId }),
    answers: ok(Dataset, 'The dataset'),
  },
} as const satisfies Record<string, Route>;
