import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { OnnxruntimeExecutor } from '../../../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { nativeInput } from '../../../../src/serving/dialects/native.ts';
import { BufferedPredictionLog, type LogBatchName } from '../../../../src/serving/log/buffered-log.ts';
import type { LogRecord } from '../../../../src/serving/log/log-record.ts';
import { type LogObjects, PredictionHistory } from '../../../../src/serving/log/prediction-history.ts';
import type { ShadowResult } from '../../../../src/serving/log/prediction-log.ts';
import { shadowReport } from '../../../../src/serving/log/shadow-report.ts';
import { unsignedManifests } from '../../../../src/serving/manifest-signatures.ts';
import { ModelCache } from '../../../../src/serving/model-cache.ts';
import { Predictor, type Resident } from '../../../../src/serving/predictor.ts';
import type { ServingPointer } from '../../../../src/serving/serving-pointer.ts';
import { objectKeys } from '../../../../src/tenancy/keys.ts';
import type { TenantContext } from '../../../../src/tenancy/tenant-context.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { built, idKey, MemoryServingStore } from '../../../support/serving-samples.ts';
import { modelName, tenantA, tenantAb } from '../../../support/tenants.ts';

const classifier = built('text', 1);
const regressor = built('numeric', 3);

/** A bucket in memory, listed as S3 lists. */
class Bucket implements LogObjects {
  readonly objects = new Map<string, Uint8Array>();
  reads = 0;
  away = false;
  /** Durable calls are written, and once more when their shadow has scored. */
  mayReplace = false;

  async write(tenant: TenantContext, name: LogBatchName, lines: string) {
    await Promise.resolve();
    if (this.away) throw new Error('S3 is away');
    const key = objectKeys.predictionBatch(tenant, name);
    if (this.objects.has(key) && !this.mayReplace) throw new Error(`${key} is written twice`);
    this.objects.set(key, gzipSync(lines));
  }

  async get(_: TenantContext, key: string) {
    this.reads++;
    return this.objects.get(key);
  }

  async list(_: TenantContext, prefix: string, { limit, delimiter }: { limit: number; delimiter?: string }) {
    const found = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    if (delimiter === undefined) return { keys: found.slice(0, limit), prefixes: [] };
    const cut = (key: string) => key.slice(0, key.indexOf(delimiter, prefix.length) + 1);
    return { keys: [], prefixes: [...new Set(found.map(cut))] };
  }

  get keys() {
    return [...this.objects.keys()].sort();
  }

  lines(key: string): LogRecord[] {
    const text = gunzipSync(this.objects.get(key)!).toString();
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as LogRecord);
  }
}

let bucket: Bucket;
let clock: ManualClock;
let store: MemoryServingStore;
let log: BufferedPredictionLog;
let predictor: Predictor;
let history: PredictionHistory;
let failures: { batches: number; rows: number }[];

beforeEach(() => {
  bucket = new Bucket();
  clock = new ManualClock(Date.parse('2026-03-01T12:00:30Z'));
  store = new MemoryServingStore();
  failures = [];
  log = new BufferedPredictionLog({
    ...{ sink: bucket, clock, secret: async () => idKey, maxAgeMs: 5_000, maxRows: 50, maxUnwrittenRows: 60 },
    onFailure: (_, lost) => void failures.push(lost),
  });
  predictor = new Predictor({
    signatures: unsignedManifests,
    ...{ store, clock, log, executor: new OnnxruntimeExecutor() },
    cache: new ModelCache<Resident>({ budgetBytes: 64 * 1024 * 1024, maxModels: 10 }, clock),
  });
  history = new PredictionHistory(bucket);
  deploy();
});

const deploy = (more: Partial<ServingPointer> = {}) => {
  store.deploy(tenantA, 'income', '1.0.0', classifier, more);
  store.deploy(tenantA, 'amount', '2.0.0', regressor, more);
  store.deploy(tenantAb, 'income', '1.0.0', classifier, more);
};

async function predict(rows: unknown[] = [{ small: 1 }], tenant = tenantA, model = 'income') {
  const { read } = nativeInput({ input_data: rows });
  return predictor.predict(tenant, modelName(model), read);
}

