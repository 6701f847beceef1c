import { describe, expect, it } from 'vitest';
import { OnnxruntimeExecutor } from '../../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { type ManifestStatement, manifestStatement } from '../../../src/contracts/manifest-statement.ts';
import { nativeInput } from '../../../src/serving/dialects/native.ts';
import { SignedManifests } from '../../../src/serving/manifest-signatures.ts';
import { ModelCache } from '../../../src/serving/model-cache.ts';
import { Predictor, type Resident } from '../../../src/serving/predictor.ts';
import type { ArtifactRefusedError } from '../../../src/serving/served-model.ts';
import type { ServingPointer } from '../../../src/serving/serving-pointer.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { built, MemoryServingStore, sha256 } from '../../support/serving-samples.ts';
import { signaturesBy, signingKey } from '../../support/signing.ts';
import { modelName, tenantA, tenantB } from '../../support/tenants.ts';

const key = signingKey();
const other = signingKey('key-2');
const model = modelName('income');
const manifest = { build_id: 'b1', artifact: { format: 'onnx', sha256: 'a'.repeat(64), bytes: 1 } } as const;
const statement: ManifestStatement = {
  ...{ tenantId: 'aa', modelName: 'income', buildId: 'b1', manifestSha256: 'c'.repeat(64) },
};
const version = {
  ...{ version: '1.0.0', artifact_sha256: 'a'.repeat(64), manifest_sha256: 'c'.repeat(64) },
  signature: key.signed(statement),
};

describe('what is signed', () => {
  it('is five lines that anybody can write down', () => {
    const lines = ['tenantml manifest v1', 'aa', 'income', 'b1', 'c'.repeat(64)];
    expect(manifestStatement(statement).toString()).toBe(lines.join('\n'));
  });
});

describe('a signature', () => {
  it('holds for its tenant, model, build and manifest', async () => {
    const check = await signaturesBy([key]).checkOf('aa', model, version);
    expect(() => check(manifest)).not.toThrow();
  });

  it.each([
    ['another tenant', { tenantId: 'bb' }],
    ['another model', { modelName: 'outcome' }],
    ['another build', { buildId: 'b2' }],
    ['another manifest', { manifestSha256: 'd'.repeat(64) }],
  ])('does not hold for %s', async (_, change) => {
    const signed = { ...version, signature: key.signed({ ...statement, ...change }) };
    const check = await signaturesBy([key]).checkOf('aa', model, signed);
    expect(() => check(manifest)).toThrow(expect.objectContaining({ code: 'ARTIFACT_SIGNATURE_INVALID' }));
  });

  it('of another key does not hold, whatever key it says it is of', async () => {
    const forged = { ...version, signature: { ...other.signed(statement), key_id: key.keyId } };
    const check = await signaturesBy([key, other]).checkOf('aa', model, forged);
    expect(() => check(manifest)).toThrow(/not one of its manifest/);
  });

  it('that is no signature at all is refused, not failed on', async () => {
    for (const text of ['', 'AA==', 'not base64', 'A'.repeat(10_000)]) {
      const check = await signaturesBy([key]).checkOf('aa', model, {
        ...{ ...version, signature: { ...version.signature, signature: text } },
      });
      expect(() => check(manifest)).toThrow(/not one of its manifest/);
    }
  });

  it('of a key that was changed since still holds beside those of the new one', async () => {
    for (const signer of [key, other]) {
      const signed = { ...version, signature: signer.signed(statement) };
      const check = await signaturesBy([key, other]).checkOf('aa', model, signed);
      expect(() => check(manifest)).not.toThrow();
    }
  });

  it('of a key that nobody published names the key and the remedy', async () => {
    const signed = { ...version, signature: other.signed(statement) };
    await expect(signaturesBy([key]).checkOf('aa', model, signed)).rejects.toThrow(/key-2.*deploy again/);
  });

  it('asks for a key once, and never for what cannot be the id of one', async () => {
    const asked: string[] = [];
    const signatures = new SignedManifests({
      publicKey: async (id) => {
        asked.push(id);
        return id === key.keyId ? key.publicKey : undefined;
      },
    });
    for (let i = 0; i < 3; i++) await signatures.checkOf('aa', model, version);
    const odd = { ...version, signature: { ...version.signature, key_id: 'x/../prediction-id-key' } };
    await expect(signatures.checkOf('aa', model, odd)).rejects.toThrow(/not known here/);
    expect(asked).toEqual(['key-1']);
  });

  it('binds the graph by the hash that the manifest has of it', async () => {
    const swapped = { ...version, artifact_sha256: 'b'.repeat(64) };
    const check = await signaturesBy([key]).checkOf('aa', model, swapped);
    expect(() => check(manifest)).toThrow(expect.objectContaining({ code: 'ARTIFACT_DAMAGED' }));
  });

  it('is missed in a version that was made before, unless the stage lets such versions pass', async () => {
    const { signature: _, ...unsigned } = version;
    await expect(signaturesBy([key]).checkOf('aa', model, unsigned)).rejects.toThrow(/unsignedModels/);
    const check = await signaturesBy([key], 'allow').checkOf('aa', model, unsigned);
    expect(() => check(manifest)).not.toThrow();
  });
});

