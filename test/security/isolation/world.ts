import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { DatasetUpload } from '../../../src/contracts/datasets.ts';
import type { ImportUpload } from '../../../src/contracts/imports.ts';
import type { ModelDetail } from '../../../src/contracts/models.ts';
import type { Prediction } from '../../../src/contracts/prediction.ts';
import {
  createSample,
  type RunningTwin,
  runTwin,
  sampleRows,
  trainSample,
} from '../../support/running-twin.ts';

/** The attacker's name begins with the owner's; the third one's is the beginning of the owner's. */
export const owner = 'acme';
export const attacker = 'acme-two';

export interface SentRequest {
  readonly method: string;
  /** As it goes over the wire: nothing of it is normalized. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Two tenants in one twin: one has what the other is after. */
export interface World {
  readonly running: RunningTwin;
  /** Ids of the owner, by the names of path parameters. */
  readonly ids: Readonly<Record<string, string>>;
  /** Texts that only the owner has: one of them in an answer to the attacker is a leak. */
  readonly secrets: readonly string[];
  readonly attackerToken: string;
  readonly ownerToken: string;
  /** Links that were signed for the owner. */
  readonly links: Readonly<Record<'artifact' | 'upload', string>>;
  readonly cursors: readonly string[];
  send(request: SentRequest, token?: string): Promise<Answer>;
  stop(): Promise<void>;
}

const secretVersion = '7.318.402';
const unique = () => `canary${randomBytes(8).toString('hex')}`;

export async function makeWorld(options: { cloudAssembly?: string; dataDir?: string } = {}): Promise<World> {
  const running = await runTwin(options);
  const client = running.client(owner);
  const secrets = Array.from({ length: 7 }, unique);
  const [column, label, description, notes, tag, datasetName, alias] = secrets as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const rows = sampleRows(120).map(({ risk, ...row }) => ({
    ...row,
    [column]: Number(row.amount) / 2,
    risk: risk === 'high' ? label : 'low',
  }));
  const { dataset_id } = (await client.call('createDataset', {
    body: { name: datasetName, rows: rows as never },
  })) as { dataset_id: string };
  const params = { model_name: 'private' as never };
  const job = await trainSample(client, 'private', { dataset_id });
  await trainSample(client, 'private-too', { dataset_id });
  // Both have a model of this name: what is asked for by name alone must not mix them up.
  const shared = await trainSample(client, 'mine', { dataset_id });
  await client.call('setAlias', {
    ...{ params: { model_name: 'mine' as never, alias: alias as never }, body: { version: '1' } },
  });
  await client.call('updateModel', { params, body: { description, notes, tags: { [tag]: tag } } });
  await client.call('setAlias', { params: { ...params, alias: 'golden' as never }, body: { version: '1' } });
  // Its environments have pointers of their own, and a number that the attacker's model has not.
  await client.call('putEnvironment', {
    params: { ...params, environment: 'staging' },
    body: { version: '1' },
  });
  const own = { model_name: 'mine' as never };
  await client.call('createModelVersion', {
    ...{ params: own, body: { from_version: '1', version_string: secretVersion } },
  });
  await client.call('putEnvironment', {
    ...{ params: { ...own, environment: 'staging' }, body: { version: secretVersion } },
  });
  // Nothing of the owner is written later, by a flush that the attacker's calls cause.
  await client.call('putServing', { params, body: { settings: { log: 'durable' } } });
  const predicted = { params, body: { input_data: { amount: 9, [column]: 4 } } };
  const { prediction_id } = (await client.call('predict', predicted)) as Prediction;
  // From here on the owner may predict without leaving a trace, and does so before its caches are probed.
  await client.call('putServing', { params, body: { settings: { log: 'off' } } });
  const upload = (await client.call('createDataset', {
    body: { upload: { format: 'csv', size_bytes: 8 } },
  })) as DatasetUpload;
  await fetch(upload.url, { method: 'PUT', body: 'a,b\n1,2\n' });
  const imported = (await client.call('createImport', {
    params,
    body: { size_bytes: 8 } as never,
  })) as ImportUpload;
  const artifact = await client.call('getModelArtifact', { params: { ...params, model_version: '1' } });
  const model = (await client.call('getModel', { params })) as ModelDetail;
  const { build_id, sha256 } = model.versions[0]!;
  const cursors = await Promise.all([
    client.call('listModels', { query: { limit: 1 } }).then((page) => page.next_cursor),
    client.call('listJobs', { query: { limit: 1 } }).then((page) => page.next_cursor),
    client.call('listAudit', { query: { limit: 1 } }).then((page) => page.next_cursor),
  ]);
  const { key_id } = await client.call('createApiKey', { body: { name: 'private', role: 'admin' } });
  const subject = 'member-of-the-owner';
  await client.call('putMember', { params: { subject: subject as never }, body: { role: 'viewer' } });
  // The attacker has a model of the same name, a dataset and everything that a tenant may have.
  const theirs = running.client(attacker);
  const mine = await createSample(theirs, 100);
  await trainSample(theirs, 'mine', { dataset_id: mine.dataset_id });
  await theirs.call('putServing', {
    params: { model_name: 'mine' as never },
    body: { settings: { log: 'durable' } },
  });
  const ids = {
    ...{ dataset_id, job_id: job.job_id, upload_id: upload.upload_id, prediction_id },
    ...{ import_id: imported.upload_id, build_id, sha256 },
    ...{ model_name: 'private', model_id: 'private', model_version: '1.0.0', alias: 'golden' },
    environment: 'staging',
    ...{ key_id, subject },
  };
  return {
    ...{ running, ids, cursors: cursors.filter((cursor) => cursor !== undefined) },
    secrets: [
      ...secrets,
      secretVersion,
      `user-of-${owner}"`,
      shared.job_id,
      dataset_id,
      job.job_id,
      upload.upload_id,
      prediction_id,
      build_id,
      sha256,
    ],
    attackerToken: await running.twin.issueToken(attacker),
    ownerToken: await running.twin.issueToken(owner),
    links: { artifact: artifact.url, upload: upload.url },
    send: (sent, token) => send(running.twin.url, sent, token),
    stop: () => running.stop(),
  };
}

function send(
  origin: string,
  { method, path, headers = {}, body }: SentRequest,
  token?: string,
): Promise<Answer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        ...{ hostname, port, method, path },
        headers: {
          ...headers,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers as Record<string, string>,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
