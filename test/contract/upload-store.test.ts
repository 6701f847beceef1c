import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentClient, documentClients } from '../../src/adapters/aws/document-client.ts';
import { DynamoDbJobStore } from '../../src/adapters/aws/dynamodb-job-store.ts';
import { S3Objects, s3Clients } from '../../src/adapters/aws/s3-objects.ts';
import { StagingUploadStore } from '../../src/adapters/aws/staging-upload-store.ts';
import { ImportRequest } from '../../src/contracts/imports.ts';
import type { UploadId } from '../../src/contracts/names.ts';
import { DatasetService } from '../../src/data/dataset-service.ts';
import type { Upload, UploadStore } from '../../src/data/upload-store.ts';
import { itemKeys } from '../../src/tenancy/keys.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { newJobId } from '../support/samples.ts';
import { modelName, tenantA, tenantAb, tenantB } from '../support/tenants.ts';

let stores: LocalStores;
let uploads: UploadStore;
const folder = mkdtempSync(join(tmpdir(), 'tenantml-uploads-'));

beforeAll(async () => {
  stores = await startLocalStores();
  // As the deployed functions make it: a link must not carry the checksum of a body that is not there yet.
  const client = s3Clients(ownSessions, { requestChecksumCalculation: 'WHEN_REQUIRED' });
  const objects = new S3Objects(client, stores.names.StagingBucket);
  // Presigned links are valid from the real time on.
  uploads = new StagingUploadStore(documentClients(ownSessions), stores.names.JobsTable, objects, {
    nowMs: () => Date.now(),
  });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await stores?.stop();
});

const upload = (sizeBytes = 4): Upload => ({
  uploadId: newJobId() as string as UploadId,
  name: 'adult.csv',
  sizeBytes,
  format: 'csv',
  compression: 'none',
  delimiter: ';',
});

describe('UploadStore on the staging bucket', () => {
  it('takes a file of exactly the size that was said, by a link that needs no credentials', async () => {
    const one = upload(4);
    const put = await uploads.create(tenantA, one);
    expect(await uploads.arrivedBytes(tenantA, one)).toBeUndefined();
    const short = await fetch(put.url, { method: 'PUT', body: 'a\n1' });
    expect(short.status).toBe(403);
    const long = await fetch(put.url, { method: 'PUT', body: 'a\n1\n2' });
    expect(long.status).toBe(403);
    expect(await uploads.arrivedBytes(tenantA, one)).toBeUndefined();
    expect((await fetch(put.url, { method: 'PUT', body: 'a\n1\n' })).status).toBe(200);
    expect(await uploads.arrivedBytes(tenantA, one)).toBe(4);
    const target = join(folder, 'fetched');
    await uploads.fetch(tenantA, one, target);
    expect(readFileSync(target, 'utf8')).toBe('a\n1\n');
  });

  it('gives a link that cannot be turned to another key or another method', async () => {
    const one = upload();
    const put = await uploads.create(tenantA, one);
    const elsewhere = put.url.replace('tenants/aa/', 'tenants/aab/');
    expect(elsewhere).not.toBe(put.url);
    expect((await fetch(elsewhere, { method: 'PUT', body: 'a\n1\n' })).status).toBe(403);
    await fetch(put.url, { method: 'PUT', body: 'a\n1\n' });
    expect((await fetch(put.url)).status).toBe(403);
    expect((await fetch(put.url, { method: 'DELETE' })).status).toBe(403);
  });

  it('keeps the upload of a model with what is to be made of it, and reads it as it is', async () => {
    const { uploadId, sizeBytes } = upload(4);
    const one = {
      ...{ uploadId, sizeBytes },
      import: { ...ImportRequest.parse({ size_bytes: 4 }), model_name: modelName('m') },
    };
    const put = await uploads.create(tenantA, one);
    await expect(uploads.read(tenantA, one)).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
    await fetch(put.url, { method: 'PUT', body: 'a\n1\n' });
    expect(Buffer.from(await uploads.read(tenantA, one)).toString()).toBe('a\n1\n');
    expect(await uploads.get(tenantA, uploadId)).toEqual({ ...one, jobId: undefined });
    await expect(uploads.read(tenantB, one)).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
  });

  it('remembers how the file is to be read', async () => {
    const one = upload();
    await uploads.create(tenantA, one);
    expect(await uploads.get(tenantA, one.uploadId)).toEqual({ ...one, jobId: undefined });
    expect(await uploads.get(tenantA, upload().uploadId)).toBeUndefined();
  });

  it('gives an upload to one of twenty jobs that claim it at once, and to the same ever after', async () => {
    const one = upload();
    await uploads.create(tenantA, one);
    const owners = await Promise.all(
      Array.from({ length: 20 }, () => uploads.claim(tenantA, one.uploadId, newJobId())),
    );
    expect(new Set(owners).size).toBe(1);
    expect((await uploads.get(tenantA, one.uploadId))?.jobId).toBe(owners[0]);
    expect(await uploads.claim(tenantA, one.uploadId, newJobId())).toBe(owners[0]);
  });

  it('gives no upload that does not exist to a job', async () => {
    await expect(uploads.claim(tenantA, upload().uploadId, newJobId())).rejects.toMatchObject({
      code: 'UPLOAD_NOT_FOUND',
    });
  });

  it('shows and gives another tenant nothing', async () => {
    const one = upload();
    const put = await uploads.create(tenantA, one);
    await fetch(put.url, { method: 'PUT', body: 'a\n1\n' });
    for (const stranger of [tenantAb, tenantB]) {
      expect(await uploads.get(stranger, one.uploadId)).toBeUndefined();
      expect(await uploads.arrivedBytes(stranger, one)).toBeUndefined();
      await expect(uploads.fetch(stranger, one, join(folder, 'stolen'))).rejects.toMatchObject({
        code: 'UPLOAD_INCOMPLETE',
      });
      await expect(uploads.claim(stranger, one.uploadId, newJobId())).rejects.toMatchObject({
        code: 'UPLOAD_NOT_FOUND',
      });
      await uploads.discard(stranger, one);
    }
    expect(await uploads.arrivedBytes(tenantA, one)).toBe(4);
    expect((await uploads.get(tenantA, one.uploadId))?.jobId).toBeUndefined();
  });

  it('discards a file, and does nothing the second time', async () => {
    const one = upload();
    const put = await uploads.create(tenantA, one);
    await fetch(put.url, { method: 'PUT', body: 'a\n1\n' });
    await uploads.discard(tenantA, one);
    await uploads.discard(tenantA, one);
    expect(await uploads.arrivedBytes(tenantA, one)).toBeUndefined();
  });
});

