import { z } from 'zod';
import {
  Dataset,
  DatasetCreated,
  DatasetList,
  DatasetRequest,
  DatasetUploadCompleted,
  maxInlineBytes,
} from './datasets.ts';
import {
  ArtifactLink,
  MLModelMetadata,
  ModelDeleted,
  ModelDeploymentResponse,
  ModelDetail,
  ModelList,
} from './models.ts';
import { DatasetId, JobId, ModelName, UploadId, VersionName } from './names.ts';
import { Health } from './platform.ts';
import {
  BarePredictionRequest,
  BatchedPredictionRequest,
  BatchedPredictionResponse,
  LoggedPrediction,
  maxPredictBytes,
  PredictionList,
  PredictionRequest,
  PredictionResponse,
  WrappedPrediction,
} from './prediction.ts';
import { protocolRoutes } from './protocol-routes.ts';
import { ok, type Route } from './route.ts';
import { Job, JobList, ModelTrainingRequest, ModelTrainingResponse } from './training.ts';

const Page = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50).describe('Items a page'),
  cursor: z.string().max(1_000).optional().describe('`next_cursor` of the page before'),
});

/** Small JSON bodies. */
const defaultBodyBytes = 256 * 1024;

/** The route table: validation, dispatch, OpenAPI and the typed client all come from here. */
export const routes = {
  createDataset: {
    method: 'POST',
    path: '/api/v1/ml/datasets',
    function: 'datasets',
    authorized: true,
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
    tag: 'datasets',
    summary: 'Show a dataset: schema and profile',
    params: z.object({ dataset_id: DatasetId }),
    answers: ok(Dataset, 'The dataset'),
  },
  trainModel: {
    method: 'POST',
    path: '/api/v1/ml/train',
    function: 'train',
    authorized: true,
    tag: 'training',
    summary: 'Train a model',
    description: 'Answers at once with a job; follow it with GET /api/v1/ml/jobs/{job_id}.',
    body: ModelTrainingRequest,
    example: { model_name: 'ticket-priority', dataset_id: '0'.repeat(64), target: 'priority' },
    maxBodyBytes: defaultBodyBytes,
    answers: { 202: { description: 'The job', schema: ModelTrainingResponse } },
  },
  listJobs: {
    method: 'GET',
    path: '/api/v1/ml/jobs',
    function: 'train',
    authorized: true,
    tag: 'training',
    summary: 'List jobs, newest first',
    query: Page,
    answers: ok(JobList, 'A page of jobs'),
  },
  getJob: {
    method: 'GET',
    path: '/api/v1/ml/jobs/{job_id}',
    function: 'train',
    authorized: true,
    tag: 'training',
    summary: 'Show a job',
    params: z.object({ job_id: JobId }),
    answers: ok(Job, 'The job'),
  },
  cancelJob: {
    method: 'DELETE',
    path: '/api/v1/ml/jobs/{job_id}',
    function: 'train',
    authorized: true,
    tag: 'training',
    summary: 'Cancel a job',
    params: z.object({ job_id: JobId }),
    answers: ok(Job, 'The cancelled job'),
  },
  listModels: {
    method: 'GET',
    path: '/api/v1/ml/models',
    function: 'registry',
    authorized: true,
    tag: 'models',
    summary: 'List models',
    query: Page,
    answers: ok(ModelList, 'A page of models'),
  },
  getModel: {
    method: 'GET',
    path: '/api/v1/ml/models/{model_name}',
    function: 'registry',
    authorized: true,
    tag: 'models',
    summary: 'Show a model and its versions',
    params: z.object({ model_name: ModelName }),
    answers: ok(ModelDetail, 'The model'),
  },
  getModelMetadata: {
    method: 'GET',
    path: '/api/v1/ml/models/{model_name}/metadata',
    function: 'registry',
    authorized: true,
    tag: 'models',
    summary: 'Show all that is known of one version',
    params: z.object({ model_name: ModelName }),
    query: z.object({ version: VersionName.optional().describe('The champion when left out') }),
    answers: ok(MLModelMetadata, 'The metadata'),
  },
  getModelArtifact: {
    method: 'GET',
    path: '/api/v1/ml/models/{model_name}/{model_version}/artifact',
    function: 'registry',
    authorized: true,
    tag: 'models',
    summary: 'Get a link to download the ONNX file of a version',
    params: z.object({ model_name: ModelName, model_version: VersionName }),
    answers: ok(ArtifactLink, 'A presigned link'),
  },
  deleteModelVersion: {
    method: 'DELETE',
    path: '/api/v1/ml/models/{model_name}/{model_version}',
    function: 'registry',
    authorized: true,
    tag: 'models',
    summary: 'Delete a version, its bytes included',
    params: z.object({ model_name: ModelName, model_version: VersionName }),
    query: z.object({
      force: z
        .enum(['true', 'false'])
        .default('false')
        .describe('true also deletes the champion, and takes the model out of service'),
    }),
    answers: ok(ModelDeleted, 'It is gone'),
  },
  deployModel: {
    method: 'POST',
    path: '/api/v1/ml/deploy/{model_name}/{model_version}',
    function: 'registry',
    authorized: true,
    tag: 'models',
    summary: 'Deploy a version: predictions go to it within 5 seconds',
    params: z.object({ model_name: ModelName, model_version: VersionName }),
    answers: ok(ModelDeploymentResponse, 'It is deployed'),
  },
  predict: {
    method: 'POST',
    path: '/api/v1/ml/predict/{model_name}',
    function: 'predict',
    authorized: true,
    tag: 'predictions',
    summary: 'Predict with the deployed version of a model',
    params: z.object({ model_name: ModelName }),
    body: PredictionRequest,
    example: { input_data: { channel: 'phone', affected_users: 80 } },
    maxBodyBytes: maxPredictBytes,
    answers: ok(PredictionResponse, 'One result, or a list in the order of the rows'),
  },
  predictAlias: {
    method: 'POST',
    path: '/api/ml/predict/{model_id}',
    function: 'predict',
    authorized: true,
    tag: 'predictions',
    summary: 'Predict for one bare feature object',
    params: z.object({ model_id: ModelName }),
    body: BarePredictionRequest,
    example: { channel: 'phone', affected_users: 80 },
    maxBodyBytes: maxPredictBytes,
    answers: ok(WrappedPrediction, 'The result'),
  },
  predictBatch: {
    method: 'POST',
    path: '/api/v1/ml/predict/{model_name}/batch',
    function: 'predict',
    authorized: true,
    tag: 'predictions',
    summary: 'Predict for rows that stand for themselves: one that cannot be read fails alone',
    params: z.object({ model_name: ModelName }),
    body: BatchedPredictionRequest,
    example: { input_batch: [{ channel: 'phone', affected_users: 80 }, { affected_users: 'many' }] },
    maxBodyBytes: maxPredictBytes,
    answers: ok(BatchedPredictionResponse, 'One result or error a row, in order'),
  },
  listPredictions: {
    method: 'GET',
    path: '/api/v1/ml/predictions',
    function: 'predict',
    authorized: true,
    tag: 'predictions',
    summary: 'List predictions from the log, newest first',
    query: z.object({
      limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('How many'),
      model_name: ModelName.optional().describe('Of this model only'),
    }),
    answers: ok(PredictionList, 'The newest predictions that are written'),
  },
  getPrediction: {
    method: 'GET',
    path: '/api/v1/ml/predictions/{prediction_id}',
    function: 'predict',
    authorized: true,
    tag: 'predictions',
    summary: 'Show a prediction: what went in, what came out, by which version, when',
    params: z.object({ prediction_id: z.string() }),
    answers: ok(LoggedPrediction, 'The prediction'),
  },
  ...protocolRoutes,
  health: {
    method: 'GET',
    path: '/api/v1/ml/health',
    function: 'platform',
    authorized: false,
    tag: 'platform',
    summary: 'Whether the serving plane is up',
    answers: { ...ok(Health, 'Healthy'), 503: { description: 'A store does not answer', schema: Health } },
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    function: 'platform',
    authorized: false,
    tag: 'platform',
    summary: 'This document',
    answers: ok(z.record(z.string(), z.unknown()), 'OpenAPI 3.1'),
  },
} as const satisfies Record<string, Route>;

export type { Route };
export type OperationId = keyof typeof routes;
