import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { UploadId } from '../../src/contracts/names.ts';
import type { ModelRegistry } from '../../src/registry/model-registry.ts';
import type { PromotionIntents } from '../../src/registry/promotion.ts';
import { unsignedManifests } from '../../src/serving/manifest-signatures.ts';
import { itemKeys, objectKeys } from '../../src/tenancy/keys.ts';
import { cloudEvent, eventSchemas, publishedData } from '../support/event-schemas.ts';
import { lambdaContext } from '../support/http-event.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { datasetId, sampleDataset, sampleJob, sampleManifest, sampleRequest } from '../support/samples.ts';
import { modelName, tenantNamed } from '../support/tenants.ts';

// Powertools reads these when it loads: with the first it writes to the global console.
vi.hoisted(() => {
  Object.assign(process.env, { POWERTOOLS_DEV: 'true', POWERTOOLS_METRICS_NAMESPACE: 'TenantML' });
});

const folder = join(import.meta.dirname, '../../events');
const names = readdirSync(folder).map((file) => file.replace(/\.json$/, ''));
// biome-ignore lint/suspicious/noExplicitAny: a sample has the shape of whatever event it is
const sample = (name: string): any => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));

describe('the samples in events/', () => {
  it('are all described, and all that is described is there', () => {
    expect([...names].sort()).toEqual(Object.keys(eventSchemas).sort());
  });

  it.each(names)('%s has its strict form, and not with anything more', (name) => {
    expect(eventSchemas[name]!.safeParse(sample(name)).error).toBeUndefined();
    expect(eventSchemas[name]!.safeParse({ ...sample(name), tenant_id: 'planted' }).success).toBe(false);
  });

  it('hold nothing secret and no real account', () => {
    for (const name of names) {
      const text = readFileSync(join(folder, `${name}.json`), 'utf8');
      expect(text).not.toMatch(/AKIA|ASIA|eyJ/);
      const accounts = text.match(/(?<![\w-])\d{12}(?!\w)/g) ?? [];
      expect([name, accounts.filter((account) => account !== '000000000000')]).toEqual([name, []]);
    }
  });
});

type Handler = (event: unknown, context: unknown) => Promise<unknown>;
const handlerOf = async (name: string): Promise<Handler> =>
  ((await import(`../../functions/${name}/handler.ts`)) as { handler: Handler }).handler;

const acme = tenantNamed('acme');
let stores: LocalStores;
let sink: Server;
/** What was sent to Step Functions, EventBridge and Lambda. */
const sent: { target: string; body: Record<string, unknown> }[] = [];
let documents: DynamoDBDocumentClient;
let jobs: import('../../src/training/job-store.ts').JobStore;

const detailsSent = () =>
  sent
    .filter(({ target }) => target === 'AWSEvents.PutEvents')
    .flatMap(({ body }) => body.Entries as { Detail: string; DetailType: string; Source: string }[]);

const batchJob = (job_id: string, dataset_id = datasetId()) => {
  const { request: _request, ...job } = sampleJob({ job_id: job_id as never, kind: 'batch' });
  const batch = {
    ...{ model_name: modelName('m'), dataset_id, format: 'parquet' as const },
    ...{ include_columns: [], probabilities: false },
  };
  return { ...job, batch };
};

const importJob = (job_id: string) => {
  const {
    request: _request,
    dataset_id: _dataset,
    ...job
  } = sampleJob({ job_id: job_id as never, kind: 'import' });
  return {
    ...job,
    upload_id: '01KG9Z3N8QJ5V0S4T6W7X8Y9ZX' as UploadId,
    import: { model_name: modelName('m'), deploy: false },
  };
};

