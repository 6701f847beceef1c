import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentClient, documentClients } from '../../src/adapters/aws/document-client.ts';
import { DynamoDbServingPointers } from '../../src/adapters/aws/dynamodb-serving-pointers.ts';
import { ensurePredictionIdKey } from '../../src/adapters/aws/prediction-id-key.ts';
import { S3Objects, s3Clients } from '../../src/adapters/aws/s3-objects.ts';
import { SignedObjects } from '../../src/adapters/aws/signed-objects.ts';
import { SignedServingStore } from '../../src/adapters/aws/signed-serving-store.ts';
import { SignedTable } from '../../src/adapters/aws/signed-table.ts';
import { SigningKeyChangedError, SigningKeys } from '../../src/adapters/aws/signing-keys.ts';
import type { ServingPointer } from '../../src/serving/serving-pointer.ts';
import type { ServingStore } from '../../src/serving/serving-store.ts';
import { objectKeys } from '../../src/tenancy/keys.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { hex } from '../support/samples.ts';
import { signingKey } from '../support/signing.ts';
import { modelName, tenantA, tenantAb, tenantB } from '../support/tenants.ts';

let stores: LocalStores;
let pointers: DynamoDbServingPointers;
let reader: ServingStore;
let objects: S3Objects;

const region = 'us-east-1';
const signedStore = ({ table = stores.names.ServingTable, bucket = stores.names.ArtifactBucket } = {}) =>
  new SignedServingStore(
    new SignedTable({ region, sessions: ownSessions, table, endpoint: stores.endpoints.dynamodb }),
    new SignedObjects({ region, sessions: ownSessions, bucket, endpoint: stores.endpoints.s3 }),
  );

beforeAll(async () => {
  stores = await startLocalStores();
  pointers = new DynamoDbServingPointers(documentClients(ownSessions), stores.names.ServingTable);
  reader = signedStore();
  objects = new S3Objects(s3Clients(ownSessions), stores.names.ArtifactBucket);
});
afterAll(() => stores?.stop());

const pointerAt = (tenant: TenantContext, name: string, revision: number): ServingPointer => ({
  model_name: modelName(name),
  version: `1.${revision}.0`,
  artifact_key: objectKeys.modelFile(tenant, modelName(name), `build-${revision}`, 'model.onnx'),
  artifact_sha256: hex('1'),
  artifact_bytes: 123_456_789,
  manifest_key: objectKeys.modelFile(tenant, modelName(name), `build-${revision}`, 'manifest.json'),
  manifest_sha256: hex('2'),
  revision,
});

describe('ServingPointers on DynamoDB, read by the signed client', () => {
  it('is read back as it was written', async () => {
    const pointer = pointerAt(tenantA, 'income', 1);
    expect(await pointers.write(tenantA, pointer)).toBe(true);
    expect(await reader.pointer(tenantA, modelName('income'))).toEqual(pointer);
  });

  it('carries a signature, a canary, a shadow and settings', async () => {
    const signature = { key_id: 'key-1', algorithm: 'ECDSA_SHA_256', signature: 'AA==' } as const;
    const { model_name: _, revision: __, ...variant } = { ...pointerAt(tenantA, 'split', 1), signature };
    const pointer: ServingPointer = {
      ...pointerAt(tenantA, 'split', 2),
      canary: { ...variant, weight: 0.25 },
      shadow: variant,
      signature,
      settings: { log: 'durable', log_features: 'hash' },
    };
    await pointers.write(tenantA, pointer);
    expect(await reader.pointer(tenantA, modelName('split'))).toEqual(pointer);
    expect(await pointers.read(tenantA, modelName('split'))).toEqual(pointer);
  });

  it('is read by the SDK as by the signed client, absences included', async () => {
    const model = modelName('both');
    await pointers.write(tenantA, pointerAt(tenantA, 'both', 1));
    expect(await pointers.read(tenantA, model)).toEqual(await reader.pointer(tenantA, model));
    for (const stranger of [tenantAb, tenantB]) expect(await pointers.read(stranger, model)).toBeUndefined();
    await pointers.write(tenantA, { model_name: model, revision: 2, withdrawn: true });
    expect(await pointers.read(tenantA, model)).toBeUndefined();
    expect(await pointers.read(tenantA, modelName('never'))).toBeUndefined();
  });

  it('is absent where nothing was deployed, and for every other tenant', async () => {
    await pointers.write(tenantA, pointerAt(tenantA, 'private', 1));
    expect(await reader.pointer(tenantA, modelName('never'))).toBeUndefined();
    expect(await reader.pointer(tenantAb, modelName('private'))).toBeUndefined();
    expect(await reader.pointer(tenantB, modelName('private'))).toBeUndefined();
  });

  it('keeps the pointers of equal model names of two tenants apart', async () => {
    await pointers.write(tenantA, pointerAt(tenantA, 'shared', 5));
    expect(await pointers.write(tenantAb, pointerAt(tenantAb, 'shared', 1))).toBe(true);
    expect((await reader.pointer(tenantA, modelName('shared')))?.revision).toBe(5);
    expect((await reader.pointer(tenantAb, modelName('shared')))?.revision).toBe(1);
  });

  it('does not take the model `in` for `income`', async () => {
    await pointers.write(tenantA, pointerAt(tenantA, 'prefix-long', 1));
    expect(await reader.pointer(tenantA, modelName('prefix'))).toBeUndefined();
  });

  it('refuses an older and an equal revision', async () => {
    const model = 'ordered';
    expect(await pointers.write(tenantA, pointerAt(tenantA, model, 2))).toBe(true);
    expect(await pointers.write(tenantA, pointerAt(tenantA, model, 1))).toBe(false);
    expect(await pointers.write(tenantA, { ...pointerAt(tenantA, model, 2), version: '9.9.9' })).toBe(false);
    expect((await reader.pointer(tenantA, modelName(model)))?.version).toBe('1.2.0');
    // As text, "10" would come before "2".
    expect(await pointers.write(tenantA, pointerAt(tenantA, model, 10))).toBe(true);
    expect(await pointers.write(tenantA, pointerAt(tenantA, model, 9))).toBe(false);
  });

  it('serves nothing after a withdrawal, which an older deployment cannot undo and a newer one can', async () => {
    const model = modelName('withdrawn');
    await pointers.write(tenantA, pointerAt(tenantA, 'withdrawn', 1));
    expect(await pointers.write(tenantA, { model_name: model, revision: 3, withdrawn: true })).toBe(true);
    expect(await reader.pointer(tenantA, model)).toBeUndefined();
    expect(await pointers.write(tenantA, pointerAt(tenantA, 'withdrawn', 2))).toBe(false);
    expect(await reader.pointer(tenantA, model)).toBeUndefined();
    expect(await pointers.write(tenantA, pointerAt(tenantA, 'withdrawn', 4))).toBe(true);
    expect((await reader.pointer(tenantA, model))?.version).toBe('1.4.0');
  });

  it('ends at the newest of twenty revisions written at once in any order', async () => {
    const revisions = [7, 3, 20, 1, 12, 5, 19, 2, 18, 4, 11, 6, 17, 8, 10, 9, 16, 13, 15, 14];
    await Promise.all(revisions.map((r) => pointers.write(tenantA, pointerAt(tenantA, 'raced', r))));
    expect((await reader.pointer(tenantA, modelName('raced')))?.revision).toBe(20);
  });
});

