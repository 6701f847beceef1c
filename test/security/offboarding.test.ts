import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../../src/client/http-client.ts';
import type { Prediction } from '../../src/contracts/prediction.ts';
import type { ApiKeyCreated } from '../../src/contracts/tenant.ts';
import type { OffboardingReport } from '../../src/tenancy/offboarding.ts';
import type { TenantCreated } from '../../src/tenancy/tenant-operations.ts';
import { plantProjections } from '../support/planted-rows.ts';
import {
  clientOf,
  createSample,
  type RunningTwin,
  rawRequest,
  runTwin,
  trainSample,
} from '../support/running-twin.ts';

/** The one that goes stands between two whose names begin as its own, or are the beginning of it. */
const leaving = 'acme-two';
const staying = ['acme', 'acme-two-b'];

let running: RunningTwin;
let lambda: LambdaClient;
const keys = new Map<string, ApiKeyCreated>();

beforeAll(async () => {
  running = await runTwin({ functionEnvironment: { OFFBOARDING_WAITS_SECONDS: '0,0,0' } });
  lambda = new LambdaClient({
    ...{ region: 'us-east-1', endpoint: running.twin.endpoints.lambda },
    credentials: running.twin.administrator,
  });
});
afterAll(() => running.stop());

async function operate<Answer>(event: object): Promise<Answer> {
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName: 'tenantml-local-tenants', Payload: JSON.stringify(event) }),
  );
  const said = JSON.parse(answer.Payload!.transformToString());
  if (answer.FunctionError !== undefined)
    throw Object.assign(new Error(said.errorMessage), { code: said.errorType });
  return said as Answer;
}

const clientWith = (key: ApiKeyCreated): HttpClient => clientOf(running.twin.url, async () => key.api_key);

/** Leaves something of the tenant in every store. */
async function live(client: HttpClient): Promise<void> {
  const model = { model_name: 'private' as never };
  await trainSample(client, 'private', { retrain_every_days: 30 });
  await client.call(
    'createDataset',
    { body: { upload: { format: 'csv', size_bytes: 8 } } as never },
    { idempotencyKey: 'once' },
  );
  await client.call('putServing', {
    params: model,
    body: { settings: { log: 'durable', prediction_cache_seconds: 3_000 } },
  });
  const { prediction_id } = (await client.call('predict', {
    params: model,
    body: { input_data: { amount: 1 } },
  })) as Prediction;
  await client.call('recordFeedback', { body: { prediction_id, actual_outcome: 'high' } });
  const { dataset_id } = await createSample(client);
  await client.call('batchPredict', { body: { ...model, dataset_id, format: 'csv' } });
  // Rows that a caller did not want to wait for lie in the bucket of uploads.
  const token = keys.get(leaving)!.api_key;
  const headers = { 'content-type': 'application/json', prefer: 'respond-async' };
  const body = JSON.stringify({ input_data: [{ amount: 1 }] });
  await rawRequest(`${running.twin.url}/api/v1/ml/predict/private`, { method: 'POST', token, headers, body });
  await client.call('setAlias', {
    params: { ...model, alias: 'golden' as never },
    body: { version: '1.0.0' as never },
  });
  await client.call('putEnvironment', {
    params: { ...model, environment: 'staging' },
    body: { version: '1.0.0' },
  });
  await client.call('putMember', { params: { subject: 'user-9' as never }, body: { role: 'viewer' } });
  await client.call('putSettings', { body: { revision: 0, log_features: 'hash' } });
}

/** How many things of a tenant each store holds, as one who may read everything sees them, whatever the platform says. */
async function holdings(tenant: string): Promise<Record<string, number>> {
  const { template, endpoints, administrator } = running.twin;
  const access = { region: 'us-east-1', credentials: administrator };
  const documents = DynamoDBDocumentClient.from(
    new DynamoDBClient({ ...access, endpoint: endpoints.dynamodb }),
  );
  const s3 = new S3Client({ ...access, endpoint: endpoints.s3, forcePathStyle: true });
  const found: Record<string, number> = {};
  // Not by the rule of what removes it: whatever holds the name as a whole word.
  const names = new RegExp(`(^|[^a-z0-9-])${tenant}($|[^a-z0-9-])`);
  for (const { physicalId, logicalId } of template.ofType('AWS::DynamoDB::Table')) {
    const { Items = [] } = await documents.send(
      new ScanCommand({ TableName: physicalId, ConsistentRead: true }),
    );
    const marks = (pk: unknown) => String(pk).startsWith('offboarded/');
    found[logicalId] = Items.filter((item) => names.test(JSON.stringify(item)) && !marks(item.pk)).length;
  }
  for (const { physicalId, logicalId } of template.ofType('AWS::S3::Bucket')) {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(
      new ListObjectVersionsCommand({ Bucket: physicalId }),
    );
    found[logicalId] = [...Versions, ...DeleteMarkers].filter(({ Key }) => names.test(Key!)).length;
  }
  const sql = running.twin.database.connect();
  try {
    const tables = await sql<{ name: string }[]>`
      SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1`;
    for (const { name } of tables) {
      const [row] = await sql<{ n: number }[]>`
        SELECT count(*)::int AS n FROM ${sql(name)} WHERE tenant_id = ${tenant}`;
      found[name] = row!.n;
    }
  } finally {
    await sql.end();
  }
  return found;
}

