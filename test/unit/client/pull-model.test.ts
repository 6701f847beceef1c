import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderServingStore } from '../../../src/adapters/folder/folder-serving-store.ts';
import { FolderSignatures } from '../../../src/adapters/folder/folder-signatures.ts';
import type { HttpClient } from '../../../src/client/http-client.ts';
import { pullModel } from '../../../src/client/pull-model.ts';
import { signingKey } from '../../support/signing.ts';
import { modelName, tenantNamed } from '../../support/tenants.ts';

const bytes = Buffer.from('the bytes of a graph');
let folder: string;
let version: string;
let sha256: string;

const key = signingKey();
/** What the platform signs with, and for whom. */
let signer: ReturnType<typeof signingKey> | undefined;
let owner: string;
let name: string;

const manifestOf = (v: string) =>
  Buffer.from(JSON.stringify({ build_id: `b-${v}`, features: [], artifact: { sha256: digest(bytes) } }));
const digest = (of: Uint8Array) => createHash('sha256').update(of).digest('hex');
const dataUrl = (of: Buffer) => `data:application/octet-stream;base64,${of.toString('base64')}`;

/** The platform, with one model whose files lie in their addresses. */
const platform = {
  async call(operation: string) {
    if (operation === 'getModelMetadata') return { version };
    const manifest = manifestOf(version);
    const statement = { tenantId: 'acme', modelName: name, buildId: `b-${version}` };
    const signature = signer && {
      ...signer.signed({ ...statement, manifestSha256: digest(manifest) }),
      ...{ tenant: owner, build_id: `b-${version}`, public_key: signer.publicKey.toString('base64') },
    };
    return {
      ...{ url: dataUrl(bytes), sha256 },
      ...{ manifest_url: dataUrl(manifest), manifest_sha256: digest(manifest), signature },
    };
  },
} as unknown as HttpClient;
const pull = () => pullModel(platform, 'risk', folder);
const at = (...parts: string[]) => join(folder, 'risk', ...parts);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenantml-pull-'));
  version = '1.0.0';
  [signer, owner, name] = [undefined, 'acme', 'risk'];
  sha256 = createHash('sha256').update(bytes).digest('hex');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('lays a version where the model server looks for it, and its name last', async () => {
  expect(await pull()).toEqual({ model: 'risk', version: '1.0.0', isNew: true });
  expect(readFileSync(at('1.0.0', 'model.onnx'))).toEqual(bytes);
  expect(readFileSync(at('champion'), 'utf8')).toBe('1.0.0\n');
  expect(await pull()).toMatchObject({ isNew: false });
});

it('leaves whole versions and nothing else when many pull at once', async () => {
  await pull();
  version = '1.1.0';
  const pulled = await Promise.all(Array.from({ length: 20 }, pull));
  expect(pulled.every((one) => one.version === '1.1.0')).toBe(true);
  expect(readdirSync(folder)).toEqual(['risk']);
  expect(readdirSync(at()).sort()).toEqual(['1.0.0', '1.1.0', 'champion']);
  expect(readdirSync(at('1.1.0')).sort()).toEqual(['manifest.json', 'model.onnx']);
  expect(readFileSync(at('champion'), 'utf8')).toBe('1.1.0\n');
});

it('replaces what an interrupted copy has left', async () => {
  mkdirSync(at('1.0.0'), { recursive: true });
  writeFileSync(at('1.0.0', 'model.onnx'), 'half');
  expect(await pull()).toMatchObject({ isNew: true });
  expect(readFileSync(at('1.0.0', 'model.onnx'))).toEqual(bytes);
});

it('keeps nothing of an artifact that is not the registered one', async () => {
  sha256 = createHash('sha256').update('another').digest('hex');
  await expect(pull()).rejects.toMatchObject({ code: 'ARTIFACT_DAMAGED' });
  expect(readdirSync(folder)).toEqual([]);
});

describe('a signed version', () => {
  beforeEach(() => {
    signer = key;
  });

  it('is kept with its signature, byte for byte, and with the key of the first pull', async () => {
    await pull();
    expect(readFileSync(at('1.0.0', 'manifest.json'))).toEqual(manifestOf('1.0.0'));
    expect(JSON.parse(readFileSync(at('1.0.0', 'signature.json'), 'utf8'))).toMatchObject({
      key_id: 'key-1',
    });
    expect(JSON.parse(readFileSync(join(folder, 'signing-keys.json'), 'utf8'))).toEqual({
      ...{ tenant: 'acme', keys: { 'key-1': key.publicKey.toString('base64') } },
    });
    expect(await pull()).toMatchObject({ isNew: false });
  });

  it('takes the place of the same version from before versions were signed', async () => {
    signer = undefined;
    await pull();
    expect(await pull()).toMatchObject({ isNew: false });
    signer = key;
    expect(await pull()).toMatchObject({ isNew: true });
    expect(readdirSync(at('1.0.0')).sort()).toEqual(['manifest.json', 'model.onnx', 'signature.json']);
  });

  it.each([
    ['another key under the same id', () => (signer = signingKey('key-1')), /remove .*signing-keys\.json/],
    ['a key of another id', () => (signer = signingKey('key-2')), /remove .*signing-keys\.json/],
    ['another tenant', () => (owner = 'other'), /pull models of other elsewhere/],
    ['no signature', () => (signer = undefined), /carries no signature/],
    ['the signature of another model', () => (name = 'other'), /not one of the manifest/],
  ])('is not taken with %s once a key is known', async (_, change, message) => {
    await pull();
    version = '1.1.0';
    change();
    await expect(pull()).rejects.toThrow(message);
    expect(readFileSync(at('champion'), 'utf8')).toBe('1.0.0\n');
    expect(readdirSync(at()).sort()).toEqual(['1.0.0', 'champion']);
  });

  it('is verified again when the server loads it', async () => {
    await pull();
    const store = new FolderServingStore(folder, 'local');
    const signatures = new FolderSignatures(store);
    const checked = async () => {
      const pointer = (await store.pointer(tenantNamed('local'), modelName('risk')))!;
      const check = await signatures.checkOf('local', modelName('risk'), pointer);
      check(JSON.parse(readFileSync(join(folder, pointer.manifest_key), 'utf8')));
    };
    await checked();
    writeFileSync(at('1.0.0', 'manifest.json'), `${manifestOf('1.0.0').toString()} `);
    await expect(checked()).rejects.toMatchObject({ code: 'ARTIFACT_SIGNATURE_INVALID' });
    for (const text of ['not JSON', '{}', '{"key_id":"key-1","algorithm":"ECDSA_SHA_256"}']) {
      writeFileSync(at('1.0.0', 'signature.json'), text);
      await expect(checked()).rejects.toMatchObject({ code: 'ARTIFACT_SIGNATURE_INVALID' });
    }
    rmSync(at('1.0.0', 'signature.json'));
    await expect(checked()).rejects.toThrow(/pull it again with tenantml serve risk/);
    // A folder that was filled by hand has no keys.
    rmSync(join(folder, 'signing-keys.json'));
    await checked();
  });
});
