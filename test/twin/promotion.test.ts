import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../../src/client/http-client.ts';
import type { ModelDetail } from '../../src/contracts/models.ts';
import type { Prediction } from '../../src/contracts/prediction.ts';
import { isWhole } from '../support/proof.ts';
import { createSample, type RunningTwin, rawRequest, runTwin, trainSample } from '../support/running-twin.ts';

let running: RunningTwin;
let client: HttpClient;
let admin: ReturnType<RunningTwin['twin']['database']['connect']>;
let documents: DynamoDBDocumentClient;
let token: string;

const params = { model_name: 'model' as never };
const versions = ['1.0.0', '1.1.0', '1.2.0'];

beforeAll(async () => {
  running = await runTwin();
  client = running.client('acme');
  const { dataset_id } = await createSample(client);
  for (const _ of versions) await trainSample(client, 'model', { dataset_id, auto_promote: false });
  await client.call('deployModel', { params: { ...params, model_version: '1.0.0' } });
  const { twin } = running;
  token = await twin.issueToken('acme');
  admin = twin.database.connect();
  const settings = { region: 'us-east-1', credentials: twin.administrator };
  documents = DynamoDBDocumentClient.from(
    new DynamoDBClient({ ...settings, endpoint: twin.endpoints.dynamodb }),
  );
});
afterAll(async () => {
  await admin?.end();
  await running?.stop();
});

const named = (type: string, id: string) =>
  running.twin.template.ofType(type).find(({ logicalId }) => logicalId.startsWith(id))!.physicalId;

/** What the predict function reads, and what Postgres says. */
async function revisions(): Promise<{ pointer: unknown; registry: unknown }> {
  const { Item } = await documents.send(
    new GetCommand({
      TableName: named('AWS::DynamoDB::Table', 'ServingTable'),
      Key: { pk: 'tenant/acme/', sk: 'model/model/' },
      ConsistentRead: true,
    }),
  );
  const [row] = await admin`SELECT revision::int, champion_version FROM ml_models WHERE model_name = 'model'`;
  return {
    pointer: { revision: Item?.revision, version: Item?.version },
    registry: { revision: row!.revision, version: row!.champion_version },
  };
}

const deploy = (version: string, headers: Record<string, string> = {}) =>
  rawRequest(`${running.twin.url}/api/v1/ml/deploy/model/${version}`, { method: 'POST', token, headers });

describe('twenty promotions of one model at once', () => {
  it('each have a revision of their own, one after the other, and end with the pointer of the last', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => deploy(versions[i % 3]!)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const { items } = await client.call('listDeployments', { params, query: {} });
    expect(items.map(({ revision }) => revision)).toEqual(Array.from({ length: 21 }, (_, i) => 21 - i));
    for (let i = 0; i + 1 < items.length; i++)
      expect(items[i]!.previous_version).toBe(items[i + 1]!.model_version);
    const { pointer, registry } = await revisions();
    expect(pointer).toEqual(registry);
    const model = (await client.call('getModel', { params })) as ModelDetail;
    expect(model.versions.filter(({ stage }) => stage === 'Production')).toHaveLength(1);
  });

  it('have one winner when all of them name the state that they have read', async () => {
    const { headers } = await rawRequest(`${running.twin.url}/api/v1/ml/models/model`, { token });
    const etag = String(headers.get('etag'));
    expect(etag).toMatch(/^"\d+"$/);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => deploy(versions[i % 3]!, { 'if-match': etag })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 412)]);
    expect(answers.find(({ status }) => status === 412)!.json.code).toBe('PRECONDITION_FAILED');
    const { pointer, registry } = await revisions();
    expect(pointer).toEqual(registry);
    expect(registry).toMatchObject({ revision: 22 });
  });

  it('and rollbacks race without a loss', async () => {
    const before = (await revisions()).registry as { revision: number };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        i % 2 === 0
          ? deploy(versions[i % 3]!)
          : rawRequest(`${running.twin.url}/api/v1/ml/models/model/rollback`, {
              ...{ method: 'POST', token, body: '{}', headers: { 'content-type': 'application/json' } },
            }),
      ),
    );
    // A rollback that somebody was faster than says so, and has changed nothing.
    const won = answers.filter(({ status }) => status === 200).length;
    expect(answers.filter(({ status }) => status !== 200 && status !== 412)).toEqual([]);
    const { pointer, registry } = await revisions();
    expect(pointer).toEqual(registry);
    expect(registry).toMatchObject({ revision: before.revision + won });
  });
});