describe('a tenant', () => {
  it('is taken in by an operator, with a first admin, a plan, and limits beside it', async () => {
    for (const tenant of [leaving, ...staying]) {
      const answer = await operate<TenantCreated>({
        ...{ action: 'create', tenant, limits: { requests_per_second: 1_000 } },
        admin: { api_key: 'first admin' },
      });
      expect(answer).toMatchObject({
        tenant,
        created: true,
        api_key: { role: 'admin', created_by: 'operator' },
      });
      keys.set(tenant, answer.api_key!);
    }
    const settings = await clientWith(keys.get(leaving)!).call('getSettings', {});
    expect(settings).toMatchObject({ agreed: { requests_per_second: 1_000 }, revision: 0 });
  });

  it('that is there keeps what was agreed, and gets another admin', async () => {
    const again = await operate<TenantCreated>({
      ...{ action: 'create', tenant: 'acme', limits: { requests_per_second: 1 } },
      admin: { subject: 'user-1' },
    });
    expect(again).toMatchObject({ created: false, member: { subject: 'user-1', role: 'admin' } });
    const settings = await clientWith(keys.get('acme')!).call('getSettings', {});
    expect(settings.agreed).toEqual({ requests_per_second: 1_000 });
    await operate({ action: 'agree', tenant: 'acme', limits: { burst: 9 } });
    expect((await clientWith(keys.get('acme')!).call('getSettings', {})).agreed).toEqual({ burst: 9 });
  });

  it.each([
    [{ action: 'create', tenant: '../acme' }],
    [{ action: 'offboard' }],
    [{ action: 'forget', tenant: 'acme' }],
    [{ action: 'offboard', tenant: 'acme', force: true }],
    [{ action: 'create', tenant: 'acme', admin: { subject: 'a', api_key: 'b' } }],
  ])('is not touched by %j', async (event) => {
    await expect(operate(event)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it('whose rows are to go without a mark of its offboarding keeps them', async () => {
    const rows = running.twin.template
      .ofType('AWS::Lambda::Function')
      .find(({ logicalId }) => logicalId.startsWith('TenantRows'))!;
    const { FunctionError, Payload } = await lambda.send(
      new InvokeCommand({
        FunctionName: rows.physicalId,
        Payload: JSON.stringify({ act: 'remove', tenant: 'acme' }),
      }),
    );
    expect([FunctionError, JSON.parse(Payload!.transformToString()).errorType]).toEqual([
      ...['Unhandled', 'JOB_NOT_FOUND'],
    ]);
  });
});

describe('offboarding', () => {
  let before: Record<string, Record<string, number>>;
  let token: string;

  beforeAll(async () => {
    const admin = running.twin.database.connect();
    for (const tenant of [leaving, ...staying]) {
      await live(clientWith(keys.get(tenant)!));
      await plantProjections(admin, tenant);
    }
    await admin.end();
    token = await running.twin.issueToken(leaving);
    before = {};
    for (const tenant of [leaving, ...staying]) before[tenant] = await holdings(tenant);
  });

  it('has something to remove in every store', () => {
    // Leases of limits and intents last for seconds only.
    const brief = /^(IntentsTable)/;
    const empty = Object.entries(before[leaving]!).filter(([store, n]) => n === 0 && !brief.test(store));
    expect(empty).toEqual([]);
  });

  it('empties every store of the tenant, and of nobody else', async () => {
    let report: OffboardingReport;
    do {
      report = await operate<OffboardingReport>({ action: 'offboard', tenant: leaving });
    } while (report.status !== 'empty');
    expect(Object.keys(report.removed)).toHaveLength(8 + 4 + 1);
    const after = await holdings(leaving);
    // The one row that says that the tenant was here.
    expect(Object.entries(after).filter(([, n]) => n > 0)).toEqual([['ml_audit', 1]]);
    for (const tenant of staying) {
      const kept = await holdings(tenant);
      for (const [store, n] of Object.entries(before[tenant]!)) {
        // Batch jobs that were under way have written more meanwhile, and leases have ended.
        if (!/^TransientTable/.test(store))
          expect(kept[store], `${tenant} ${store}`).toBeGreaterThanOrEqual(n);
      }
    }
  });

  it('refuses tokens that are still good and keys that were, and gives the name to nobody', async () => {
    const ask = (bearer: string) => rawRequest(`${running.twin.url}/api/v1/ml/models`, { token: bearer });
    const answer = await ask(token);
    expect([answer.status, answer.json.code]).toEqual([403, 'TENANT_OFFBOARDED']);
    // Seen by the gateway before: it believes in the key for five minutes, and finds nothing behind it.
    const believed = await ask(keys.get(leaving)!.api_key);
    expect([believed.status, believed.json.items]).toEqual([200, []]);
    const again = operate({ action: 'create', tenant: leaving });
    await expect(again).rejects.toMatchObject({ code: 'TENANT_OFFBOARDED' });
  });

  it('leaves the others serving', async () => {
    for (const tenant of staying) {
      const answer = await clientWith(keys.get(tenant)!).call('predict', {
        params: { model_name: 'private' as never },
        body: { input_data: { amount: 2 } },
      });
      expect(answer).toHaveProperty('prediction');
    }
  });

  it('may be asked again, and says that nothing is there', async () => {
    const report = await operate<OffboardingReport>({ action: 'offboard', tenant: leaving });
    expect(report.status).toBe('empty');
  });
});
