import { beforeEach, describe, expect, it } from 'vitest';
import { OnnxruntimeExecutor } from '../../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { nativeInput, predictionsOf } from '../../../src/serving/dialects/native.ts';
import { unsignedManifests } from '../../../src/serving/manifest-signatures.ts';
import { ModelCache } from '../../../src/serving/model-cache.ts';
import { PredictionIds } from '../../../src/serving/prediction-id.ts';
import { Predictor, type Resident, type VersionChoice } from '../../../src/serving/predictor.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { built, idKey, MemoryServingStore } from '../../support/serving-samples.ts';
import { modelName, tenantA, tenantAb } from '../../support/tenants.ts';

const classifier = built('text', 1);
const retrained = built('text', 2);
const regressor = built('numeric', 3);

let store: MemoryServingStore;
let clock: ManualClock;
let predictor: Predictor;

beforeEach(() => {
  store = new MemoryServingStore();
  clock = new ManualClock();
  predictor = new Predictor({
    signatures: unsignedManifests,
    ...{ store, clock, executor: new OnnxruntimeExecutor() },
    cache: new ModelCache<Resident>({ budgetBytes: 64 * 1024 * 1024, maxModels: 10 }, clock),
  });
});

async function predictAll(rows: readonly unknown[], choice: VersionChoice = {}) {
  const { read } = nativeInput({ input_data: rows });
  return predictionsOf(await predictor.predict(tenantA, modelName('income'), read, choice));
}

async function predict(row: unknown = { small: 1 }, tenant = tenantA, name = 'income') {
  const { read } = nativeInput({ input_data: row });
  const [prediction] = predictionsOf(await predictor.predict(tenant, modelName(name), read));
  return prediction!;
}

describe('Predictor', () => {
  it('answers a class with its probabilities, which are the confidence and sum to one', async () => {
    store.deploy(tenantA, 'income', '1.0.0', classifier);
    const result = await predict();
    expect(result).toMatchObject({ model_id: 'income', model_version: '1.0.0' });
    const { probabilities, confidence, prediction } = result;
    expect(probabilities!.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
    expect(confidence).toBe(Math.max(...probabilities!));
    expect(prediction).toBe(classifier.manifest.classes![probabilities!.indexOf(confidence!)]);
    const of = { tenantId: 'aa', model: 'income', version: '1.0.0' };
    expect(new PredictionIds(idKey).wasIssued(result.prediction_id, of)).toBe(true);
  });

  it('answers a regression with a number only', async () => {
    store.deploy(tenantA, 'income', '1.0.0', regressor);
    const result = await predict();
    expect(result.prediction).toBeTypeOf('number');
    expect(result).not.toHaveProperty('probabilities');
    expect(result).not.toHaveProperty('confidence');
  });

  it('answers a list in the order of its rows, and each row as if it came alone', async () => {
    store.deploy(tenantA, 'income', '1.0.0', classifier);
    const rows = [-2, -1, 0, 1, 2].map((small) => ({ small, city: 'plain' }));
    const list = await predictAll(rows);
    for (const [i, row] of rows.entries()) {
      const alone = await predict(row);
      expect(list[i]!.probabilities).toEqual(alone.probabilities);
    }
    expect(new Set(list.map(({ prediction_id }) => prediction_id)).size).toBe(5);
  });

  it('knows no model of another tenant, nor one that was never deployed', async () => {
    store.deploy(tenantA, 'income', '1.0.0', classifier);
    await predict();
    await expect(predict({ small: 1 }, tenantAb)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await expect(predict({ small: 1 }, tenantA, 'incom')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  it('loads equal bytes of two tenants twice', async () => {
    for (const tenant of [tenantA, tenantAb]) store.deploy(tenant, 'income', '1.0.0', classifier);
    await predict();
    store.asked = [];
    await predict({ small: 1 }, tenantAb);
    expect(store.asked).toContain('graph');
  });

  it('asks the store once for pointer, key and model while it is warm', async () => {
    store.deploy(tenantA, 'income', '1.0.0', classifier);
    for (let i = 0; i < 5; i++) await predict();
    expect([...store.asked].sort()).toEqual(['graph', 'key', 'manifest', 'pointer']);
  });

  it('sees a deployment within two seconds, and a withdrawal too', async () => {
    store.deploy(tenantA, 'income', '1.0.0', classifier);
    await predict();
    store.deploy(tenantA, 'income', '1.1.0', retrained);
    clock.advance(2_000);
    expect(await predict()).toMatchObject({ model_version: '1.1.0' });
    store.pointers.clear();
    clock.advance(2_000);
    await expect(predict()).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  it('sees the first deployment of a model at once: what is absent is not remembered', async () => {
    await expect(predict()).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    store.deploy(tenantA, 'income', '1.0.0', classifier);
    expect(await predict()).toMatchObject({ model_version: '1.0.0' });
  });

  it.each(['artifact_key', 'manifest_key'] as const)(
    'does not serve bytes of %s that changed',
    async (which) => {
      const pointer = store.deploy(tenantA, 'income', '1.0.0', classifier);
      const bytes = Buffer.from(store.objects.get(pointer[which])!);
      bytes[bytes.length - 3]! ^= 1;
      store.objects.set(pointer[which], bytes);
      await expect(predict()).rejects.toMatchObject({ code: 'ARTIFACT_DAMAGED' });
    },
  );

  it('says that a model is gone whose bytes were deleted', async () => {
    const pointer = store.deploy(tenantA, 'income', '1.0.0', classifier);
    store.objects.delete(pointer.artifact_key);
    await expect(predict()).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  it('recovers by itself when the store was away', async () => {
    store.deploy(tenantA, 'income', '1.0.0', classifier);
    store.failing = true;
    await expect(predict()).rejects.toThrow('away');
    store.failing = false;
    expect(await predict()).toMatchObject({ model_version: '1.0.0' });
  });

  it('refuses rows before it asks the store for anything', async () => {
    await expect(predict('text')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(store.asked).toEqual([]);
  });

  it('shows a tenant which of its models are in memory, and nothing of others', async () => {
    for (const tenant of [tenantA, tenantAb]) store.deploy(tenant, 'income', '1.0.0', classifier);
    await predict({ small: 1 }, tenantAb);
    expect(predictor.cacheView(tenantA)).toMatchObject({
      tenant_id: tenantA.tenantId,
      models: [],
      totals: { loaded_bytes: 0, misses: 0 },
    });
    const startMs = clock.nowMs();
    await predict();
    await predict();
    const { models, totals, limits } = predictor.cacheView(tenantA);
    expect(models).toEqual([
      {
        ...{ model_id: 'income', manifest_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        ...{ kind: 'model', state: 'loaded' },
        ...{ bytes: totals.loaded_bytes, hits: 1, last_used_at: new Date(startMs).toISOString() },
        ...{ in_use: false, segment: 'window' },
      },
    ]);
    expect(totals).toMatchObject({ models: 1, reserved_bytes: 0, releasing_bytes: 0, hits: 1, misses: 1 });
    expect(limits).toEqual({ max_bytes: 64 * 1024 * 1024, max_models: 10 });
  });
});
