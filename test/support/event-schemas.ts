import { z } from 'zod';
import { BatchResult } from '../../src/contracts/batch-result.ts';
import { ImportedSignature } from '../../src/contracts/imported.ts';
import { JobId, TenantId } from '../../src/contracts/names.ts';
import { TenantOperation } from '../../src/contracts/tenant-operations.ts';
import { JobError, trainingSteps } from '../../src/contracts/training.ts';

/** The strict form of every sample in `events/`: what the functions are sent, and what the platform publishes. */

const account = z.string().regex(/^\d{12}$/);
const time = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const semver = z.string().regex(/^\d+\.\d+\.\d+$/);

const requestContext = {
  accountId: account,
  apiId: z.string(),
  domainName: z.string(),
  domainPrefix: z.string(),
  http: z.strictObject({
    method: z.enum(['GET', 'POST', 'DELETE']),
    path: z.string().startsWith('/'),
    protocol: z.string(),
    sourceIp: z.string(),
    userAgent: z.string(),
  }),
  requestId: z.string(),
  routeKey: z.string(),
  stage: z.literal('$default'),
  time: z.string(),
  timeEpoch: z.int(),
};
const request = {
  version: z.literal('2.0'),
  routeKey: z.string(),
  rawPath: z.string(),
  rawQueryString: z.string(),
  headers: z.record(z.string().regex(/^[a-z0-9-]+$/), z.string()),
  queryStringParameters: z.record(z.string(), z.string()).optional(),
  pathParameters: z.record(z.string(), z.string()).optional(),
};

const workFile = { sha256, bytes: z.int() };
const stepState = z.strictObject({
  estimated_bytes: z.int().optional(),
  size: z.enum(['small', 'medium', 'large']).optional(),
  split: z
    .strictObject({ file: z.literal('split.bin'), ...workFile, n_train: z.int(), n_test: z.int() })
    .optional(),
  checkpoint: z.strictObject({ file: z.literal('checkpoint.json'), ...workFile }).optional(),
  fit_done: z.boolean().optional(),
  model: z.strictObject({ file: z.literal('model.json'), ...workFile }).optional(),
  evaluation: z.strictObject({ file: z.literal('evaluation.json'), ...workFile }).optional(),
  build_id: z.string().optional(),
  manifest_sha256: sha256.optional(),
  model_version: semver.optional(),
  metrics: z.record(z.string(), z.number()).optional(),
  decision: z.enum(['deploy', 'keep']).optional(),
  reasons: z.array(z.string()).optional(),
});
const step = z.strictObject({
  step: z.enum(trainingSteps),
  job_id: JobId,
  deadline: time,
  input: stepState,
});

const batchStep = (name: string) =>
  z.strictObject({ step: z.literal(name), job_id: JobId, deadline: time, input: z.strictObject({}) });

const envelope = {
  version: z.literal('0'),
  id: z.uuid(),
  account,
  time,
  region: z.string(),
  resources: z.array(z.string()),
};
const scheduled = z.strictObject({
  ...envelope,
  'detail-type': z.literal('Scheduled Event'),
  source: z.literal('aws.scheduler'),
  detail: z.literal('{}'),
});

/** The detail of what the platform publishes: CloudEvents 1.0. */
export const cloudEvent = (type: string, data: z.ZodType) =>
  z.strictObject({
    specversion: z.literal('1.0'),
    id: JobId,
    source: z.literal('tenantml'),
    type: z.literal(type),
    subject: z.string().min(1),
    time,
    tenant: z.string(),
    datacontenttype: z.literal('application/json'),
    data,
  });

const nothing = z.undefined().optional();
export const publishedData = {
  'ml.training.completed': z.strictObject({
    job_id: JobId,
    model_name: z.string(),
    status: z.literal('completed'),
    model_version: semver,
    metrics: z.record(z.string(), z.number()),
    promotion: z.strictObject({ decision: z.enum(['deploy', 'keep']), reasons: z.array(z.string()) }),
  }),
  'ml.training.failed': z.strictObject({
    job_id: JobId,
    model_name: z.string(),
    status: z.enum(['failed', 'timed_out']),
    error: JobError.strict(),
  }),
  'ml.model.registered': z.strictObject({ model_name: z.string(), model_version: semver, job_id: JobId }),
  'ml.model.promoted': z.strictObject({
    model_name: z.string(),
    model_version: semver,
    previous_version: semver.optional(),
    revision: z.int(),
  }),
  'ml.model.withdrawn': z.strictObject({
    model_name: z.string(),
    model_version: nothing,
    previous_version: semver,
    revision: z.int(),
  }),
} as const;