describe('ServingStore: artifacts by the signed client', () => {
  const key = (tenant: TenantContext) =>
    objectKeys.modelFile(tenant, modelName('income'), '20260131T120000Z-1a2b3c4d-ab12cd', 'model.onnx');

  it('reads bytes as they are stored', async () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 256);
    await objects.putBytes(tenantA, key(tenantA), bytes);
    expect(Buffer.compare((await reader.artifact(tenantA, key(tenantA)))!, bytes)).toBe(0);
  });

  it('finds nothing where nothing is', async () => {
    expect(await reader.artifact(tenantB, key(tenantB))).toBeUndefined();
  });

  it.each([
    ['the key of another tenant', () => key(tenantAb)],
    ['a key that climbs out', () => `tenants/aa/../aab/models/x`],
    ['a key that only begins with the name of the tenant', () => 'tenants/aab/models/x'],
    ['a key of no tenant', () => 'platform/secret'],
  ])('refuses %s before it asks S3', async (_, foreign) => {
    await expect(reader.artifact(tenantA, foreign())).rejects.toThrow('leads out of its tenant');
  });

  it('says that a bucket or a table is missing as a failure, not as absence', async () => {
    await expect(
      signedStore({ bucket: 'no-such-bucket' }).artifact(tenantA, key(tenantA)),
    ).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
    await expect(
      signedStore({ table: 'no-such-table' }).pointer(tenantA, modelName('x')),
    ).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

describe('the key of prediction ids', () => {
  it('is missing until the migration makes it, and made once for ever', async () => {
    await expect(reader.predictionIdKey()).rejects.toThrow('run the migration');
    await Promise.all(
      Array.from({ length: 5 }, () => ensurePredictionIdKey(documentClient(), stores.names.ServingTable)),
    );
    const made = await reader.predictionIdKey();
    expect(made).toHaveLength(32);
    await ensurePredictionIdKey(documentClient(), stores.names.ServingTable);
    expect(Buffer.compare(await reader.predictionIdKey(), made)).toBe(0);
  });
});

describe('the keys that sign manifests', () => {
  const keys = () => new SigningKeys(documentClient(), stores.names.ServingTable);

  it('are read by the signed client as they were published, however often that is', async () => {
    const [first, second] = [signingKey('key-1'), signingKey('key-2')];
    for (const key of [first, second, first]) await keys().publish(key);
    for (const { keyId, publicKey } of [first, second]) {
      expect(Buffer.from((await signedStore().publicKey(keyId))!)).toEqual(publicKey);
      expect(Buffer.from((await keys().publicKey(keyId))!)).toEqual(publicKey);
    }
    expect(await signedStore().publicKey('key-3')).toBeUndefined();
  });

  it('are never replaced under the same id', async () => {
    const key = signingKey('key-4');
    await keys().publish(key);
    await expect(keys().publish(signingKey('key-4'))).rejects.toThrow(SigningKeyChangedError);
    expect(Buffer.from((await keys().publicKey('key-4'))!)).toEqual(key.publicKey);
  });
});
