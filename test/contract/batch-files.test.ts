import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3BatchFiles } from '../../src/adapters/aws/s3-batch-files.ts';
import { S3Objects, s3Clients } from '../../src/adapters/aws/s3-objects.ts';
import { S3VersionFiles } from '../../src/adapters/aws/s3-version-files.ts';
import type { BatchFiles, ResultManifest } from '../../src/serving/batch/batch-files.ts';
import { objectKeys } from '../../src/tenancy/keys.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { hex, newJobId } from '../support/samples.ts';
import { modelName, tenantA, tenantAb, tenantB } from '../support/tenants.ts';

const folder = mkdtempSync(join(tmpdir(), 'tenantml-batch-files-'));
let stores: LocalStores;
let artifacts: S3Objects;
let files: BatchFiles;

beforeAll(async () => {
  stores = await startLocalStores();
  const client = s3Clients(ownSessions);
  artifacts = new S3Objects(client, stores.names.ArtifactBucket);
  files = new S3BatchFiles(
    {
      staging: () => new S3Objects(client, stores.names.StagingBucket),
      results: () => new S3Objects(client, stores.names.ResultBucket),
    },
    { nowMs: () => Date.now() },
  );
});
afterAll(async () => {
  await stores?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const fileOf = (text: string): string => {
  const file = join(folder, 'file');
  writeFileSync(file, text);
  return file;
};

describe('BatchFiles on S3', () => {
  it('finds a part by its rows, and for its own tenant and job only', async () => {
    const job = newJobId();
    const range = { from: 100, count: 50 };
    expect(await files.hasPart(tenantA, job, range)).toBe(false);
    await files.putPart(tenantA, job, range, fileOf('part'));
    expect(await files.hasPart(tenantA, job, range)).toBe(true);
    expect(await files.hasPart(tenantA, job, { from: 100, count: 5 })).toBe(false);
    expect(await files.hasPart(tenantA, newJobId(), range)).toBe(false);
    const to = join(folder, 'fetched');
    for (const stranger of [tenantAb, tenantB]) {
      expect(await files.hasPart(stranger, job, range)).toBe(false);
      expect(await files.fetchPart(stranger, job, range, to)).toBe(false);
    }
    expect(await files.fetchPart(tenantA, job, range, to)).toBe(true);
    expect(readFileSync(to, 'utf8')).toBe('part');
  });

  it('gives back rows as they were left', async () => {
    const job = newJobId();
    expect(await files.rows(tenantA, job)).toBeUndefined();
    await files.putRows(tenantA, job, Buffer.from('[{"a":"ü"}]'));
    expect(Buffer.from((await files.rows(tenantA, job))!).toString()).toBe('[{"a":"ü"}]');
    expect(await files.rows(tenantAb, job)).toBeUndefined();
  });

  it('links to a result, under the name of its job, and to nothing else', async () => {
    const manifest: ResultManifest = {
      ...{ job_id: newJobId(), model_name: 'income', model_version: '1.0.0', artifact_sha256: hex('1') },
      ...{ kept_until: '2026-03-02T12:00:00.000Z', format: 'csv', bytes: 6, sha256: hex('2') },
      ...{ n_rows: 1, n_failed_rows: 0 },
    };
    const { job_id } = manifest;
    expect(await files.result(tenantA, job_id)).toBeUndefined();
    await files.putResult(tenantA, manifest, fileOf('a\n1\n\n\n'));
    expect(await files.result(tenantA, job_id)).toEqual(manifest);
    expect(await files.result(tenantAb, job_id)).toBeUndefined();
    const { url, expiresAtMs } = await files.link(tenantA, job_id, 'csv');
    const response = await fetch(url);
    expect(await response.text()).toBe('a\n1\n\n\n');
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="${job_id}.csv"`);
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(expiresAtMs - Date.now()).toBeLessThanOrEqual(15 * 60_000);
    expect((await fetch(url.replace('result.csv', 'manifest.json'))).status).toBe(403);
  });
});

describe('VersionFiles on S3', () => {
  it('reads what lies under its own tenant, and refuses every other key', async () => {
    const versions = new S3VersionFiles(() => artifacts);
    const key = objectKeys.modelFile(tenantA, modelName('m'), 'b', 'model.onnx');
    expect(await versions.bytes(tenantA, key)).toBeUndefined();
    await artifacts.putBytes(tenantA, key, Buffer.from('graph'));
    expect(Buffer.from((await versions.bytes(tenantA, key))!).toString()).toBe('graph');
    for (const stranger of [tenantAb, tenantB]) {
      await expect(versions.bytes(stranger, key)).rejects.toThrow('leads out of its tenant');
    }
  });
});
