import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentClients } from '../../src/adapters/aws/document-client.ts';
import { DynamoDbJobStore } from '../../src/adapters/aws/dynamodb-job-store.ts';
import { S3BatchFiles } from '../../src/adapters/aws/s3-batch-files.ts';
import { S3Objects, s3Clients } from '../../src/adapters/aws/s3-objects.ts';
import { SignedBatchStart } from '../../src/adapters/aws/signed-batch-start.ts';
import { SignedClient } from '../../src/adapters/aws/signed-client.ts';
import { SignedObjects } from '../../src/adapters/aws/signed-objects.ts';
import { SignedTable } from '../../src/adapters/aws/signed-table.ts';
import type { StoredJob } from '../../src/training/job-store.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { hex, newJobId, sampleJob } from '../support/samples.ts';
import { modelName, tenantA, tenantAb, tenantB } from '../support/tenants.ts';

const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:batch';
const clock = new ManualClock();
let stores: LocalStores;
let jobs: DynamoDbJobStore;
let signed: SignedBatchStart;
let states: Server;
const sent: { target: string; authorization: string; body: Record<string, unknown> }[] = [];
let answer = { status: 200, body: '{}' };

beforeAll(async () => {
  stores = await startLocalStores();
  states = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    sent.push({
      target: String(request.headers['x-amz-target']),
      authorization: String(request.headers.authorization),
      body: JSON.parse(text),
    });
    response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => states.listen(0, '127.0.0.1', resolve));
  const region = 'us-east-1';
  jobs = new DynamoDbJobStore(documentClients(ownSessions), stores.names.JobsTable, clock);
  signed = new SignedBatchStart({
    ...{ stateMachineArn, clock },
    jobs: new SignedTable({
      region,
      sessions: ownSessions,
      table: stores.names.JobsTable,
      endpoint: stores.endpoints.dynamodb,
    }),
    staging: new SignedObjects({
      region,
      sessions: ownSessions,
      bucket: stores.names.StagingBucket,
      endpoint: stores.endpoints.s3,
    }),
    states: new SignedClient('states', `http://127.0.0.1:${(states.address() as AddressInfo).port}`),
  });
});
afterAll(async () => {
  await new Promise((resolve) => states?.close(resolve));
  await stores?.stop();
});

function batchJob(): StoredJob {
  const { request: _request, ...plain } = sampleJob({ job_id: newJobId(), kind: 'batch', actor: 'Jürgen' });
  return {
    ...plain,
    batch: {
      ...{ model_name: modelName('income'), format: 'json', probabilities: true },
      include_columns: ['a', 'ß'],
    },
    pinned: {
      ...{ version: '1.0.0', artifact_key: 'k', artifact_sha256: hex('1'), artifact_bytes: 1_234 },
      ...{ manifest_key: 'm', manifest_sha256: hex('2') },
    },
  };
}

describe('a batch job started without the SDK', () => {
  it('is the job that the store would have written, for its tenant only', async () => {
    const job = batchJob();
    await signed.create(tenantA, job);
    expect(await jobs.get(tenantA, job.job_id)).toEqual(job);
    expect(await jobs.ownerOf(job.job_id)).toEqual({ tenant: 'aa', subject: 'user-of-aa' });
    for (const stranger of [tenantAb, tenantB]) expect(await jobs.get(stranger, job.job_id)).toBeUndefined();
    await jobs.progress(tenantA, job.job_id, { step: 'plan', progress: 0.02 });
    expect(await jobs.finishPart(tenantA, job.job_id, 0)).toEqual([0]);
  });

  it('may be written again, but not by another tenant', async () => {
    const job = batchJob();
    await signed.create(tenantA, job);
    await signed.create(tenantA, job);
    await expect(signed.create(tenantAb, job)).rejects.toMatchObject({
      name: 'JobIdTakenError',
    });
    expect(await jobs.ownerOf(job.job_id)).toMatchObject({ tenant: 'aa' });
    expect(await jobs.get(tenantAb, job.job_id)).toBeUndefined();
  });

  it('leaves its rows where the machine looks for them', async () => {
    const staging = new S3Objects(s3Clients(ownSessions), stores.names.StagingBucket);
    const files = new S3BatchFiles({ staging: () => staging, results: () => staging }, clock);
    const job = newJobId();
    await signed.putRows(tenantA, job, Buffer.from('[{"a":"ü"}]'));
    expect(Buffer.from((await files.rows(tenantA, job))!).toString()).toBe('[{"a":"ü"}]');
  });

  it('starts its run by a signed request, and starting again is no error', async () => {
    const input = { job_id: 'j', deadline: 'd', timeout_seconds: 3_600, pinned: true };
    await signed.start('j', input);
    expect(sent.at(-1)).toMatchObject({
      target: 'AWSStepFunctions.StartExecution',
      authorization: expect.stringMatching(/^AWS4-HMAC-SHA256 .*\/us-east-1\/states\/aws4_request/),
      body: { stateMachineArn, name: 'j', input: JSON.stringify(input) },
    });
    answer = { status: 400, body: '{"__type":"com.amazonaws#ExecutionAlreadyExists"}' };
    await signed.start('j', input);
    answer = { status: 400, body: '{"__type":"com.amazonaws#AccessDeniedException"}' };
    await expect(signed.start('j', input)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});