beforeAll(async () => {
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation(() => {});
  }
  stores = await startLocalStores();
  sink = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const target = String(request.headers['x-amz-target'] ?? request.url);
    sent.push({ target, body: JSON.parse(text || '{}') });
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    if (target.endsWith('PutEvents')) response.end('{"FailedEntryCount":0,"Entries":[{"EventId":"e"}]}');
    else if (target.endsWith('StartExecution')) response.end('{"executionArn":"arn","startDate":0}');
    else response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
  const { names: of } = stores;
  Object.assign(process.env, {
    ...{
      AWS_ENDPOINT_URL_SFN: endpoint,
      AWS_ENDPOINT_URL_EVENTBRIDGE: endpoint,
      AWS_ENDPOINT_URL_LAMBDA: endpoint,
    },
    ...{
      ARTIFACT_BUCKET: of.ArtifactBucket,
      STAGING_BUCKET: of.StagingBucket,
      RESULT_BUCKET: of.ResultBucket,
      PREDICTION_BUCKET: of.PredictionBucket,
      SERVING_TABLE: of.ServingTable,
    },
    ...{ TENANT_TABLES: '[]', TENANT_BUCKETS: '[]', OFFBOARDING_WAITS_SECONDS: '0' },
    TENANT_ROWS_FUNCTION_NAME: 'tenant-rows',
    ...{
      JOBS_TABLE: of.JobsTable,
      INTENTS_TABLE: of.IntentsTable,
      ACCESS_TABLE: of.AccessTable,
      FEEDBACK_TABLE: of.FeedbackTable,
    },
    ...{ AUDIT_TABLE: of.AuditTable },
    ...{ IDEMPOTENCY_TABLE: of.IdempotencyTable, EVENT_BUS_NAME: 'bus', RELAY_FUNCTION_NAME: 'relay' },
    TRAINING_STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:training',
    INGEST_STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:ingest',
    IMPORT_STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:import',
    IMPORTED_FUNCTION_NAME: 'predict-imported',
    BATCH_STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:batch',
    ...{
      DATABASE_HOST: '127.0.0.1',
      DATABASE_PORT: '9',
      DATABASE_NAME: 'tenantml',
      DATABASE_USER: 'tenantml_app',
    },
    ...{
      OIDC_ISSUER: endpoint,
      OIDC_AUDIENCE: 'tenantml',
      OIDC_TENANT_CLAIM: 'tenant',
      OIDC_ROLE_CLAIM: 'role',
    },
  });
  const composed = await import('../../src/composition/stores.ts');
  documents = composed.dynamodb().own;
  jobs = composed.jobStore();
  const { dataset_id } = JSON.parse(sample('api-gateway-request').body) as { dataset_id: never };
  const dataset = sampleDataset({
    dataset_id,
    columns: [{ ...sampleDataset().columns[0]!, name: 'priority' }],
  });
  await composed
    .artifactObjects()
    .putBytes(
      acme,
      objectKeys.datasetManifest(acme, dataset_id),
      JSON.stringify(dataset),
      'application/json',
    );
  const request = sampleRequest({ dataset_id, model_name: modelName('ticket-priority'), target: 'priority' });
  for (const event of ['training-step', 'close-job-fail', 'close-job-status-change']) {
    const job_id = sample(event).job_id ?? sample(event).detail.name;
    await jobs.create(acme, sampleJob({ job_id, request, model_name: request.model_name }));
  }
});
afterAll(async () => {
  vi.restoreAllMocks();
  await new Promise((resolve) => sink?.close(resolve));
  await stores?.stop();
});