describe('kill -9 between the transaction and the pointer', () => {
  /** @returns whether the process died there */
  async function dieBetween(version: string): Promise<boolean> {
    const before = ((await revisions()).registry as { revision: number }).revision;
    const answer = deploy(version).catch(() => undefined);
    for (;;) {
      const [row] = await admin`SELECT revision::int FROM ml_models WHERE model_name = 'model'`;
      if (row!.revision > before) break;
    }
    const signal = (name: NodeJS.Signals) => {
      for (const pid of running.twin.functionPids('registry')) process.kill(pid, name);
    };
    signal('SIGSTOP');
    const { pointer, registry } = await revisions();
    const isBetween = JSON.stringify(pointer) !== JSON.stringify(registry);
    // Stopped where it should be, it dies there; stopped too late, it goes on.
    signal(isBetween ? 'SIGKILL' : 'SIGCONT');
    await answer;
    return isBetween;
  }

  it('is repaired by the next look at the intents, within a minute', async () => {
    let isBetween = false;
    // The pointer is written within milliseconds: not every signal comes in time.
    for (let i = 0; i < 200 && !isBetween; i++) isBetween = await dieBetween(versions[i % 3]!);
    expect(isBetween).toBe(true);
    const startMs = performance.now();
    if (!isWhole) {
      const lambda = new LambdaClient({
        ...{ region: 'us-east-1', credentials: running.twin.administrator },
        endpoint: running.twin.endpoints.lambda,
      });
      const FunctionName = named('AWS::Lambda::Function', 'Repair');
      // What the schedule does once a minute.
      await lambda.send(new InvokeCommand({ FunctionName, Payload: '{}' }));
    }
    for (;;) {
      const { pointer, registry } = await revisions();
      if (JSON.stringify(pointer) === JSON.stringify(registry)) break;
      expect(performance.now() - startMs).toBeLessThan(62_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }, 120_000);
});

describe('while Postgres is stopped', () => {
  it('predictions go on; the registry says that it is not there, and comes back with it', async () => {
    const predict = () =>
      client.call('predict', { params, body: { input_data: { amount: 9 } } }) as Promise<Prediction>;
    const before = await predict();
    await running.twin.database.stop();
    for (let i = 0; i < 20; i++) expect((await predict()).prediction).toBe(before.prediction);
    const health = () => rawRequest(`${running.twin.url}/api/v1/ml/health`, {});
    // It waits for the database for 20 s before it says so.
    if (isWhole) {
      const answer = await rawRequest(`${running.twin.url}/api/v1/ml/models`, { token });
      expect([answer.status, answer.json.code]).toEqual([503, 'DATABASE_RESUMING']);
      const { status, json } = await health();
      expect([status, json]).toMatchObject([
        503,
        { status: 'unhealthy', checks: { database: { status: 'unhealthy' } } },
      ]);
      const others = Object.entries(json.checks as object).filter(([name]) => name !== 'database');
      expect(others.map(([name, check]) => [name, check.status])).toEqual(
        ['serving', 'store', 'cache', 'queue'].map((name) => [name, 'healthy']),
      );
    }
    await running.twin.database.start();
    expect((await client.call('listModels', { query: {} })).items).toHaveLength(1);
    const endsMs = performance.now() + 10_000;
    // An answer is kept for five seconds.
    if (isWhole) while ((await health()).status !== 200) expect(performance.now()).toBeLessThan(endsMs);
  }, 60_000);
});