describe('the prediction log', () => {
  it('keeps what went in and what came out, one line a row, one object a tenant', async () => {
    const { ids } = await predict([
      { small: 1.5, large: 3, flag: true, when: '2024-01-01', city: '東京' },
      { small: null },
    ]);
    const { ids: regression } = await predict([{ small: 2 }], tenantA, 'amount');
    await predict([{ small: 1 }], tenantAb);
    await log.flush();
    expect(bucket.keys).toHaveLength(2);
    const [key] = bucket.keys.filter((one) => one.startsWith('tenants/aa/'));
    // 12:00 is 720 minutes into the day: 1439 - 720 = 719 are left.
    expect(key).toMatch(/^tenants\/aa\/predictions\/dt=2026-03-01\/0719-[0-9a-f]{10}-fffffe\.ndjson\.gz$/);
    const records = bucket.lines(key!);
    expect(records.map(({ prediction_id }) => prediction_id)).toEqual([...ids, ...regression]);
    expect(records[0]).toMatchObject({
      ...{ time: '2026-03-01T12:00:30.000Z', request_id: 'request-1' },
      ...{ model_name: 'income', model_version: '1.0.0', prediction: expect.any(String) },
      features: {
        small: 1.5,
        large: 3,
        flag: true,
        when: 1704067200000,
        city: '東京',
        constant: null,
        never: null,
      },
    });
    expect(records[0]!.probabilities).toHaveLength(2);
    expect(records[1]!.features).toMatchObject({ small: null, flag: null, when: null, city: null });
    expect(records[2]).not.toHaveProperty('probabilities');
    expect(records[2]!.prediction).toBeTypeOf('number');
  });

  it('leads from an id to its record in one read, and from no other', async () => {
    const { ids } = await predict([{ small: 1 }, { small: 2 }, { small: 3 }]);
    const { ids: foreign } = await predict([{ small: 1 }], tenantAb);
    await log.flush();
    bucket.reads = 0;
    const record = await history.find(tenantA, ids[1]!);
    expect(bucket.reads).toBe(1);
    expect(record).toMatchObject({ prediction_id: ids[1], features: { small: 2 } });
    const altered = `${ids[1]!.slice(0, 31)}${ids[1]!.endsWith('A') ? 'B' : 'A'}`;
    for (const id of [foreign[0]!, altered, 'none', '']) {
      await expect(history.find(tenantA, id)).rejects.toMatchObject({ code: 'PREDICTION_NOT_FOUND' });
    }
  });

  it('is written at the end of a call when rows are many or old, and not before', async () => {
    await predict();
    await log.flushIfDue();
    expect(bucket.keys).toHaveLength(0);
    clock.advance(5_000);
    await log.flushIfDue();
    expect(bucket.keys).toHaveLength(1);
    await predict(Array.from({ length: 49 }, () => ({ small: 1 })));
    await log.flushIfDue();
    expect(bucket.keys).toHaveLength(1);
    await predict();
    await log.flushIfDue();
    expect(bucket.keys).toHaveLength(2);
    expect(log.bufferedRows).toBe(0);
    await log.flush();
    expect(bucket.keys).toHaveLength(2);
  });

  it('begins another object with another minute, so that every id still leads to its record', async () => {
    clock.advance(29_999);
    const before = await predict();
    clock.advance(1);
    const after = await predict();
    await log.flush();
    expect(bucket.keys).toHaveLength(2);
    for (const { ids } of [before, after]) {
      expect((await history.find(tenantA, ids[0]!)).prediction_id).toBe(ids[0]);
    }
  });

  it('shows the newest first, over objects, minutes and days, of one model if asked', async () => {
    const made: string[] = [];
    for (const [i, stepMs] of [0, 1_000, 70_000, 13 * 3_600_000, 1_000, 60_000].entries()) {
      clock.advance(stepMs);
      const { ids } = await predict([{ small: i }], tenantA, i % 2 === 0 ? 'income' : 'amount');
      made.push(ids[0]!);
      if (i !== 4) await log.flush();
    }
    const newest = made.toReversed();
    const shown = async (limit: number, model?: string) =>
      (await history.recent(tenantA, limit, model)).items.map(({ prediction_id }) => prediction_id);
    expect(await shown(100)).toEqual(newest);
    expect(await shown(3)).toEqual(newest.slice(0, 3));
    expect(await shown(2, 'income')).toEqual([made[4], made[2]]);
    expect(await history.recent(tenantAb, 100)).toEqual({ items: [], n_lost_batches: 0 });
  });

  it('keeps batches that could not be written, and drops the oldest when they are too many', async () => {
    bucket.away = true;
    const rows = Array.from({ length: 25 }, () => ({ small: 1 }));
    const kept: string[] = [];
    for (let i = 0; i < 4; i++) {
      kept.push(...(await predict(rows)).ids);
      await log.flush();
    }
    // 4 × 25 rows are buffered, 60 may be: two batches are lost.
    expect(failures).toEqual([
      { batches: 0, rows: 0 },
      { batches: 0, rows: 0 },
      { batches: 1, rows: 25 },
      { batches: 1, rows: 25 },
    ]);
    bucket.away = false;
    await predict();
    await log.flush();
    const { items } = await history.recent(tenantA, 1_000);
    expect(items).toHaveLength(51);
    expect(new Set(items.map(({ prediction_id }) => prediction_id)).has(kept[99]!)).toBe(true);
    expect(log.bufferedRows).toBe(0);
  });

  it('counts the batches that a killed process never wrote', async () => {
    await predict();
    await log.flush();
    // Placed in the next batch, which nobody writes.
    log.place(tenantA, 1, clock.nowMs());
    clock.advance(60_000);
    await predict();
    const [lost] = [...bucket.keys];
    expect(lost).toBeDefined();
    bucket.write = new Proxy(bucket.write, {
      apply: (write, self, args: Parameters<typeof bucket.write>) =>
        args[1].batch === 2 ? Promise.resolve() : Reflect.apply(write, self, args),
    });
    await log.flush();
    expect((await history.recent(tenantA, 100)).n_lost_batches).toBe(1);
  });

  it('writes before it answers where the model is durable, and fails when it cannot', async () => {
    deploy({ settings: { log: 'durable' } });
    const { ids } = await predict();
    expect((await history.find(tenantA, ids[0]!)).prediction_id).toBe(ids[0]);
    bucket.away = true;
    await expect(predict()).rejects.toThrow('away');
    bucket.away = false;
    await log.flush();
    expect((await history.recent(tenantA, 10)).items).toHaveLength(2);
  });

  it('keeps no features, or keyed hashes of them, where the model says so', async () => {
    deploy({ settings: { log_features: 'hash' } });
    await predict([{ small: 1, city: 'plain' }, { small: 1, city: 'plain' }, { small: 2 }]);
    await predict([{ small: 1, city: 'plain' }], tenantAb);
    await log.flush();
    const [first, same, other] = (await history.recent(tenantA, 10)).items;
    expect(first!.features!.city).toMatch(/^[\w-]{22}$/);
    expect(JSON.stringify(first)).not.toContain('plain');
    expect(first!.features).toEqual(same!.features);
    expect(first!.features_hash).toBe(same!.features_hash);
    expect(other!.features!.small).not.toBe(first!.features!.small);
    expect(other!.features!.city).toBeNull();
    const [foreign] = (await history.recent(tenantAb, 10)).items;
    expect(foreign!.features!.city).not.toBe(first!.features!.city);
    deploy({ settings: { log_features: 'drop' } });
    clock.advance(60_000);
    await predict();
    await log.flush();
    const [dropped] = (await history.recent(tenantA, 1)).items;
    expect(dropped).not.toHaveProperty('features');
    expect(dropped!.features_hash).toMatch(/^[\w-]{22}$/);
  });

  it('has beside each prediction what the shadow gave, and goes on without where it cannot', async () => {
    const shadow = store.deploy(tenantA, 'other', '1.1.0', built('text', 2));
    deploy({ shadow });
    log = new BufferedPredictionLog({
      ...{ sink: bucket, clock, secret: async () => idKey },
      shadow: (tenant, call) => predictor.shadow(tenant, call),
    });
    predictor = new Predictor({
      signatures: unsignedManifests,
      ...{ store, clock, log, executor: new OnnxruntimeExecutor() },
      cache: new ModelCache<Resident>({ budgetBytes: 64 * 1024 * 1024, maxModels: 10 }, clock),
    });
    const rows = [{ small: 1.5, city: '東京' }, { small: -1 }];
    const { version } = await predict(rows);
    expect(version).toBe('1.0.0');
    const expected = await predict(rows, tenantA, 'other');
    // The regression has a classifier for its shadow, of the same features.
    await predict([{ small: 1 }], tenantA, 'amount');
    await log.flush();
    const { items } = await history.recent(tenantA, 10);
    const shadows = items.filter(({ model_name }) => model_name === 'income').map((one) => one.shadow!);
    expect(shadows.map(({ model_version }) => model_version)).toEqual(['1.1.0', '1.1.0']);
    expect(shadows.flatMap(({ probabilities }) => probabilities!)).toEqual(
      Array.from(expected.output.probabilities!),
    );
    expect(
      shadowReport(
        modelName('income'),
        items.filter(({ model_name }) => model_name === 'income'),
      ),
    ).toMatchObject({
      comparisons: [{ model_version: '1.0.0', shadow_version: '1.1.0', n: 2, n_failed: 0 }],
    });
    store.objects.delete(shadow.artifact_key);
    clock.advance(60_000);
    predictor = new Predictor({
      signatures: unsignedManifests,
      ...{ store, clock, log, executor: new OnnxruntimeExecutor() },
      cache: new ModelCache<Resident>({ budgetBytes: 64 * 1024 * 1024, maxModels: 10 }, clock),
    });
    await predict();
    await log.flush();
    const [newest] = (await history.recent(tenantA, 1)).items;
    expect(newest!.shadow).toEqual({ model_version: '1.1.0', failed: true });
  });

  describe('with a shadow that takes its time', () => {
    let shadows: number;
    let answer: () => Promise<ShadowResult>;
    const result: ShadowResult = { version: '1.1.0', manifest: undefined, output: undefined };

    beforeEach(() => {
      shadows = 0;
      answer = () => new Promise(() => {});
      deploy({ shadow: store.deploy(tenantA, 'other', '1.1.0', built('text', 2)) });
      log = new BufferedPredictionLog({
        ...{ sink: bucket, clock, secret: async () => idKey, shadowForMs: 20 },
        shadow: () => {
          shadows++;
          return answer();
        },
        onFailure: (_, lost) => void failures.push(lost),
      });
      predictor = new Predictor({
        signatures: unsignedManifests,
        ...{ store, clock, log, executor: new OnnxruntimeExecutor() },
        cache: new ModelCache<Resident>({ budgetBytes: 64 * 1024 * 1024, maxModels: 10 }, clock),
      });
    });

    it('is written without what was not scored in time', async () => {
      await predict();
      await predict();
      await log.flush();
      const { items } = await history.recent(tenantA, 10);
      expect(items.map(({ shadow }) => shadow)).toEqual([undefined, undefined]);
      expect(shadows).toBe(1);
    });

    it('asks no shadow where the process ends', async () => {
      await predict();
      await log.flush({ shadowForMs: 0 });
      expect((await history.recent(tenantA, 10)).items).toHaveLength(1);
      expect(shadows).toBe(0);
    });

    it('stores a durable call before its shadow is asked, and adds later what that gave', async () => {
      bucket.mayReplace = true;
      answer = async () => result;
      deploy({
        shadow: store.deploy(tenantA, 'other', '1.1.0', built('text', 2)),
        settings: { log: 'durable' },
      });
      const { ids } = await predict();
      expect(await history.find(tenantA, ids[0]!)).not.toHaveProperty('shadow');
      expect([shadows, log.bufferedRows]).toEqual([0, 0]);
      clock.advance(5_000);
      await log.flushIfDue();
      expect((await history.find(tenantA, ids[0]!)).shadow).toEqual({ model_version: '1.1.0', failed: true });
    });

    it('scores a batch once, however often the store refuses it', async () => {
      answer = async () => result;
      bucket.away = true;
      await predict();
      await log.flush();
      await log.flush();
      bucket.away = false;
      await log.flush();
      expect([shadows, bucket.keys.length]).toEqual([1, 1]);
    });
  });

  it('is not tried again at the end of every call while the store is away', async () => {
    bucket.away = true;
    await predict(Array.from({ length: 50 }, () => ({ small: 1 })));
    await log.flushIfDue();
    expect(failures).toHaveLength(1);
    await predict();
    await log.flushIfDue();
    expect(failures).toHaveLength(1);
    clock.advance(5_000);
    await log.flushIfDue();
    expect(failures).toHaveLength(2);
  });

  it('shows the newest of a minute with more objects than one question reads, and counts none of them lost', async () => {
    deploy({ settings: { log: 'durable' } });
    const made: string[] = [];
    for (let i = 0; i < 150; i++) made.push((await predict()).ids[0]!);
    const { items, n_lost_batches } = await history.recent(tenantA, 10);
    expect(new Set(made.slice(-100))).toContain(items[0]!.prediction_id);
    expect(n_lost_batches).toBe(0);
    const all = await history.recent(tenantA, 1_000);
    expect(new Set(all.items.map(({ prediction_id }) => prediction_id))).toEqual(new Set(made.slice(-100)));
  });

  it('compares labels by whether they are equal, and finds no difference between them', () => {
    const record = (prediction: string, other: string) =>
      ({ prediction, model_version: '1', shadow: { model_version: '2', prediction: other } }) as LogRecord;
    const { comparisons } = shadowReport(modelName('m'), [record('cat', 'dog'), record('cat', 'cat')]);
    expect(comparisons).toEqual([
      {
        ...{ model_version: '1', shadow_version: '2', n: 2, n_failed: 0, agreement: 0.5 },
        ...{ mean_absolute_difference: 0, max_absolute_difference: 0 },
      },
    ]);
  });

  it('keeps nothing where it is off', async () => {
    deploy({ settings: { log: 'off' } });
    await predict();
    await log.flush();
    expect(bucket.keys).toEqual([]);
  });
});