describe('the functions read the samples', () => {
  it('train: api-gateway-request', async () => {
    const answer = (await (
      await handlerOf('train')
    )(sample('api-gateway-request'), lambdaContext)) as {
      statusCode: number;
      body: string;
    };
    expect([answer.statusCode, JSON.parse(answer.body)]).toMatchObject([
      202,
      { model_name: 'ticket-priority' },
    ]);
    const { job_id } = JSON.parse(answer.body) as { job_id: string };
    expect(await jobs.ownerOf(job_id)).toEqual({ tenant: 'acme', subject: 'user-1' });
    expect(sent.at(-1)).toMatchObject({ target: 'AWSStepFunctions.StartExecution', body: { name: job_id } });
  });

  it('authorizer: request-authorizer', async () => {
    const sha256 = createHash('sha256').update('tml_sample').digest('hex');
    await documents.send(
      new PutCommand({
        TableName: stores.names.AccessTable,
        Item: { ...itemKeys.apiKey(sha256), tenant: 'acme', role: 'admin' },
      }),
    );
    const handler = await handlerOf('authorizer');
    const event = sample('request-authorizer');
    expect(await handler(event, lambdaContext)).toMatchObject({
      isAuthorized: true,
      context: { tenant: 'acme', role: 'admin', subject: `api-key:${sha256.slice(0, 12)}` },
    });
    event.headers.authorization = 'Bearer tml_other';
    expect(await handler(event, lambdaContext)).toEqual({
      isAuthorized: true,
      context: { denied: 'API_KEY_INVALID' },
    });
  });

  it('trainer: training-step', async () => {
    const state = await (await handlerOf('trainer'))(sample('training-step'), {
      ...lambdaContext,
      getRemainingTimeInMillis: () => 900_000,
    });
    expect(state).toEqual({ estimated_bytes: expect.any(Number), size: 'small' });
    expect(await jobs.get(acme, sample('training-step').job_id)).toMatchObject({
      status: 'running',
      step: 'load',
    });
  });

  it('registrar: registrar-step, of a build that is not there', async () => {
    const { job_id, input } = sample('registrar-step');
    await expect(
      (await handlerOf('registrar'))(sample('registrar-step'), lambdaContext),
    ).rejects.toMatchObject({
      name: 'BUILD_MISSING',
      message: expect.stringContaining(input.build_id),
    });
    expect((await jobs.get(acme, job_id))?.step).toBe('register');
  });

  it('ingest: ingest-step', async () => {
    const composed = await import('../../src/composition/stores.ts');
    const uploadId = '01KG9Z3N8QJ5V0S4T6W7X8Y9ZC' as UploadId;
    const upload = { uploadId, sizeBytes: 8, format: 'csv', compression: 'none' } as const;
    await composed.uploadStore().create(acme, upload);
    await composed.stagingObjects().putBytes(acme, objectKeys.upload(acme, uploadId), 'a,b\n1,2\n');
    const { job_id } = sample('ingest-step');
    await jobs.create(acme, { ...sampleJob({ job_id, kind: 'ingest' }), upload_id: uploadId });
    const { dataset_id } = (await (
      await handlerOf('ingest')
    )(sample('ingest-step'), lambdaContext)) as {
      dataset_id: never;
    };
    expect(await composed.datasetStore().get(acme, dataset_id)).toMatchObject({ n_rows: 1, n_columns: 2 });
    expect(await composed.uploadStore().arrivedBytes(acme, upload)).toBeUndefined();
  });

  it('batch: batch-step, of a version that is gone', async () => {
    const { job_id } = sample('batch-step');
    const pinned = {
      ...{ version: '1.0.0', artifact_sha256: 'a', artifact_bytes: 1, manifest_sha256: 'b' },
      artifact_key: objectKeys.modelFile(acme, modelName('m'), 'b', 'model.onnx'),
      manifest_key: objectKeys.modelFile(acme, modelName('m'), 'b', 'manifest.json'),
    };
    const { dataset_id } = JSON.parse(sample('api-gateway-request').body);
    await jobs.create(acme, { ...batchJob(job_id, dataset_id), pinned });
    await expect((await handlerOf('batch'))(sample('batch-step'), lambdaContext)).rejects.toMatchObject({
      name: 'VERSION_NOT_FOUND',
    });
    expect(await jobs.get(acme, job_id)).toMatchObject({ status: 'running', step: 'plan' });
  });

  it('registrar: registrar-resolve-version, of a job that was cancelled', async () => {
    const { job_id } = sample('registrar-resolve-version');
    await jobs.create(acme, batchJob(job_id));
    await jobs.end(acme, job_id, { status: 'cancelled' });
    const handler = await handlerOf('registrar');
    await expect(handler(sample('registrar-resolve-version'), lambdaContext)).rejects.toMatchObject({
      name: 'JOB_ENDED',
    });
  });

  it('import: import-step, of an upload that is gone', async () => {
    const { job_id } = sample('import-step');
    await jobs.create(acme, importJob(job_id));
    await expect((await handlerOf('import'))(sample('import-step'), lambdaContext)).rejects.toMatchObject({
      name: 'UPLOAD_NOT_FOUND',
    });
    expect(await jobs.get(acme, job_id)).toMatchObject({ status: 'running', step: 'inspect' });
  });

  it('registrar: registrar-register-import, of a build that is not there', async () => {
    const { job_id } = sample('registrar-register-import');
    await jobs.create(acme, importJob(job_id));
    const handler = await handlerOf('registrar');
    await expect(handler(sample('registrar-register-import'), lambdaContext)).rejects.toMatchObject({
      name: 'BUILD_MISSING',
    });
  });

  it('predict-imported: predict-imported, whose file is not of the tenant that Lambda names', async () => {
    const handler = await handlerOf('predict-imported');
    expect(await handler(sample('predict-imported'), { ...lambdaContext, tenantId: 'zeta' })).toMatchObject({
      ok: false,
      code: 'ARTIFACT_DAMAGED',
    });
    expect(() => handler(sample('predict-imported'), lambdaContext)).toThrow('Authorization');
  });

  it('close-job: close-job-batch, which is told to nobody', async () => {
    const { job_id, input } = sample('close-job-batch');
    sent.length = 0;
    await (await handlerOf('close-job'))(sample('close-job-batch'), lambdaContext);
    expect(await jobs.get(acme, job_id)).toMatchObject({ status: 'completed', result: input.result });
    expect(detailsSent()).toEqual([]);
  });

  it.each([
    ['close-job-fail', { status: 'failed', error: { code: 'CONSTANT_TARGET' } }, 'ml.training.failed'],
    ['close-job-status-change', { status: 'timed_out', error: { code: 'TIMED_OUT' } }, 'ml.training.failed'],
    ['close-job-complete', { status: 'completed', model_version: '1.0.0' }, 'ml.training.completed'],
  ] as const)('close-job: %s', async (name, job, type) => {
    const event = sample(name);
    sent.length = 0;
    await (await handlerOf('close-job'))(event, lambdaContext);
    expect(await jobs.get(acme, event.job_id ?? event.detail.name)).toMatchObject(job);
    const [entry, ...more] = detailsSent();
    expect([more, entry!.DetailType, entry!.Source]).toEqual([[], type, 'tenantml']);
    expect(cloudEvent(type, publishedData[type]).safeParse(JSON.parse(entry!.Detail)).error).toBeUndefined();
  });

  it('retrain: scheduler-retrain', async () => {
    const { schedules } = await import('../../src/composition/stores.ts');
    await schedules().set(acme, sampleRequest({ retrain_every_days: 1 }), '2026-01-01T00:00:00.000Z');
    const handler = await handlerOf('retrain');
    expect(await handler(sample('scheduler-retrain'), lambdaContext)).toEqual({ started: 1 });
    expect(await handler(sample('scheduler-retrain'), lambdaContext)).toEqual({ started: 0 });
  });

  it('retention: scheduler-retention', async () => {
    const handler = await handlerOf('retention');
    expect(await handler(sample('scheduler-retention'), lambdaContext)).toEqual({
      ...{ prediction_log_days: 0, job_days: 0 },
    });
  });

  it('tenants: tenants-create', async () => {
    const answer = await (await handlerOf('tenants'))(sample('tenants-create'), lambdaContext);
    expect(answer).toMatchObject({ tenant: 'newcomer', created: true, api_key: { role: 'admin' } });
  });

  it('tenant-rows: tenant-rows, of a tenant that nobody offboarded', async () => {
    const handler = await handlerOf('tenant-rows');
    await expect(handler(sample('tenant-rows'), lambdaContext)).rejects.toMatchObject({
      name: 'JOB_NOT_FOUND',
    });
  });

  it('repair: scheduler-repair hands what is overdue to the relay in the form of relay', async () => {
    const model = modelName('ticket-priority');
    const { intent } = sample('relay');
    const intentId = intent.sk.split('/').at(-2);
    expect(itemKeys.promotionIntent(acme, model, intentId)).toEqual(intent);
    const Item = {
      ...intent,
      intent_id: intentId,
      tenant: 'acme',
      subject: 'x',
      model_name: model,
      opened_at_ms: 0,
    };
    await documents.send(new PutCommand({ TableName: stores.names.IntentsTable, Item }));
    sent.length = 0;
    expect(await (await handlerOf('repair'))(sample('scheduler-repair'), lambdaContext)).toEqual({
      repairs: 1,
    });
    expect(sent.map(({ body }) => body)).toEqual([sample('relay')]);
  });

  it('relay: relay, whose intent is closed by then', async () => {
    const event = sample('relay');
    event.intent.sk = event.intent.sk.replace('ticket-priority', 'closed-before');
    expect(await (await handlerOf('relay'))(event, lambdaContext)).toEqual({ repaired: false });
  });

  it('pre-token: cognito-pre-token', async () => {
    const handler = await handlerOf('pre-token');
    const unknown = (await handler(sample('cognito-pre-token'), lambdaContext)) as { response: unknown };
    expect(unknown.response).toEqual({ claimsAndScopeOverrideDetails: null });
    const { sub } = sample('cognito-pre-token').request.userAttributes;
    await documents.send(
      new PutCommand({
        TableName: stores.names.AccessTable,
        Item: { ...itemKeys.membership(sub), tenant: 'acme', role: 'admin' },
      }),
    );
    const known = (await handler(sample('cognito-pre-token'), lambdaContext)) as { response: unknown };
    const claimsToAddOrOverride = { tenant: 'acme', role: 'admin' };
    expect(known.response).toEqual({
      claimsAndScopeOverrideDetails: {
        accessTokenGeneration: { claimsToAddOrOverride },
        idTokenGeneration: { claimsToAddOrOverride },
      },
    });
  });
});

