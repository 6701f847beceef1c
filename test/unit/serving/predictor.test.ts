import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { OnnxruntimeExecutor } from '../../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import type { ModelManifest } from '../../../src/contracts/models.ts';
import type { Prediction } from '../../../src/contracts/prediction.ts';
import { exportOnnx, onnxInputs } from '../../../src/ml/onnx/export-onnx.ts';
import { fitPipeline } from '../../../src/ml/pipeline.ts';
import { isPredictionId } from '../../../src/serving/prediction-id.ts';
import { cacheBudgetBytes, Predictor } from '../../../src/serving/predictor.ts';
import type { ServingPointer } from '../../../src/serving/serving-pointer.ts';
import type { ServingStore } from '../../../src/serving/serving-store.ts';
import { objectKeys } from '../../../src/tenancy/keys.ts';
import type { TenantContext } from '../../../src/tenancy/tenant-context.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { sampleManifest } from '../../support/samples.ts';
import { modelName, tenantA, tenantAb } from '../../support/tenants.ts';
import { randomTable } from '../ml/support/random-table.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const idKey = Buffer.alloc(32, 3);

function built(target: 'text' | 'numeric', seed: number) {
  const table = randomTable({ nRows: 200, target, seed });
  const task = target === 'numeric' ? 'regression' : 'classification';
  const algorithm = target === 'numeric' ? 'ridge' : 'logistic_regression';
  const fit = fitPipeline(table, {
    task,
    target: 'y',
    algorithm,
    hyperparameters: {},
    randomState: 1,
  } as never);
  if (!fit.done) throw new Error('paused');
  const { classes } = fit.model;
  const manifest = sampleManifest({
    task,
    algorithm,
    features: onnxInputs(fit.model),
    classes: classes === undefined ? undefined : [...classes],
  });
  return { graph: exportOnnx(fit.model), manifest };
}
const classifier = built('text', 1);
const retrained = built('text', 2);
const regressor = built('numeric', 3);

/** The store in memory; it counts what is asked of it. */
class MemoryStore implements ServingStore {
  readonly pointers = new Map<string, ServingPointer>();
  readonly objects = new Map<string, Uint8Array>();
  asked: string[] = [];
  failing = false;

  deploy(
    tenant: TenantContext,
    name: string,
    version: string,
    { graph, manifest }: { graph: Uint8Array; manifest: ModelManifest },
  ): ServingPointer {
    const key = (file: 'model.onnx' | 'manifest.json') =>
      objectKeys.modelFile(tenant, modelName(name), `b${version}`, file);
    const bytes = Buffer.from(JSON.stringify(manifest));
    this.objects.set(key('model.onnx'), graph).set(key('manifest.json'), bytes);
    const pointer: ServingPointer = {
      ...{ model_name: modelName(name), version, revision: 1 },
      ...{ artifact_key: key('model.onnx'), artifact_sha256: sha256(graph), artifact_bytes: graph.length },
      ...{ manifest_key: key('manifest.json'), manifest_sha256: sha256(bytes) },
    };
    this.pointers.set(`${tenant.tenantId}/${name}`, pointer);
    return pointer;
  }

  async pointer(tenant: TenantContext, model: string) {
    this.asked.push('pointer');
    if (this.failing) throw new Error('DynamoDB is away');
    return this.pointers.get(`${tenant.tenantId}/${model}`);
  }

  async artifact(_tenant: TenantContext, key: string) {
    this.asked.push(key.endsWith('onnx') ? 'graph' : 'manifest');
    return this.objects.get(key);
  }

  async predictionIdKey() {
    this.asked.push('key');
    if (this.failing) throw new Error('DynamoDB is away');
    return idKey;
  }
}

let store: MemoryStore;
let clock: ManualClock;
let predictor: Predictor;

beforeEach(() => {
  store = new MemoryStore();
  clock = new ManualClock();
  predictor = new Predictor({
    ...{ store, clock, executor: new OnnxruntimeExecutor() },
    ...{ cacheBytes: 64 * 1024 * 1024, maxModels: 10 },
  });
});

const predict = (input: unknown = { small: 1 }, tenant = tenantA, name = 'income') =>
  predictor.predict(tenant, modelName(name), input);

describe('Predictor', () => {
  it('answers a class with its probabilities, which are the confidence and sum to one', async () => {
    store.deploy(tenantA, 'income', '1.0.0', classifier);
    const result = (await predict()) as Prediction;
    expect(result).toMatchObject({ model_id: 'income', model_version: '1.0.0' });
    const { probabilities, confidence, prediction } = result;
    expect(probabilities!.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
    expect(confidence).toBe(Math.max(...probabilities!));
    expect(prediction).toBe(classifier.manifest.classes![probabilities!.indexOf(confidence!)]);
    const of = { tenantId: 'aa', model: 'income', version: '1.0.0' };
    expect(isPredictionId(idKey, result.prediction_id, of)).toBe(true);
  });

  it('answers a regression with a number only', async () => {
    store.deploy(tenantA, 'income', '1.0.0', regressor);
    const result = (await predict()) as Prediction;
    expect(result.prediction).toBeTypeOf('number');
    expect(result).not.toHaveProperty('probabilities');
    expect(result).not.toHaveProperty('confidence');
  });

  it('answers a list in the order of its rows, and each row as if it came alone', async () => {
    store.deploy(tenantA, 'income', '1.0.0', classifier);
    const rows = [-2, -1, 0, 1, 2].map((small) => ({ small, city: 'plain' }));
    const list = (await predict(rows)) as Prediction[];
    for (const [i, row] of rows.entries()) {
      const alone = (await predict(row)) as Prediction;
      expect(list[i]!.probabilities).toEqual(alone.probabilities);
    }
    expect(new Set(list.map(({ prediction_id }) => prediction_id)).size).toBe(5);
    expect(await predict([rows[0]])).toHaveLength(1);
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
});

describe('the budget of the cache', () => {
  it.each([
    [1769, Math.floor((1769 - 320) * 1024 * 1024 * 0.8)],
    [512, Math.floor((512 - 320) * 1024 * 1024 * 0.8)],
    [128, 32 * 1024 * 1024],
  ])('of a function with %i MiB is %i bytes', (memory, bytes) => {
    expect(cacheBudgetBytes(memory)).toBe(bytes);
  });
});
