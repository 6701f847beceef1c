import { z } from 'zod';
import { ImportRequest, ImportStarted, ImportUpload } from './imports.ts';
import { ArtifactLink, MLModelMetadata, ModelDeleted, ModelDeploymentResponse } from './models.ts';
import { ModelName, UploadId, VersionName } from './names.ts';
import { defaultBodyBytes, ok, type Route } from './route.ts';
import { ServingConfiguration, ServingConfigurationRequest } from './serving.ts';

/** Models and their versions: brought, shown, deployed, deleted. */
export const modelRoutes = {
  createImport: {
    method: 'POST',
    path: '/api/v1/ml/models/{model_name}/imports',
    function: 'datasets',
    authorized: true,
    scope: 'models:write',
    tag: 'models',
    summary: 'Bring a model: ask for a link to upload an ONNX file to',
    description:
      'Send the file to the link, then POST to `complete_path`, which starts an import job: the file is inspected ' +
      'without being run, tried in an environment of its own, and registered. What is refused says why, and what to do.',
    params: z.object({ model_name: ModelName }),
    body: ImportRequest,
    example: { size_bytes: 20_480, framework: 'scikit-learn', feature_names: ['age', 'pay'], deploy: true },
    maxBodyBytes: defaultBodyBytes,
    answers: { 201: { description: 'The upload link', schema: ImportUpload } },
  },
  completeImport: {
    method: 'POST',
    path: '/api/v1/ml/models/{model_name}/imports/{upload_id}/complete',
    function: 'datasets',
    authorized: true,
    scope: 'models:write',
    tag: 'models',
    summary: 'Say that the file of an import is up; starts its job',
    params: z.object({ model_name: ModelName, upload_id: UploadId }),
    answers: { 202: { description: 'The import job', schema: ImportStarted } },
  },
  getModelMetadata: {
    method: 'GET',
    path: '/api/v1/ml/models/{model_name}/metadata',
    function: 'registry',
    authorized: true,
    scope: 'models:read',
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
    scope: 'models:read',
    tag: 'models',
    summary: 'Get links to the ONNX file and the manifest of a version, with what verifies them',
    params: z.object({ model_name: ModelName, model_version: VersionName }),
    answers: ok(ArtifactLink, 'A presigned link'),
  },
  deleteModelVersion: {
    method: 'DELETE',
    path: '/api/v1/ml/models/{model_name}/{model_version}',
    function: 'registry',
    authorized: true,
    scope: 'models:write',
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
    scope: 'models:deploy',
    tag: 'models',
    conditional: true,
    summary: 'Deploy a version: predictions go to it within 5 seconds',
    params: z.object({ model_name: ModelName, model_version: VersionName }),
    answers: ok(ModelDeploymentResponse, 'It is deployed'),
  },
  getServing: {
    method: 'GET',
    path: '/api/v1/ml/models/{model_name}/serving',
    function: 'registry',
    authorized: true,
    scope: 'models:read',
    tag: 'models',
    summary: 'Show how a model is served: canary, shadow, log, caches, backend',
    params: z.object({ model_name: ModelName }),
    answers: ok(ServingConfiguration, 'The configuration'),
  },
  putServing: {
    method: 'PUT',
    path: '/api/v1/ml/models/{model_name}/serving',
    function: 'registry',
    authorized: true,
    scope: 'models:deploy',
    tag: 'models',
    summary: 'Say how a model is served; what is left out goes back to its default',
    description: 'Takes effect within 5 seconds. The champion is changed by deploying.',
    params: z.object({ model_name: ModelName }),
    body: ServingConfigurationRequest,
    example: { canary: { version: '1.1.0', weight: 0.1 }, settings: { log_features: 'hash' } },
    maxBodyBytes: defaultBodyBytes,
    answers: ok(ServingConfiguration, 'The new configuration'),
  },
} as const satisfies Record<string, Route>;
