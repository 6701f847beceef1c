/**
 * What signatures cost where models are loaded: verifying by itself, a load from memory with and without, and the cold
 * start of the predict function with and without, in turns.
 * node bench/signatures.ts [--rounds N] [--parts load,cold]
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { startTwin, type Twin } from '../local/main.ts';
import { sha256Hex } from '../src/adapters/aws/s3-objects.ts';
import { HttpClient } from '../src/client/http-client.ts';
import type { Dataset } from '../src/contracts/datasets.ts';
import { manifestStatement } from '../src/contracts/manifest-statement.ts';
import type { ModelManifest } from '../src/contracts/models.ts';
import type { ModelName } from '../src/contracts/names.ts';
import { type Job, terminalStatuses } from '../src/contracts/training.ts';
import { TypeScriptExecutor } from '../src/serving/graph/typescript-executor.ts';
import { SignedManifests, unsignedManifests } from '../src/serving/manifest-signatures.ts';
import { ModelLoader } from '../src/serving/model-loader.ts';
import type { ServingPointer } from '../src/serving/serving-pointer.ts';
import { TenantContext } from '../src/tenancy/tenant-context.ts';
import { adultModel, recordsOf } from './serve/adult-model.ts';
import { firstAnswer } from './serve/cold-start.ts';
import { median, percentile } from './serve/percentiles.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    parts: { type: 'string', default: 'load,cold' },
    data: { type: 'string', default: resolve(import.meta.dirname, '../../shared/data') },
  },
});
const rounds = Number(options.rounds);
const say = (text: string) => process.stdout.write(`${text}\n`);
const us = (ms: number) => `${(ms * 1000).toFixed(0).padStart(7)} µs`;
const model = await adultModel(options.data);
if (options.parts.includes('load')) await load();
if (options.parts.includes('cold')) await cold();

async function load(): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const artifact = { format: 'onnx', sha256: sha256Hex(model.graph), bytes: model.graph.byteLength } as const;
  const manifest = { ...model.manifest, artifact } as ModelManifest;
  const bytes = Buffer.from(JSON.stringify(manifest));
  const statement = {
    ...{ tenantId: 'demo', modelName: 'income', buildId: manifest.build_id },
    manifestSha256: sha256Hex(bytes),
  };
  const signature = sign('sha256', manifestStatement(statement), privateKey).toString('base64');
  const pointer: ServingPointer = {
    ...{ model_name: 'income' as ModelName, version: '1.0.0', revision: 1 },
    ...{ artifact_key: 'graph', artifact_sha256: artifact.sha256, artifact_bytes: artifact.bytes },
    ...{ manifest_key: 'manifest', manifest_sha256: statement.manifestSha256 },
    signature: { key_id: 'key-1', algorithm: 'ECDSA_SHA_256', signature },
  };
  const store = { artifact: async (_: unknown, key: string) => (key === 'graph' ? model.graph : bytes) };
  const signed = new SignedManifests({ publicKey: async () => der });
  const claims = { tenant: 'demo', role: 'admin', subject: 'bench', expires_at: Number.POSITIVE_INFINITY };
  const tenant = TenantContext.fromClaims(claims, 'bench', 0);
  const times = { verify: [] as number[], without: [] as number[], with: [] as number[] };
  const timed = async (into: number[], work: () => Promise<unknown>) => {
    const before = performance.now();
    await work();
    into.push(performance.now() - before);
  };
  const loaderOf = (signatures: typeof unsignedManifests) =>
    new ModelLoader({ store, signatures, executor: new TypeScriptExecutor() });
  const [plain, checked] = [loaderOf(unsignedManifests), loaderOf(signed)];
  for (let i = 0; i < 20 * rounds; i++) {
    await timed(times.verify, async () =>
      (await signed.checkOf('demo', pointer.model_name, pointer))(manifest),
    );
    await timed(times.without, () => plain.load(tenant, pointer, pointer));
    await timed(times.with, () => checked.load(tenant, pointer, pointer));
  }
  say(`a graph of ${Math.round(artifact.bytes / 1000)} kB, from memory             p50         p99`);
  for (const [name, values] of Object.entries(times))
    say(
      `${{ verify: 'verify alone', without: 'load, unsigned', with: 'load, signed' }[name as 'with']!.padEnd(36)}${us(median(values))}  ${us(percentile(values, 0.99))}`,
    );
}

/** One twin that lets unsigned versions pass; its one pointer loses and regains its signature between starts. */
async function cold(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tenantml-signatures-'));
  const functionEnvironment = { UNSIGNED_MODELS: 'allow' };
  const twin = await startTwin({ port: 0, dataDir, quiet: true, functionEnvironment });
  try {
    await train(twin);
    const { endpoints, administrator: credentials, template } = twin;
    const dynamodb = DynamoDBDocumentClient.from(
      new DynamoDBClient({ region: 'us-east-1', endpoint: endpoints.dynamodb, credentials }),
      { marshallOptions: { removeUndefinedValues: true } },
    );
    const tables = template.ofType('AWS::DynamoDB::Table');
    const TableName = tables.find(({ logicalId }) => logicalId.startsWith('ServingTable'))!.physicalId;
    const Key = { pk: 'tenant/demo/', sk: 'model/income/' };
    const { Item } = await dynamodb.send(new GetCommand({ TableName, Key }));
    const [row] = recordsOf(model.model, model.test, 1);
    const times = { unsigned: [] as number[], signed: [] as number[] };
    for (let i = 0; i < rounds; i++) {
      for (const kind of ['unsigned', 'signed'] as const) {
        const item = kind === 'signed' ? Item : { ...Item, signature: undefined };
        await dynamodb.send(new PutCommand({ TableName, Item: item! }));
        times[kind].push(await firstAnswer(twin, row as Record<string, unknown>, functionEnvironment));
      }
    }
    say(`\ncold start to the first answer, ${rounds} in turns      p50 ms   lowest`);
    for (const [kind, values] of Object.entries(times))
      say(
        `${kind.padEnd(44)}${median(values).toFixed(1).padStart(9)}${Math.min(...values)
          .toFixed(1)
          .padStart(9)}`,
      );
  } finally {
    await twin.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function train(twin: Twin): Promise<void> {
  const client = new HttpClient(twin.url, () => twin.issueToken('demo'));
  const rows = recordsOf(model.model, model.test, 500).map((record, i) => ({
    ...(record as object),
    label: i % 2 ? 'yes' : 'no',
  }));
  const { dataset_id } = (await client.call('createDataset', {
    body: { name: 'rows', rows: rows as never },
  })) as Dataset;
  const body = { model_name: 'income' as ModelName, dataset_id, target: 'label' };
  let job = (await client.call('trainModel', { body: body as never })) as Job;
  while (!terminalStatuses.includes(job.status)) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    job = (await client.call('getJob', { params: { job_id: job.job_id } })) as Job;
  }
  if (job.status !== 'completed') throw new Error(JSON.stringify(job.error));
}
