import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RunningTwin, rawRequest, runTwin, trainSample } from '../support/running-twin.ts';

const row = { amount: 9, country: 'US', is_new: true, age: 30 };
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

type Pointer = Record<string, string>;

let running: RunningTwin;
let s3: S3Client;
let dynamodb: DynamoDBDocumentClient;
let bucket: string;
let table: string;
/** What has to be as it was when a test has ended. */
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  running = await runTwin();
  const { administrator: credentials, endpoints, template } = running.twin;
  const region = 'us-east-1';
  s3 = new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true });
  dynamodb = DynamoDBDocumentClient.from(
    new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb }),
  );
  const named = (type: string, id: string) =>
    template.ofType(type).find(({ logicalId }) => logicalId.startsWith(id))!.physicalId;
  [bucket, table] = [
    named('AWS::S3::Bucket', 'ArtifactBucket'),
    named('AWS::DynamoDB::Table', 'ServingTable'),
  ];
  for (const [tenant, model] of [
    ['acme', 'risk'],
    ['acme', 'fraud'],
    ['globex', 'risk'],
  ] as const) {
    const job = await trainSample(running.client(tenant), model);
    expect(job.error).toBeUndefined();
  }
});
afterAll(() => running?.stop());
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
  await restartPredict();
});

/** The next call finds an environment that has no model, no pointer and no failure in memory. */
async function restartPredict(): Promise<void> {
  const pids = running.twin.functionPids('predict');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  const left = () => running.twin.functionPids('predict').filter((pid) => pids.includes(pid));
  await vi.waitFor(() => expect(left()).toEqual([]), { interval: 5 });
}

async function call(tenant: string, path: string, body: object) {
  const { status, json } = await rawRequest(`${running.twin.url}${path}`, {
    ...{ method: 'POST', token: await running.twin.issueToken(tenant) },
    ...{ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  });
  return { status, code: json.code as string | undefined, text: JSON.stringify(json) };
}
const predict = (tenant: string, model: string) =>
  call(tenant, `/api/v1/ml/predict/${model}`, { input_data: row });

const keyOf = (tenant: string, model: string) => ({ pk: `tenant/${tenant}/`, sk: `model/${model}/` });

async function pointerOf(tenant: string, model: string): Promise<Pointer> {
  const { Item } = await dynamodb.send(new GetCommand({ TableName: table, Key: keyOf(tenant, model) }));
  return Item as Pointer;
}

/** Puts another pointer there, as somebody could who may write to the table. */
async function point(tenant: string, model: string, change: object): Promise<void> {
  const before = await pointerOf(tenant, model);
  const put = (Item: object) => dynamodb.send(new PutCommand({ TableName: table, Item }));
  undo.push(() => put(before));
  await put({ ...before, ...change });
}

async function bytesOf(Key: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
  return Buffer.from(await Body!.transformToByteArray());
}

async function write(Key: string, Body: Buffer): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
}

/** @returns the hash of the object with one bit of it changed */
async function flip(key: string, at: (bytes: Buffer) => number): Promise<string> {
  const before = await bytesOf(key);
  const changed = Buffer.from(before);
  changed[at(changed)]! ^= 1;
  await write(key, changed);
  undo.push(() => write(key, before));
  return sha256(changed);
}
const inTheMiddle = (bytes: Buffer) => bytes.length >> 1;