describe('what the platform publishes about models', () => {
  it('has the form of the samples', async () => {
    const { EventBridgePublisher } = await import('../../src/adapters/aws/eventbridge-publisher.ts');
    const { Promotion } = await import('../../src/registry/promotion.ts');
    const { registrySteps } = await import('../../src/training/registry-steps.ts');
    const events = new EventBridgePublisher('bus', { nowMs: () => 0 }, (error) => {
      throw error;
    });
    const model = modelName('ticket-priority');
    const deployment = {
      ...{ modelName: model, revision: 2, previousVersion: '1.0.0', deployedAt: 'now' },
      traffic: { environments: [], settings: {} },
    };
    const registry = {
      version: async () => ({ signature: {} }),
      register: async () => ({ version: '1.0.0', metrics: {} }),
      deploy: async () => ({ ...deployment, champion: { version: '1.1.0' } }),
      retire: async () => ({
        ...{ version: {}, wasChampion: true },
        deployment: { ...deployment, champion: undefined },
      }),
      deployment: async () => undefined,
    } as unknown as ModelRegistry;
    const intents = { open: async () => 'i', close: async () => {} } as unknown as PromotionIntents;
    const promotion = new Promotion({ registry, intents, events, pointers: { write: async () => true } });
    sent.length = 0;
    const build = { manifestSha256: 'm', artifactKey: 'a', manifestKey: 'k', manifest: sampleManifest() };
    await registrySteps.register(
      {
        ...{ tenant: acme, registry, promotion, events },
        job: sampleJob({ request: sampleRequest({ model_name: model }) }) as never,
        artifacts: { manifest: async () => build } as never,
        projections: { trained: async () => {}, watched: async () => {} },
        feedback: { since: async () => [] },
        signatures: unsignedManifests,
      },
      { build_id: 'b', manifest_sha256: 'm' },
    );
    await promotion.deploy(acme, model, '1.1.0');
    await promotion.retire(acme, model, '1.1.0', { force: true });
    const details = detailsSent().map(
      ({ Detail }) => JSON.parse(Detail) as { type: keyof typeof publishedData },
    );
    expect(details.map(({ type }) => type)).toEqual([
      'ml.model.registered',
      'ml.model.promoted',
      'ml.model.withdrawn',
    ]);
    for (const detail of details) {
      expect(cloudEvent(detail.type, publishedData[detail.type]).safeParse(detail).error).toBeUndefined();
    }
  });
});