const published = Object.fromEntries(
  Object.entries(publishedData).map(([type, data]) => [
    type,
    z.strictObject({
      ...envelope,
      'detail-type': z.literal(type),
      source: z.literal('tenantml'),
      detail: cloudEvent(type, data),
    }),
  ]),
);

export const eventSchemas: Readonly<Record<string, z.ZodType>> = {
  'api-gateway-request': z.strictObject({
    ...request,
    requestContext: z.strictObject({
      ...requestContext,
      authorizer: z.strictObject({
        lambda: z.strictObject({
          tenant: z.string(),
          role: z.string(),
          subject: z.string(),
          expires_at: z.number(),
        }),
      }),
    }),
    body: z.string(),
    isBase64Encoded: z.boolean(),
  }),
  'request-authorizer': z.strictObject({
    ...request,
    type: z.literal('REQUEST'),
    routeArn: z.string().startsWith('arn:aws:execute-api:'),
    identitySource: z.array(z.string()).length(1),
    requestContext: z.strictObject(requestContext),
  }),
  'training-step': step,
  'registrar-step': step,
  'batch-step': batchStep('plan'),
  'registrar-resolve-version': batchStep('resolve-version'),
  'import-step': batchStep('inspect'),
  'registrar-register-import': z.strictObject({
    step: z.literal('register-import'),
    job_id: JobId,
    deadline: time,
    input: z.strictObject({ build_id: z.string(), manifest_sha256: sha256 }),
  }),
  'predict-imported': z.strictObject({
    kind: z.literal('load'),
    artifact: z.strictObject({ url: z.url(), sha256, bytes: z.int() }),
    graph: ImportedSignature.strict(),
  }),
  'close-job-batch': z.strictObject({
    step: z.literal('complete'),
    job_id: JobId,
    input: z.strictObject({ result: BatchResult.omit({ url: true, expires_at: true }).strict() }),
  }),
  'ingest-step': z.strictObject({ job_id: JobId }),
  'close-job-complete': z.strictObject({ step: z.literal('complete'), job_id: JobId, input: stepState }),
  'close-job-fail': z.strictObject({
    step: z.literal('fail'),
    job_id: JobId,
    error: z.strictObject({ Error: z.string(), Cause: z.string() }),
  }),
  'close-job-status-change': z.strictObject({
    ...envelope,
    'detail-type': z.literal('Step Functions Execution Status Change'),
    source: z.literal('aws.states'),
    detail: z.looseObject({
      executionArn: z.string(),
      stateMachineArn: z.string(),
      name: JobId,
      status: z.enum(['FAILED', 'TIMED_OUT', 'ABORTED']),
    }),
  }),
  'scheduler-retrain': scheduled,
  'scheduler-repair': scheduled,
  'scheduler-retention': scheduled,
  'tenants-create': TenantOperation,
  'tenant-rows': z.strictObject({ act: z.enum(['remove', 'count']), tenant: TenantId }),
  relay: z.strictObject({
    intent: z.strictObject({
      pk: z.string().regex(/^tenant\/[^/]+\/$/),
      sk: z.string().regex(/^model\/[^/]+\/intent\/[^/]+\/$/),
    }),
    isOver: z.boolean(),
  }),
  'migrate-trigger': z.strictObject({}),
  'cognito-pre-token': z.strictObject({
    version: z.literal('2'),
    triggerSource: z.string().startsWith('TokenGeneration_'),
    region: z.string(),
    userPoolId: z.string(),
    userName: z.string(),
    callerContext: z.strictObject({ awsSdkVersion: z.string(), clientId: z.string() }),
    request: z.strictObject({
      userAttributes: z.record(z.string(), z.string()).refine(({ sub }) => sub !== undefined),
      groupConfiguration: z.looseObject({}),
      scopes: z.array(z.string()),
    }),
    response: z.strictObject({ claimsAndScopeOverrideDetails: z.null() }),
  }),
  ...published,
};