describe('a version that is not what was registered', () => {
  it('is served from memory where it was loaded, and refused in every dialect where it is not', async () => {
    expect((await predict('acme', 'risk')).status).toBe(200);
    const { artifact_key } = await pointerOf('acme', 'risk');
    await flip(artifact_key!, inTheMiddle);
    expect((await predict('acme', 'risk')).status).toBe(200);
    await restartPredict();
    const answers = [
      await predict('acme', 'risk'),
      await call('acme', '/endpoints/risk/invocations', { dataframe_records: [row] }),
      await call('acme', '/v2/models/risk/infer', {
        inputs: [{ name: 'amount', shape: [1, 1], datatype: 'FP64', data: [9] }],
      }),
    ];
    for (const { status, text } of answers)
      expect([status, text]).toEqual([500, expect.stringContaining('ARTIFACT_DAMAGED')]);
    for (const [tenant, model] of [
      ['acme', 'fraud'],
      ['globex', 'risk'],
    ] as const)
      expect((await predict(tenant, model)).status).toBe(200);
  });

  it('is refused with a changed manifest of which the pointer has the hash', async () => {
    const { manifest_key } = await pointerOf('acme', 'risk');
    const manifest_sha256 = await flip(manifest_key!, (bytes) => bytes.indexOf('accuracy'));
    await point('acme', 'risk', { manifest_sha256 });
    await restartPredict();
    expect(await predict('acme', 'risk')).toMatchObject({ status: 500, code: 'ARTIFACT_SIGNATURE_INVALID' });
    expect((await predict('acme', 'fraud')).status).toBe(200);
  });

  it('is refused with the signature of another model of the same tenant', async () => {
    const [risk, fraud] = [await pointerOf('acme', 'risk'), await pointerOf('acme', 'fraud')];
    await point('acme', 'risk', { signature: fraud.signature });
    await point('acme', 'fraud', { signature: risk.signature });
    await restartPredict();
    for (const model of ['risk', 'fraud'])
      expect(await predict('acme', model)).toMatchObject({ code: 'ARTIFACT_SIGNATURE_INVALID' });
    expect((await predict('globex', 'risk')).status).toBe(200);
  });

  it('is refused as a whole build of another tenant, whose own model of that name goes on', async () => {
    const { pk: _, sk: __, ...stolen } = await pointerOf('acme', 'risk');
    const moved = (key: string) => key.replace('tenants/acme/', 'tenants/globex/');
    for (const key of [stolen.artifact_key!, stolen.manifest_key!])
      await write(moved(key), await bytesOf(key));
    await point('globex', 'risk', {
      ...{ ...stolen, artifact_key: moved(stolen.artifact_key!), manifest_key: moved(stolen.manifest_key!) },
    });
    await restartPredict();
    expect(await predict('globex', 'risk')).toMatchObject({ code: 'ARTIFACT_SIGNATURE_INVALID' });
    expect((await predict('acme', 'risk')).status).toBe(200);
  });

  it('is refused without a signature, and told from one that was made before by what can be done', async () => {
    await point('acme', 'risk', { signature: undefined });
    await restartPredict();
    const answer = await predict('acme', 'risk');
    expect(answer).toMatchObject({ status: 500, code: 'ARTIFACT_SIGNATURE_INVALID' });
    expect(answer.text).toMatch(/train or import it again, or set unsignedModels/);
  });

  it('is not scored by a batch either', async () => {
    const { dataset_id } = (await running.client('acme').call('listDatasets', { query: {} })).items[0]!;
    const { manifest_key } = await pointerOf('acme', 'risk');
    const manifest_sha256 = await flip(manifest_key!, (bytes) => bytes.indexOf('accuracy'));
    await point('acme', 'risk', { manifest_sha256 });
    const started = await call('acme', '/api/v1/ml/batch-predict', { model_name: 'risk', dataset_id });
    expect(started).toMatchObject({ status: 500, code: 'ARTIFACT_SIGNATURE_INVALID' });
  });

  it('was counted by what the alarm watches', () => {
    const logs = join(running.dataDir, 'logs');
    const text = readdirSync(logs)
      .filter((name) => name.startsWith('predict'))
      .map((name) => readFileSync(join(logs, name), 'utf8'))
      .join('');
    const line = text.split('\n').find((one) => one.includes('"artifacts_refused":1'))!;
    const figure = line.slice(line.indexOf('{'));
    expect(JSON.parse(figure)).toMatchObject({ stage: 'local', outcome: 'process', artifacts_refused: 1 });
    const [alarm] = running.twin.template.skipped.filter(({ logicalId }) =>
      /ArtifactsRefused/.test(logicalId),
    );
    expect(alarm?.type).toBe('AWS::CloudWatch::Alarm');
  });
});

describe('a registered version', () => {
  it('lies with its signature beside its manifest, and with the software that made it', async () => {
    const { manifest_key, signature } = await pointerOf('acme', 'risk');
    const { Contents } = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: manifest_key!.replace('manifest.json', '') }),
    );
    expect(Contents!.map(({ Key }) => Key!.split('/').at(-1))).toEqual([
      ...['explainer.json.gz', 'manifest.json', 'manifest.sig', 'model.onnx'],
    ]);
    expect(JSON.parse(signature!)).toEqual(
      JSON.parse(String(await bytesOf(manifest_key!.replace('.json', '.sig')))),
    );
    const { software } = JSON.parse(String(await bytesOf(manifest_key!)));
    expect(Object.keys(software)).toEqual(['tenantml', 'onnxruntime-node', '@duckdb/node-api', 'node']);
  });
});