describe('the predictor', () => {
  const classifier = built('text', 1);
  const retrained = built('text', 2);

  function serving() {
    const store = new MemoryServingStore();
    const clock = new ManualClock();
    const refused: ArtifactRefusedError[] = [];
    const predictor = new Predictor({
      ...{ store, clock, executor: new OnnxruntimeExecutor(), signatures: signaturesBy([key]) },
      cache: new ModelCache<Resident>({ budgetBytes: 64 * 1024 * 1024, maxModels: 10 }, clock),
      onRefused: (error) => refused.push(error),
    });
    const predict = (name = 'income', tenant = tenantA) =>
      predictor.predict(tenant, modelName(name), nativeInput({ input_data: { small: 1 } }).read);
    /** Deploys with a signature of its own. */
    const deploy = (name: string, what = classifier, more: Partial<ServingPointer> = {}) => {
      const made = { ...what, manifest: { ...what.manifest, artifact: graphOf(what.graph) } };
      const bytes = Buffer.from(JSON.stringify(made.manifest));
      const signature = key.signed({
        ...{ tenantId: 'aa', modelName: name, buildId: made.manifest.build_id },
        manifestSha256: sha256(bytes),
      });
      return store.deploy(tenantA, name, '1.0.0', made, { signature, ...more });
    };
    return { store, clock, refused, predict, deploy };
  }
  const graphOf = (graph: Uint8Array) =>
    ({ format: 'onnx', sha256: sha256(graph), bytes: graph.length }) as const;
  const code = (name: string) => expect.objectContaining({ code: name });

  it('serves what is signed', async () => {
    const { predict, deploy, refused } = serving();
    deploy('income');
    await predict();
    expect(refused).toEqual([]);
  });

  it('refuses a changed manifest although the pointer has its hash', async () => {
    const { store, predict, deploy, refused } = serving();
    const pointer = deploy('income');
    const bytes = Buffer.from(store.objects.get(pointer.manifest_key)!);
    bytes[bytes.indexOf('f1_score')]! ^= 1;
    store.objects.set(pointer.manifest_key, bytes);
    store.pointers.set('aa/income', { ...pointer, manifest_sha256: sha256(bytes) });
    await expect(predict()).rejects.toThrow(code('ARTIFACT_SIGNATURE_INVALID'));
    expect(refused.map((error) => error.code)).toEqual(['ARTIFACT_SIGNATURE_INVALID']);
  });

  it('refuses a changed graph although the pointer has its hash', async () => {
    const { store, predict, deploy, refused } = serving();
    const pointer = deploy('income');
    store.objects.set(pointer.artifact_key, retrained.graph);
    store.pointers.set('aa/income', { ...pointer, artifact_sha256: sha256(retrained.graph) });
    await expect(predict()).rejects.toThrow(code('ARTIFACT_DAMAGED'));
    expect(refused.map((error) => error.code)).toEqual(['ARTIFACT_DAMAGED']);
  });

  it('refuses two models whose signatures were exchanged, and serves a third', async () => {
    const { store, predict, deploy } = serving();
    const [a, b] = [deploy('income'), deploy('outcome', retrained)];
    deploy('third');
    store.pointers.set('aa/income', { ...a, signature: b.signature! });
    store.pointers.set('aa/outcome', { ...b, signature: a.signature! });
    for (const name of ['income', 'outcome'])
      await expect(predict(name)).rejects.toThrow(code('ARTIFACT_SIGNATURE_INVALID'));
    await predict('third');
  });

  it('refuses a build that was copied to another tenant, signature and all', async () => {
    const { store, predict, deploy } = serving();
    const pointer = deploy('income');
    store.pointers.set('bb/income', pointer);
    await expect(predict('income', tenantB)).rejects.toThrow(code('ARTIFACT_SIGNATURE_INVALID'));
    await predict();
  });

  it('goes on serving from memory what was changed in the store', async () => {
    const { store, clock, predict, deploy } = serving();
    const pointer = deploy('income');
    await predict();
    store.objects.set(pointer.artifact_key, Buffer.from('other'));
    store.objects.set(pointer.manifest_key, Buffer.from('{}'));
    clock.advance(10_000);
    await predict();
  });

  it('refuses a canary by its own signature and leaves the champion alone', async () => {
    const { store, predict, deploy } = serving();
    const pointer = deploy('income');
    const { revision: _, model_name: __, ...variant } = deploy('outcome', retrained);
    store.pointers.set('aa/income', { ...pointer, canary: { ...variant, version: '1.1.0', weight: 0.5 } });
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => predict()));
    const reasons = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
    expect(new Set(reasons)).toEqual(new Set(['ARTIFACT_SIGNATURE_INVALID']));
    expect(reasons.length).toBeLessThan(40);
  });
});
