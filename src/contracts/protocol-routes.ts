import { z } from 'zod';
import { inEnvironment } from './environments.ts';
import { ModelName, VersionName } from './names.ts';
import {
  InferRequest,
  InferResponse,
  ModelMetadata,
  ModelReady,
  ServerLive,
  ServerMetadata,
  ServerReady,
} from './open-inference.ts';
import { maxPredictBytes } from './prediction.ts';
import { ok, type Route } from './route.ts';
import { Invocation, InvocationResult } from './scoring.ts';

const openInference = <Method extends 'GET' | 'POST', Path extends string>(
  method: Method,
  path: Path,
  summary: string,
) => ({
  ...{ method, path, summary },
  function: 'predict' as const,
  tag: 'open inference protocol',
  dialect: 'open-inference' as const,
});

const scoring = <Method extends 'GET' | 'POST', Path extends string>(
  method: Method,
  path: Path,
  summary: string,
) => ({
  ...{ method, path, summary },
  function: 'predict' as const,
  tag: 'mlflow scoring',
  dialect: 'scoring' as const,
});

const open = { authorized: false } as const;
const reads = { authorized: true, scope: 'models:read' } as const;
const predicts = { authorized: true, scope: 'predict' } as const;
const ofModel = z.object({ model_name: ModelName });
const versionOfModel = z.object({ model_name: ModelName, model_version: VersionName });

const inferMessages = {
  body: InferRequest,
  example: {
    inputs: [
      { name: 'channel', shape: [1, 1], datatype: 'BYTES', data: ['phone'] },
      { name: 'affected_users', shape: [1, 1], datatype: 'FP32', data: [80] },
    ],
  },
  maxBodyBytes: maxPredictBytes,
  answers: ok(InferResponse, 'The tensors asked for'),
};

/** Operations that are spoken as other systems define them: Open Inference Protocol V2, and MLflow's scoring. */
export const protocolRoutes = {
  serverMetadata: {
    ...openInference('GET', '/v2', 'Name, version and extensions of the server'),
    ...open,
    answers: ok(ServerMetadata, 'The server'),
  },
  serverLive: {
    ...openInference('GET', '/v2/health/live', 'Whether the server lives'),
    ...open,
    answers: ok(ServerLive, 'It does'),
  },
  serverReady: {
    ...openInference('GET', '/v2/health/ready', 'Whether the server takes requests'),
    ...open,
    answers: ok(ServerReady, 'It does'),
  },
  modelTensors: {
    ...openInference('GET', '/v2/models/{model_name}', 'Inputs and outputs of a model'),
    ...reads,
    params: ofModel,
    query: inEnvironment,
    answers: ok(ModelMetadata, 'Its tensors'),
  },
  modelVersionTensors: {
    ...openInference(
      'GET',
      '/v2/models/{model_name}/versions/{model_version}',
      'Inputs and outputs of a version that serves',
    ),
    ...reads,
    params: versionOfModel,
    query: inEnvironment,
    answers: ok(ModelMetadata, 'Its tensors'),
  },
  modelReady: {
    ...openInference('GET', '/v2/models/{model_name}/ready', 'Whether a model is loaded and scores a row'),
    ...reads,
    params: ofModel,
    query: inEnvironment,
    answers: ok(ModelReady, 'It is'),
  },
  modelVersionReady: {
    ...openInference(
      'GET',
      '/v2/models/{model_name}/versions/{model_version}/ready',
      'Whether a version is loaded and scores a row',
    ),
    ...reads,
    params: versionOfModel,
    query: inEnvironment,
    answers: ok(ModelReady, 'It is'),
  },
  infer: {
    ...openInference('POST', '/v2/models/{model_name}/infer', 'Predict from tensors, in JSON or binary'),
    ...predicts,
    params: ofModel,
    query: inEnvironment,
    ...inferMessages,
  },
  inferVersion: {
    ...openInference(
      'POST',
      '/v2/models/{model_name}/versions/{model_version}/infer',
      'Predict from tensors with a version that serves',
    ),
    ...predicts,
    params: versionOfModel,
    query: inEnvironment,
    ...inferMessages,
  },
  ping: {
    ...scoring('GET', '/ping', 'Whether the server takes requests'),
    ...open,
    answers: ok(z.string(), 'It does'),
  },
  pingModel: {
    ...scoring('GET', '/endpoints/{model_name}/ping', 'Whether a model is loaded and scores a row'),
    ...reads,
    params: ofModel,
    query: inEnvironment,
    answers: ok(z.string(), 'It is'),
  },
  invocations: {
    ...scoring('POST', '/endpoints/{model_name}/invocations', 'Predict for a data frame, JSON or CSV'),
    ...predicts,
    params: ofModel,
    query: inEnvironment,
    body: Invocation,
    example: { dataframe_split: { columns: ['channel', 'affected_users'], data: [['phone', 80]] } },
    maxBodyBytes: maxPredictBytes,
    answers: ok(InvocationResult, 'One prediction a row'),
  },
  targetedInvocations: {
    ...scoring('POST', '/invocations', 'The same for the model that X-Amzn-SageMaker-Target-Model names'),
    ...predicts,
    query: inEnvironment,
    body: Invocation,
    example: { instances: [{ channel: 'phone', affected_users: 80 }] },
    maxBodyBytes: maxPredictBytes,
    answers: ok(InvocationResult, 'One prediction a row'),
  },
} as const satisfies Record<string, Route>;
