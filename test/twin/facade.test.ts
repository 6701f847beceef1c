import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ApiError,
  BatchPredictor,
  createMLSystem,
  createModelManager,
  createPredictor,
  createTrainer,
  DataProcessor,
  MLFrameworkError,
  MLModelManager,
  MLOpsPipeline,
  type MLSystem,
  MLTrainingError,
  ModelDeployment,
  ModelNotFoundError,
  ModelRegistry,
  ModelTrainer,
  PlatformUnavailableError,
  PredictionError,
  RealtimePredictor,
  TenantMismatchError,
  TrainingConfig,
  type TrainingResult,
} from '../../src/index.ts';
import { type RunningTwin, runTwin, sampleRows } from '../support/running-twin.ts';

const folder = mkdtempSync(join(tmpdir(), 'tenantml-facade-'));
let running: RunningTwin;
let url: string;
let token: string;
let mlSystem: MLSystem;

/** Tickets whose category follows from two of their fields. */
const tickets = sampleRows(400).map(({ risk, score: _score, ...features }) => ({
  ...features,
  category: risk === 'high' ? 1 : 0,
}));
const X = tickets.map(({ category: _category, ...features }) => features);
const y = tickets.map(({ category }) => category);
const { XTrain, XTest, yTrain, yTest } = new DataProcessor().trainTestSplit(X, y, { testSize: 0.2 });

beforeAll(async () => {
  running = await runTwin();
  url = running.twin.url;
  token = await running.twin.issueToken('tenant-123');
  mlSystem = await createMLSystem({ url, token, tenantId: 'tenant-123' });
});
afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

