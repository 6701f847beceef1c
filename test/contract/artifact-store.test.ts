import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3ArtifactStore } from '../../src/adapters/aws/s3-artifact-store.ts';
import { S3Objects, s3Clients } from '../../src/adapters/aws/s3-objects.ts';
import { StagingWorkFiles } from '../../src/adapters/aws/staging-work-files.ts';
import { objectKeys } from '../../src/tenancy/keys.ts';
import type { ArtifactStore } from '../../src/training/artifact-store.ts';
import { WorkFileDamagedError, type WorkFiles } from '../../src/training/work-files.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { newJobId, sampleManifest } from '../support/samples.ts';
import { signaturesBy, signingKey } from '../support/signing.ts';
import { tenantA, tenantAb, tenantB } from '../support/tenants.ts';

const key = signingKey();
let stores: LocalStores;
let objects: S3Objects;
let staging: S3Objects;
let artifacts: ArtifactStore;
let workFiles: WorkFiles;

beforeAll(async () => {
  stores = await startLocalStores();
  objects = new S3Objects(s3Clients(ownSessions), stores.names.ArtifactBucket);
  staging = new S3Objects(s3Clients(ownSessions), stores.names.StagingBucket);
  artifacts = new S3ArtifactStore(objects, { nowMs: () => Date.now() }, key);
  workFiles = new StagingWorkFiles(staging);
});
afterAll(() => stores?.stop());

const graph = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7) % 256);

describe('ArtifactStore on S3', () => {
  it('gives back the manifest with the hash of its own bytes', async () => {
    const manifest = sampleManifest();
    const stored = await artifacts.put(tenantA, manifest, graph);
    const found = await artifacts.manifest(tenantA, manifest.model_name, manifest.build_id);
    expect(found).toEqual({ ...stored, manifest });
    const bytes = await objects.getBytes(tenantA, stored.manifestKey);
    expect(createHash('sha256').update(bytes!).digest('hex')).toBe(stored.manifestSha256);
    expect(Buffer.compare((await objects.getBytes(tenantA, stored.artifactKey))!, graph)).toBe(0);
  });

  it('writes the same build again as the same bytes, under another signature that holds as well', async () => {
    const manifest = sampleManifest();
    const { signature: first, ...stored } = await artifacts.put(tenantA, manifest, graph);
    const { signature: second, ...again } = await artifacts.put(tenantA, manifest, graph);
    expect(again).toEqual(stored);
    for (const signature of [first!, second!]) {
      const check = await signaturesBy([key]).checkOf('aa', manifest.model_name, {
        ...{ version: '1.0.0', manifest_sha256: stored.manifestSha256, signature },
        artifact_sha256: manifest.artifact.sha256,
      });
      expect(() => check(manifest)).not.toThrow();
    }
  });

  it('reads a build from before builds were signed, and says that it has no signature', async () => {
    const manifest = sampleManifest();
    const { signature: _, ...stored } = await artifacts.put(tenantA, manifest, graph);
    await objects.delete(
      tenantA,
      objectKeys.modelFile(tenantA, manifest.model_name, manifest.build_id, 'manifest.sig'),
    );
    const found = await artifacts.manifest(tenantA, manifest.model_name, manifest.build_id);
    expect(found).toEqual({ ...stored, manifest });
  });

  it('knows no build whose manifest is missing, although its graph is there', async () => {
    const manifest = sampleManifest();
    const key = objectKeys.modelFile(tenantA, manifest.model_name, manifest.build_id, 'model.onnx');
    await objects.putBytes(tenantA, key, graph);
    expect(await artifacts.manifest(tenantA, manifest.model_name, manifest.build_id)).toBeUndefined();
  });

  it('gives links that download the graph under the name of the model, and the manifest as it was signed', async () => {
    const manifest = sampleManifest();
    const { manifestSha256 } = await artifacts.put(tenantA, manifest, graph);
    const { url, manifestUrl, expiresAtMs } = await artifacts.link(
      tenantA,
      manifest.model_name,
      manifest.build_id,
    );
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="income.onnx"');
    expect(Buffer.compare(await response.bytes(), graph)).toBe(0);
    expect(expiresAtMs - Date.now()).toBeLessThanOrEqual(15 * 60_000);
    expect((await fetch(url.replace('model.onnx', 'manifest.json'))).status).toBe(403);
    const text = await (await fetch(manifestUrl)).text();
    expect(createHash('sha256').update(text).digest('hex')).toBe(manifestSha256);
  });

  it('removes a build, twice without harm, and another tenant removes nothing', async () => {
    const manifest = sampleManifest();
    await artifacts.put(tenantA, manifest, graph);
    for (const stranger of [tenantAb, tenantB]) {
      expect(await artifacts.manifest(stranger, manifest.model_name, manifest.build_id)).toBeUndefined();
      await artifacts.remove(stranger, manifest.model_name, manifest.build_id);
    }
    expect(await artifacts.manifest(tenantA, manifest.model_name, manifest.build_id)).toBeDefined();
    await artifacts.remove(tenantA, manifest.model_name, manifest.build_id);
    await artifacts.remove(tenantA, manifest.model_name, manifest.build_id);
    expect(await artifacts.manifest(tenantA, manifest.model_name, manifest.build_id)).toBeUndefined();
    const { url } = await artifacts.link(tenantA, manifest.model_name, manifest.build_id);
    expect((await fetch(url)).status).toBe(404);
  });
});

describe('WorkFiles on the staging bucket', () => {
  it('gives back the bytes that the reference names', async () => {
    const job = newJobId();
    const ref = await workFiles.put(tenantA, job, 'split.bin', graph);
    expect(ref).toMatchObject({ file: 'split.bin', bytes: 10_000 });
    expect(Buffer.compare(await workFiles.get(tenantA, job, ref), graph)).toBe(0);
  });

  it('refuses a file that has changed since, and one that is gone', async () => {
    const job = newJobId();
    const ref = await workFiles.put(tenantA, job, 'model.json', Buffer.from('{}'));
    await staging.putBytes(tenantA, objectKeys.jobFile(tenantA, job, 'model.json', ref.sha256), '{"x":1}');
    await expect(workFiles.get(tenantA, job, ref)).rejects.toThrow(WorkFileDamagedError);
    await expect(workFiles.get(tenantA, newJobId(), ref)).rejects.toThrow(WorkFileDamagedError);
  });

  it('keeps what a reference names when a late writer writes the same file anew', async () => {
    const job = newJobId();
    const ref = await workFiles.put(tenantA, job, 'checkpoint.json', Buffer.from('[1]'));
    await workFiles.put(tenantA, job, 'checkpoint.json', Buffer.from('[2]'));
    expect(Buffer.from(await workFiles.get(tenantA, job, ref)).toString()).toBe('[1]');
  });

  it('gives another tenant nothing, and keeps what another tenant writes apart', async () => {
    const job = newJobId();
    const ref = await workFiles.put(tenantA, job, 'model.json', Buffer.from('mine'));
    for (const stranger of [tenantAb, tenantB]) {
      await expect(workFiles.get(stranger, job, ref)).rejects.toThrow(WorkFileDamagedError);
      await workFiles.put(stranger, job, 'model.json', Buffer.from('theirs'));
    }
    expect(Buffer.from(await workFiles.get(tenantA, job, ref)).toString()).toBe('mine');
  });
});