describe('the links of the deployment', () => {
  it('have no checksum of the empty body that there is when they are signed', async () => {
    process.env.STAGING_BUCKET = stores.names.StagingBucket;
    process.env.JOBS_TABLE = stores.names.JobsTable;
    const { uploadStore } = await import('../../src/composition/stores.ts');
    const put = await uploadStore().create(tenantA, upload());
    const names = [...new URL(put.url).searchParams.keys()].map((name) => name.toLowerCase());
    expect(names).toContain('x-amz-signature');
    expect(names.filter((name) => name.includes('checksum'))).toEqual([]);
  });
});

describe('completing an upload', () => {
  async function arrived() {
    const jobs = new DynamoDbJobStore(documentClients(ownSessions), stores.names.JobsTable, {
      nowMs: () => Date.now(),
    });
    const started: string[] = [];
    const service = new DatasetService({
      ...{ uploads, jobs, clock: { nowMs: () => Date.now() }, ingestTimeoutMinutes: 5 },
      executions: { start: async (jobId) => void started.push(jobId), stop: async () => undefined },
      newId: () => newJobId(),
      datasets: undefined as never,
      openEngine: () => Promise.reject(new Error('completing opens no engine')),
    });
    const one = upload();
    await fetch((await uploads.create(tenantA, one)).url, { method: 'PUT', body: 'a\n1\n' });
    return { jobs, started, service, one };
  }

  it('makes one job of ten calls at once, and answers each with it', async () => {
    const { jobs, started, service, one } = await arrived();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => service.complete(tenantA, one.uploadId)),
    );
    expect(new Set(answers).size).toBe(1);
    expect(new Set(started)).toEqual(new Set(answers));
    expect(await jobs.get(tenantA, answers[0]!)).toMatchObject({ kind: 'ingest', upload_id: one.uploadId });
    const ofUpload = (await jobs.list(tenantA, { limit: 100 })).items.filter(
      ({ upload_id }) => upload_id === one.uploadId,
    );
    expect(ofUpload).toHaveLength(1);
  });

  it('goes on after a call that ended when the upload had its job and the job its owner only', async () => {
    const { jobs, started, service, one } = await arrived();
    const jobId = await uploads.claim(tenantA, one.uploadId, newJobId());
    const Item = { ...itemKeys.jobOwner(jobId), tenant: 'aa', subject: tenantA.actor };
    await documentClient().send(new PutCommand({ TableName: stores.names.JobsTable, Item }));
    expect(await service.complete(tenantA, one.uploadId)).toBe(jobId);
    expect(started).toEqual([jobId]);
    expect(await jobs.get(tenantA, jobId)).toMatchObject({ status: 'queued', kind: 'ingest' });
  });
});