const failureOf = async (work: Promise<unknown>): Promise<MLFrameworkError> => {
  const error = await work.then(
    () => expect.unreachable('it did not fail'),
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(MLFrameworkError);
  return error as MLFrameworkError;
};

describe('the getting-started guide', () => {
  let result: TrainingResult;
  beforeAll(async () => {
    result = await mlSystem.trainModel({
      modelId: 'ticket_classifier',
      modelType: 'classification',
      trainingData: [XTrain, yTrain],
      validationData: [XTest, yTest],
      hyperparameters: { n_estimators: 100, max_depth: 10, learning_rate: 0.1 },
      tenantId: 'tenant-123',
    });
  });

  it('trains, and answers with exactly what the guide shows', async () => {
    expect(Object.keys(result)).toEqual(['model_id', 'status', 'metrics', 'training_time', 'model_version']);
    expect(result).toMatchObject({
      model_id: 'ticket_classifier',
      status: 'completed',
      model_version: '1.0.0',
    });
    for (const metric of ['accuracy', 'f1_score', 'precision', 'recall'])
      expect(result.metrics[metric]).toBeGreaterThan(0.9);
    expect(result.training_time).toBeGreaterThan(0);
    const { manifest } = await mlSystem.modelRegistry.getVersion({
      ...{ modelName: 'ticket_classifier', version: '1.0.0' },
    });
    expect(manifest.hyperparameters).toMatchObject({ n_estimators: 100, max_depth: 10, learning_rate: 0.1 });
  });

  it('measures on the validation data and on nothing else, and learns from none of it', async () => {
    const { manifest } = await mlSystem.modelRegistry.getVersion({
      ...{ modelName: 'ticket_classifier', version: '1.0.0' },
    });
    expect(manifest.split).toMatchObject({ kind: 'last', n_train: XTrain.length, n_test: XTest.length });
    const predictions = await mlSystem.predict('ticket_classifier', XTest);
    const right = predictions.filter(({ prediction }, i) => prediction === yTest[i]).length;
    expect(right / XTest.length).toBeCloseTo(result.metrics.accuracy!, 12);
    // Labels that are all wrong: whoever learnt from them, or measured elsewhere, would not find every one of them wrong.
    const upsideDown = await mlSystem.trainModel({
      modelId: 'upside_down',
      modelType: 'classification',
      trainingData: [XTrain, yTrain],
      validationData: [XTest, yTest.map((label) => 1 - label)],
      hyperparameters: { n_estimators: 100, max_depth: 10, learning_rate: 0.1 },
    });
    expect(upsideDown.metrics.accuracy).toBeCloseTo(1 - result.metrics.accuracy!, 12);
  });

  it('predicts for a record and for an array alike, with what the guide shows', async () => {
    const prediction = await mlSystem.predict({
      modelId: 'ticket_classifier',
      inputData: XTest[0]!,
      tenantId: 'tenant-123',
    });
    expect(Object.keys(prediction).sort()).toEqual([
      ...['confidence', 'model_id', 'model_version', 'prediction', 'prediction_id', 'probabilities'],
      'request_id',
    ]);
    expect(prediction).toMatchObject({ model_id: 'ticket_classifier', model_version: '1.0.0' });
    expect([0, 1]).toContain(prediction.prediction);
    expect(prediction.probabilities).toHaveLength(2);
    expect(prediction.confidence).toBe(Math.max(...prediction.probabilities!));
    const names = ['amount', 'country', 'is_new', 'age'];
    const array = await mlSystem.predict(
      'ticket_classifier',
      names.map((name) => XTest[0]![name]),
    );
    expect(array.probabilities).toEqual(prediction.probabilities);
    const columns = Object.fromEntries(
      names.map((name) => [name, XTest.slice(0, 3).map((row) => row[name])]),
    );
    const some = await mlSystem.predict('ticket_classifier', columns);
    expect(some.map(({ probabilities }) => probabilities)).toEqual(
      (await mlSystem.predict('ticket_classifier', XTest.slice(0, 3))).map(
        ({ probabilities }) => probabilities,
      ),
    );
  });

  it('predicts batches by both signatures, in order, and no row fails the others', async () => {
    const rows = Array.from({ length: 2_300 }, (_, i) => X[i % X.length]!);
    const predictions = await mlSystem.predictBatch('ticket_classifier', rows, 32);
    expect(predictions).toHaveLength(2_300);
    const right = predictions.filter(
      (one, i) => 'prediction' in one && one.prediction === y[i % y.length],
    ).length;
    // Always saying the more frequent label would be right for two thirds.
    expect(right / 2_300).toBeGreaterThan(0.9);
    const named = await mlSystem.predictBatch({
      modelId: 'ticket_classifier',
      inputBatch: [rows[0]!, { amount: 'many' }, { amount: Number.POSITIVE_INFINITY }, rows[1]!],
      batchSize: 2,
      tenantId: 'tenant-123',
    });
    expect(named.map((one) => ('error' in one ? one.error.code : one.prediction))).toEqual([
      ...[y[0], 'INVALID_INPUT', 'INVALID_INPUT', y[1]],
    ]);
    const far = rows.map((row, i) => (i === 2_150 ? { amount: 'many' } : row));
    const failed = (await mlSystem.predictBatch({ modelId: 'ticket_classifier', inputData: far }))[2_150]!;
    expect(failed).toMatchObject({ error: { errors: [{ pointer: '/input_batch/2150/amount' }] } });
    const refused = await failureOf(mlSystem.predict('ticket_classifier', far));
    expect(refused).toMatchObject({ errors: [{ pointer: '/input_data/2150/amount' }] });
  });

  it('has the errors of the guide, with its fields', async () => {
    const failed = await failureOf(
      mlSystem.trainModel({
        modelId: 'few',
        modelType: 'classification',
        trainingData: [X.slice(0, 9), y.slice(0, 9)],
      }),
    );
    expect(failed).toBeInstanceOf(MLTrainingError);
    expect(failed.errorType).toBe('INSUFFICIENT_SAMPLES');
    expect(failed.message).toMatch(/9/);
    const misspelt = await failureOf(
      mlSystem.trainModel({ modelId: 'x', trainingData: [X, y], hyperparameters: { n_estimator: 3 } }),
    );
    expect(misspelt).toBeInstanceOf(MLTrainingError);
    expect(misspelt).toMatchObject({
      errorType: 'UNKNOWN_HYPERPARAMETER',
      message: expect.stringContaining('n_estimators'),
    });
    const twice = {
      modelId: 'x',
      trainingData: [X, y],
      validationData: [X, y],
      request: { split: 'random' },
    } as const;
    expect((await failureOf(mlSystem.trainModel(twice))).message).toMatch(/leave split and test_size out/);
    const unknown = await failureOf(mlSystem.predict('nobody', X[0]!));
    expect(unknown).toBeInstanceOf(ModelNotFoundError);
    expect((unknown as ModelNotFoundError).modelId).toBe('nobody');
    expect(await failureOf(mlSystem.getModelInfo('nobody'))).toMatchObject({ modelId: 'nobody' });
    const wrong = await failureOf(mlSystem.predict('ticket_classifier', { amount: 'much' }));
    expect(wrong).toBeInstanceOf(PredictionError);
    expect(wrong).toMatchObject({ code: 'INVALID_INPUT', errors: [{ pointer: '/input_data/amount' }] });
  });

  it('passes on which model types the platform has', async () => {
    const error = await failureOf(
      mlSystem.trainModel({ modelId: 'x', modelType: 'telepathy', trainingData: [X, y] }),
    );
    expect(error).toBeInstanceOf(MLTrainingError);
    expect(error.errors[0]).toMatchObject({
      pointer: '/model_type',
      detail: expect.stringContaining('"classification", "regression"'),
    });
  });

  it('trains regressions, of columns and of a matrix, whose predictions have no probabilities', async () => {
    const columns = {
      a: Float64Array.from({ length: 200 }, (_, i) => i),
      b: Array.from({ length: 200 }, () => 1),
    };
    const target = Float64Array.from({ length: 200 }, (_, i) => 2 * i + 0.5);
    const { metrics } = await mlSystem.trainModel({
      ...{
        modelId: 'line',
        modelType: 'regression',
        trainingData: [columns, target],
        algorithm: 'linear_regression',
      },
    });
    expect(metrics.r2).toBeGreaterThan(0.999);
    const line = await mlSystem.predict('line', [10, 1]);
    // The graph computes in float32, which has 7 digits.
    expect(line.prediction).toBeCloseTo(20.5, 3);
    expect(line).not.toHaveProperty('probabilities');
    const matrix = Array.from({ length: 200 }, (_, i) => [i % 17, i % 5, i % 3]);
    await mlSystem.trainModel({ modelId: 'matrix', trainingData: [matrix, matrix.map(([a, b]) => a! + b!)] });
    const { manifest } = await mlSystem.modelRegistry.getVersion({ modelName: 'matrix', version: '1.0.0' });
    expect(manifest.features.map(({ name }) => name)).toEqual(['x0', 'x1', 'x2']);
  });

  it('manages models: info, lists, metadata, archive, delete', async () => {
    expect(await mlSystem.getModelInfo('ticket_classifier')).toMatchObject({
      ...{ model_id: 'ticket_classifier', champion_version: '1.0.0', versions: [{ version: '1.0.0' }] },
    });
    const info = await mlSystem.modelManager.getModelInfo({
      modelId: 'ticket_classifier',
      tenantId: 'tenant-123',
    });
    expect(info.model_id).toBe('ticket_classifier');
    const names = async () =>
      (await mlSystem.modelManager.listModels({ tenantId: 'tenant-123' })).map(({ model_id }) => model_id);
    expect(await names()).toEqual(expect.arrayContaining(['line', 'ticket_classifier']));
    const updated = await mlSystem.modelManager.updateModel({
      modelId: 'ticket_classifier',
      metadata: { description: 'Updated classifier' },
    });
    expect(updated.description).toBe('Updated classifier');
    expect(
      (await mlSystem.modelManager.updateModel('ticket_classifier', { tags: { team: 'support' } })).tags,
    ).toEqual({
      team: 'support',
    });

    await mlSystem.trainModel({
      ...{ modelId: 'ticket_classifier', trainingData: [X, y], autoPromote: false },
      hyperparameters: { n_estimators: 5 },
    });
    const archived = await mlSystem.modelManager.archiveModel('ticket_classifier', '1.1.0');
    expect(archived.versions.map(({ version, stage }) => [version, stage])).toEqual([
      ['1.1.0', 'Archived'],
      ['1.0.0', 'Production'],
    ]);
    expect(await failureOf(mlSystem.modelManager.archiveModel('ticket_classifier'))).toMatchObject({
      code: 'MODEL_DEPLOYED',
    });
    expect(await failureOf(mlSystem.modelManager.deleteModel('upside_down'))).toMatchObject({
      code: 'MODEL_DEPLOYED',
    });
    expect(await mlSystem.modelManager.deleteModel({ modelId: 'upside_down', force: true })).toMatchObject({
      status: 'deleted',
    });
    expect(await names()).not.toContain('upside_down');
  });
});

describe('creating the system', () => {
  it('warns of what it was asked for and does not hold', async () => {
    const emitted = once(process, 'warning');
    const system = await createMLSystem({ url, token, maxMemoryMb: 2_048, enableGpu: true });
    expect(system.warnings.map(({ code }) => code)).toEqual(['GPU_UNAVAILABLE', 'MEMORY_LIMIT_NOT_SET']);
    expect((await emitted)[0]).toMatchObject({ name: 'TenantMLWarning', code: 'GPU_UNAVAILABLE' });
    const { revision, own } = await mlSystem.connection.client.call('getSettings', {});
    await mlSystem.connection.client.call('putSettings', {
      body: { ...own, limits: { ...own.limits, max_memory_mb: 1_024 }, revision },
    });
    expect((await createMLSystem({ url, token, maxMemoryMb: 2_048 })).warnings).toEqual([]);
    expect((await createMLSystem({ url, token, maxMemoryMb: 512 })).warnings).toMatchObject([
      { message: expect.stringContaining('1024 MB') },
    ]);
    const service = await running.twin.issueToken('tenant-123', 'service');
    expect((await createMLSystem({ url, token: service, maxMemoryMb: 2_048 })).warnings).toMatchObject([
      { message: expect.stringContaining('lacks tenant:read') },
    ]);
  });

  it('asks the issuer of the twin where no token is given', async () => {
    const system = await createMLSystem({ url, tenantId: 'newcomer' });
    expect(await system.connection.tenant()).toBe('newcomer');
    expect(await system.modelManager.listModels()).toEqual([]);
  });

  it('refuses a token that is none, and a tenant that is not its own, before anything is used', async () => {
    const noToken = await failureOf(createMLSystem({ url, token: 'nonsense' }));
    expect(noToken).toBeInstanceOf(PlatformUnavailableError);
    expect(noToken).toMatchObject({ check: 'token', code: 'PLATFORM_UNAVAILABLE' });
    for (const create of [createMLSystem, createModelManager, createTrainer, createPredictor]) {
      const mismatch = await failureOf(create({ url, token, tenantId: 'tenant-124' }));
      expect(mismatch).toBeInstanceOf(TenantMismatchError);
      expect(mismatch.message).toMatch(/"tenant-124" is not the tenant of the token, which is "tenant-123"/);
    }
  });

  it.each<[string, () => Promise<unknown>]>([
    ['predict', () => mlSystem.predict({ modelId: 'line', inputData: [1, 1], tenantId: 'other' })],
    [
      'predictBatch',
      () => mlSystem.predictBatch({ modelId: 'line', inputData: [[1, 1]], tenantId: 'other' }),
    ],
    ['trainModel', () => mlSystem.trainModel({ modelId: 'x', trainingData: [X, y], tenantId: 'other' })],
    ['getModelInfo', () => mlSystem.getModelInfo({ modelId: 'line', tenantId: 'other' })],
    ['listModels', () => mlSystem.modelManager.listModels({ tenantId: 'other' })],
    ['deleteModel', () => mlSystem.modelManager.deleteModel({ modelId: 'line', tenantId: 'other' })],
    [
      'a registry of its own',
      () => new ModelRegistry({ url, token, tenantId: 'other' }).listVersions({ modelName: 'line' }),
    ],
    ['a business', () => new MLModelManager(mlSystem.connection).trainModel(config(), 'other')],
  ])('refuses another tenant than that of the token: %s', async (_name, attempt) => {
    expect(await failureOf(attempt())).toMatchObject({ code: 'TENANT_MISMATCH' });
  });

  it('works for a token that may predict and nothing else, and says that its tenant cannot be known', async () => {
    const narrow = await running.twin.issueToken('tenant-123', 'service', { scope: 'predict' });
    const predictor = await createPredictor({ url, token: narrow });
    expect((await predictor.predict('line', [10, 1])).model_id).toBe('line');
    expect(await failureOf(createPredictor({ url, token: narrow, tenantId: 'tenant-123' }))).toMatchObject({
      code: 'TENANT_UNKNOWN',
    });
  });

  it('makes parts that work alone', async () => {
    const trainer = await createTrainer({ url, token });
    const job = await trainer.train({
      ...{ modelId: 'alone', trainingData: tickets, targetColumn: 'category' },
      ...{ hyperparameters: { n_estimators: 5 }, request: { cross_validation: { folds: 2 } } },
    });
    expect(job).toMatchObject({ model_version: '1.0.0', promotion: { decision: 'deploy' } });
    expect(job.cross_validation).toMatchObject({ n_folds: 2 });
    const manager = await createModelManager({ url, token, checkDatabase: false });
    expect((await manager.getModelInfo('alone')).n_versions).toBe(1);
    expect((await mlSystem.predict('alone', X[0]!)).model_version).toBe('1.0.0');
  });
});

const config = () =>
  new TrainingConfig({
    modelType: 'classification',
    modelName: 'fraud_detector',
    data: tickets,
    featureColumns: ['amount', 'country', 'is_new'],
    targetColumn: 'category',
    testSize: 0.2,
    minSamples: 100,
  });

describe('the ML engine', () => {
  it('trains for a business, deploys, takes feedback and monitors', async () => {
    const mlEngine = new MLModelManager({ url, token });
    const metadata = await mlEngine.trainModel(config(), 'tenant-123');
    expect(metadata).toMatchObject({ model_name: 'fraud_detector', version: '1.0.0', stage: 'Production' });
    expect(metadata.manifest.features.map(({ name }) => name)).toEqual(['amount', 'country', 'is_new']);
    expect(await mlEngine.deployModel('fraud_detector', '1.0.0')).toBe(true);
    expect((await mlEngine.getActiveModel('fraud_detector')).version).toBe('1.0.0');

    await mlSystem.connection.client.call('putServing', {
      params: { model_name: 'fraud_detector' as never },
      body: { settings: { log: 'durable' } },
    });
    await expect
      .poll(
        async () => {
          const { prediction_id, prediction } = await mlSystem.predict('fraud_detector', X[0]!);
          const feedback = {
            ...{ modelName: 'fraud_detector', predictionId: prediction_id, actualOutcome: prediction },
            userFeedback: 'Correctly identified fraud',
          };
          return mlEngine.recordFeedback(feedback).catch(({ code }: ApiError) => ({ code }));
        },
        // How the model is served takes effect within 5 seconds.
        { timeout: 15_000 },
      )
      .toMatchObject({ model_name: 'fraud_detector', is_correct: true });
    const metrics = await mlEngine.monitorModelPerformance('fraud_detector', { windowDays: 7 });
    expect(metrics).toMatchObject({ n_samples: 1, metrics: { accuracy: 1 }, status: 'insufficient_data' });

    const { prediction_id } = await mlSystem.predict('line', [1, 1]);
    const stray = { modelName: 'fraud_detector', predictionId: prediction_id, actualOutcome: 1 };
    expect(await failureOf(mlEngine.recordFeedback(stray))).toMatchObject({ code: 'PREDICTION_NOT_FOUND' });
    expect(await failureOf(mlEngine.deployModel('fraud_detector', '9.0.0'))).toMatchObject({
      code: 'VERSION_NOT_FOUND',
    });
  });
});

describe('the training service', () => {
  it('loads, trains, saves the model and the run, numbers it as it is told, and promotes it if it is better', async () => {
    const datasetPath = join(folder, 'training_data.csv');
    const lines = tickets.map((row) =>
      Object.values(row)
        .map((value) => value ?? '')
        .join(','),
    );
    writeFileSync(datasetPath, [Object.keys(tickets[0]!).join(','), ...lines].join('\n'));
    const steps = new Set<string>();
    const trainer = new ModelTrainer({
      ...{ datasetPath, testSplit: 0.25, url, token },
      onProgress: (step) => steps.add(step),
    });
    expect(await failureOf(trainer.saveModel(join(folder, 'early.onnx')))).toMatchObject({
      code: 'MODEL_SAVE_FAILED',
    });
    expect(await trainer.loadData()).toMatchObject({ n_rows: 400, target_column: 'category' });
    const metrics = await trainer.train({ nEstimators: 200, maxDepth: 10 });
    expect(metrics.f1_score).toBeGreaterThan(0.9);
    expect([...steps]).toEqual(expect.arrayContaining(['upload', 'queued']));

    const modelPath = join(folder, 'models', 'model_v1.0.0.onnx');
    await trainer.saveModel(modelPath);
    const session = await InferenceSession.create(modelPath);
    const one = await session.run({
      amount: new Tensor('float32', [9], [1, 1]),
      country: new Tensor('string', ['US'], [1, 1]),
      is_new: new Tensor('float32', [1], [1, 1]),
      age: new Tensor('float32', [30], [1, 1]),
    });
    expect(Number(one.label!.data[0])).toBe(1);
    expect(await failureOf(trainer.saveModel(join(folder, 'model.pkl')))).toMatchObject({
      message: expect.stringMatching(/must end in \.onnx/),
    });
    expect(existsSync(join(folder, 'model.pkl'))).toBe(false);

    const run = await trainer.saveTrainingRun({
      ...{ modelVersion: '1.0.0', modelPath, notes: 'Production model', autoPromote: true },
    });
    expect(run).toMatchObject({
      ...{
        model_name: 'training_data',
        model_version: '1.0.0',
        notes: 'Production model',
        model_path: modelPath,
      },
      promotion: { decision: 'deployed' },
    });
    const saved = await mlSystem.modelRegistry.getVersion({ modelName: 'training_data', version: '1.0.0' });
    expect(saved).toMatchObject({ notes: 'Production model', champion: true });
    expect(saved.manifest.hyperparameters).toMatchObject({ n_estimators: 200, max_depth: 10 });
    expect(saved.manifest.split!.test_size).toBe(0.25);

    await trainer.train({ nEstimators: 3, maxDepth: 1 });
    expect(await failureOf(trainer.saveTrainingRun({ modelPath }))).toMatchObject({
      message: expect.stringMatching(/not the model of this run/),
    });
    const renumbered = await trainer.saveTrainingRun({ modelVersion: '2.0.0', autoPromote: true });
    expect(renumbered).toMatchObject({ model_version: '2.0.0', promotion: { decision: 'kept' } });
    const versions = await mlSystem.modelRegistry.listVersions({ modelName: 'training_data' });
    expect(versions.map(({ version, derived_from }) => [version, derived_from])).toEqual([
      ['2.0.0', '1.1.0'],
      ['1.1.0', undefined],
      ['1.0.0', undefined],
    ]);
    expect(await failureOf(trainer.saveTrainingRun({ modelVersion: '1.5.0' }))).toBeInstanceOf(
      MLFrameworkError,
    );
    await expect(
      new ModelTrainer({ datasetPath, targetColumn: 'absent', url, token }).loadData(),
    ).rejects.toThrow(/"absent" is no column/);
  });
});

describe('the pipeline, deployments and the registry', () => {
  it('trains, compares, deploys what is better and keeps what is not', async () => {
    const pipeline = new MLOpsPipeline(mlSystem.connection);
    const options = { modelId: 'piped', trainingData: tickets, targetColumn: 'category' };
    const steps: string[] = [];
    const first = await pipeline.run({
      ...{ ...options, hyperparameters: { n_estimators: 1, max_depth: 1 } },
      onStep: (step) => steps.push(step),
    });
    expect(steps).toEqual(['train', 'compare', 'gate', 'monitor']);
    expect(first).toMatchObject({ model_id: 'piped', model_version: '1.0.0', decision: 'deployed' });
    expect(first.steps).not.toHaveProperty('compare');
    expect(first.steps.monitor).toMatchObject({ model_version: '1.0.0', status: 'insufficient_data' });

    const same = await pipeline.run({ ...options, hyperparameters: { n_estimators: 1, max_depth: 1 } });
    expect(same).toMatchObject({
      model_version: '1.1.0',
      decision: 'kept',
      reason: expect.stringContaining('not better'),
    });
    expect(same.steps.compare).toMatchObject({ a: '1.0.0', b: '1.1.0', same_holdout: true });
    expect(same.steps.monitor.model_version).toBe('1.0.0');

    const better = await pipeline.run({ ...options, hyperparameters: { n_estimators: 100 } });
    expect(better).toMatchObject({ model_version: '1.2.0', decision: 'deployed' });
    expect(await failureOf(pipeline.run({ ...options, minSamples: 100_000 }))).toMatchObject({
      errorType: 'INSUFFICIENT_SAMPLES',
    });
  });

  it('deploys to environments and to production, rolls back, and keeps the history', async () => {
    const deployment = new ModelDeployment(mlSystem.connection);
    await deployment.deploy('piped', '1.1.0', { environment: 'staging', reason: 'ready for tests' });
    expect(await deployment.activeVersion('piped', 'staging')).toBe('1.1.0');
    expect(await deployment.activeVersion('piped', 'development')).toBeUndefined();
    await expect
      .poll(async () => (await mlSystem.predict('piped', X[0]!, { environment: 'staging' })).model_version, {
        timeout: 15_000,
      })
      .toBe('1.1.0');
    expect(await deployment.activeVersion('piped')).toBe('1.2.0');
    await deployment.deploy('piped', 'staging');
    expect(await deployment.activeVersion('piped')).toBe('1.1.0');
    expect(await deployment.rollback('piped', { reason: 'complaints' })).toMatchObject({
      model_version: '1.2.0',
    });
    await deployment.withdraw('piped', 'staging');
    expect(await deployment.activeVersion('piped', 'staging')).toBeUndefined();
    const history = await deployment.history('piped', { environment: 'production' });
    expect(history.map(({ action, model_version }) => [action, model_version])).toEqual([
      ['rollback', '1.2.0'],
      ['deploy', '1.1.0'],
      ['deploy', '1.2.0'],
      ['deploy', '1.0.0'],
    ]);
    expect(await failureOf(deployment.deploy('piped', '1.0.0', { force: true }))).toMatchObject({
      message: expect.stringContaining('transitionModelStage'),
    });
  });

  it('refuses Development to Production directly, unless it is forced, and records who did it', async () => {
    const registry = mlSystem.modelRegistry;
    await mlSystem.trainModel({
      ...{ modelId: 'piped', trainingData: tickets, targetColumn: 'category', autoPromote: false },
    });
    const move = { modelName: 'piped', version: '1.3.0', stage: 'Production' } as const;
    expect(await failureOf(registry.transitionModelStage(move))).toMatchObject({
      code: 'STAGE_TRANSITION_REFUSED',
    });
    expect(await registry.transitionModelStage({ ...move, force: true, reason: 'urgent' })).toMatchObject({
      ...{ stage: 'Production', champion: true },
    });
    expect(await registry.stageHistory({ modelName: 'piped', version: '1.3.0' })).toContainEqual(
      expect.objectContaining({
        to_stage: 'Production',
        forced: true,
        reason: 'urgent',
        actor: expect.any(String),
      }),
    );
  });

  it('knows aliases, lineage, cards, comparison, numbers, archiving, export and import', async () => {
    const registry = mlSystem.modelRegistry;
    const modelName = 'piped';
    await registry.setAlias({ modelName, alias: 'golden', version: '1.0.0' });
    expect((await registry.listAliases({ modelName })).map(({ alias }) => alias)).toContain('golden');
    expect((await registry.getVersion({ modelName, version: 'golden' })).version).toBe('1.0.0');
    expect((await registry.getLineage({ modelName, version: '1.0.0' })).edges.length).toBeGreaterThan(1);
    expect(await registry.getModelCard({ modelName, version: '1.0.0' })).toMatchObject({ version: '1.0.0' });
    expect(await registry.getModelCardMarkdown({ modelName, version: '1.0.0' })).toMatch(/^# /m);
    expect(await registry.compareVersions({ modelName, a: '1.0.0', b: '1.2.0' })).toMatchObject({
      should_promote: { promote: true },
    });
    const reviewed = await registry.createVersion({ modelName, fromVersion: '1.2.0', notes: 'reviewed' });
    expect(reviewed).toMatchObject({ version: '1.3.1', derived_from: '1.2.0', notes: 'reviewed' });
    const metadata = { tags: { review: 'passed' } };
    expect(await registry.updateVersion({ modelName, version: '1.3.1', metadata })).toMatchObject(metadata);
    const kept = await registry.promote({ modelName, version: '1.1.0' });
    expect(kept).toMatchObject({ decision: 'kept', champion_version: '1.3.0' });
    // 1.0.0 has an alias, 1.3.0 serves, and 1.2.0, which served before 1.3.0, is archived already.
    expect(await registry.archiveOldVersions({ modelName, keepLatest: 1 })).toMatchObject({ archived: [] });
    await registry.removeAlias({ modelName, alias: 'golden' });
    const document = await registry.exportRegistry();
    expect(document.models.map(({ model_name }) => model_name)).toContain('piped');
    expect(await registry.importRegistry(document)).toMatchObject({ models_created: 0, versions_created: 0 });
    expect(await registry.deleteVersion({ modelName, version: '1.3.1' })).toMatchObject({
      status: 'deleted',
    });
    expect(
      (await registry.listVersions({ modelName, stage: 'Production' })).map(({ version }) => version),
    ).toEqual(['1.3.0']);
  });
});

describe('predictors', () => {
  it('answers for one model in real time, and says when it is ready', async () => {
    const realtime = new RealtimePredictor('line', { url, token });
    expect(await realtime.isReady()).toBe(true);
    expect(await realtime.predict([10, 1])).toMatchObject({
      prediction: (await mlSystem.predict('line', [10, 1])).prediction,
      model_id: 'line',
    });
    expect(await new RealtimePredictor('nobody', { url, token }).isReady()).toBe(false);
  });

  it('scores rows, files and datasets into a file, row for row, and says how far it is', async () => {
    const batch = new BatchPredictor({ url, token });
    const output = join(folder, 'scored.csv');
    const fractions: number[] = [];
    const scored = await batch.predict({
      ...{ modelId: 'ticket_classifier', inputData: X, outputPath: output, includeColumns: ['amount'] },
      onProgress: (_step, fraction) => fractions.push(fraction),
    });
    expect(scored).toMatchObject({
      ...{
        model_id: 'ticket_classifier',
        model_version: '1.0.0',
        n_rows: 400,
        n_failed_rows: 0,
        format: 'csv',
      },
      output_path: output,
    });
    expect(fractions.at(-1)).toBe(1);
    const [header, ...lines] = readFileSync(output, 'utf8').trim().split('\n');
    expect(header).toBe('amount,prediction,confidence,prediction_error');
    const online = await mlSystem.predict('ticket_classifier', X);
    expect(lines.map((line) => Number(line.split(',')[1]))).toEqual(
      online.map(({ prediction }) => prediction),
    );

    const again = await batch.predict({
      ...{ modelId: 'ticket_classifier', inputData: { datasetId: scored.dataset_id }, version: '1.0.0' },
    });
    expect(again).toMatchObject({ n_rows: 400, format: 'parquet' });
    expect(
      Buffer.from(await (await fetch(again.url)).arrayBuffer())
        .subarray(0, 4)
        .toString(),
    ).toBe('PAR1');
    const file = join(folder, 'rows.jsonl');
    writeFileSync(file, X.map((row) => JSON.stringify(row)).join('\n'));
    expect(await batch.predict({ modelId: 'ticket_classifier', inputData: { file } })).toMatchObject({
      n_rows: 400,
    });
    const lacking = await failureOf(
      batch.predict({ modelId: 'ticket_classifier', inputData: [{ amount: 1 }] }),
    );
    expect(lacking).toBeInstanceOf(PredictionError);
    expect(lacking.code).toBe('FEATURE_COLUMN_MISSING');
  });

  it('brings rows that are more than a request may hold by an upload', async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => ({ id: i, text: `${'x'.repeat(150)}${i % 7}` }));
    const steps = new Set<string>();
    const dataset = await mlSystem.dataProcessor.createDataset(rows, {
      onProgress: (step) => steps.add(step),
    });
    expect(dataset).toMatchObject({ n_rows: 30_000, n_columns: 2 });
    expect(steps).toContain('upload');
  });
});

describe('docs/typescript.md', () => {
  it('is a program that prints what the page says', async () => {
    const root = join(import.meta.dirname, '../..');
    const page = readFileSync(join(root, 'docs/typescript.md'), 'utf8');
    const blocks = [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, text]) => ({
      language,
      text: text!,
    }));
    const source = blocks
      .filter(({ language }) => language === 'ts')
      .map(({ text }) => text)
      .join('\n')
      .replaceAll("'tenantml'", JSON.stringify(join(root, 'src/index.ts')))
      .replaceAll("'examples/", `'${join(root, 'examples')}/`)
      .replaceAll('http://127.0.0.1:5000', url);
    const program = join(folder, 'page.ts');
    writeFileSync(program, source);
    const { stdout } = await promisify(execFile)(process.execPath, [program], { cwd: folder });
    const printed = blocks.filter(({ language }) => language === '').map(({ text }) => text);
    expect(printed.length).toBeGreaterThan(5);
    expect(stdout).toBe(printed.join(''));
  });
});
