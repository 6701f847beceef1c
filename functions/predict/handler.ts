import packageJson from '../../package.json' with { type: 'json' };
import { checkFitting } from '../../src/adapters/aws/lambda/answer-size.ts';
import { failureLine, warningLine } from '../../src/adapters/aws/lambda/failure-line.ts';
import { failureOf } from '../../src/adapters/aws/lambda/failure-of.ts';
import { predictFunction } from '../../src/adapters/aws/lambda/predict-function.ts';
import { RequestFigures } from '../../src/adapters/aws/lambda/request-figures.ts';
import { onShutdown } from '../../src/adapters/aws/lambda/shutdown.ts';
import { S3LogSink } from '../../src/adapters/aws/s3-log-sink.ts';
import { SageMakerEndpoints } from '../../src/adapters/aws/sagemaker-endpoints.ts';
import { SignedLimitLeases } from '../../src/adapters/aws/signed-limit-leases.ts';
import { SignedObjects } from '../../src/adapters/aws/signed-objects.ts';
import { SignedPredictionCache } from '../../src/adapters/aws/signed-prediction-cache.ts';
import { SignedServingStore } from '../../src/adapters/aws/signed-serving-store.ts';
import { SignedTable } from '../../src/adapters/aws/signed-table.ts';
import { OnnxruntimeExecutor } from '../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { systemClock as clock } from '../../src/clock.ts';
import { rowBatches } from '../../src/composition/row-batches.ts';
import { config } from '../../src/config.ts';
import { cacheBudgetBytes } from '../../src/serving/cache/cache-budget.ts';
import { ChoosingExecutor } from '../../src/serving/choosing-executor.ts';
import { TypeScriptExecutor } from '../../src/serving/graph/typescript-executor.ts';
import { ServingApp } from '../../src/serving/http/serving-app.ts';
import { TenantGate } from '../../src/serving/limits/tenant-gate.ts';
import { KnownLimits } from '../../src/serving/limits/tenant-limits.ts';
import { BufferedPredictionLog } from '../../src/serving/log/buffered-log.ts';
import { PredictionHistory } from '../../src/serving/log/prediction-history.ts';
import { Predictor } from '../../src/serving/predictor.ts';

const { region } = config;
const endpoint = config.endpoint('DYNAMODB');
const objects = new SignedObjects({ region, bucket: config.artifactBucket, endpoint: config.endpoint('S3') });
const store = new SignedServingStore(
  new SignedTable({ region, endpoint, table: config.servingTable }),
  objects,
);
const transient = new SignedTable({ region, endpoint, table: config.transientTable });
const log = new BufferedPredictionLog({
  ...{ clock, sink: new S3LogSink(objects) },
  secret: () => store.predictionIdKey(),
  onFailure: (error, lost) => warningLine('the prediction log could not be written', error, lost),
});
const predictor = new Predictor({
  ...{
    store,
    clock,
    log,
    executor: new ChoosingExecutor(new TypeScriptExecutor(), new OnnxruntimeExecutor()),
  },
  outputs: new SignedPredictionCache(transient, clock),
  endpoints: new SageMakerEndpoints({ region, endpoint: config.endpoint('SAGEMAKER_RUNTIME') }),
  cacheBytes: cacheBudgetBytes(config.functionMemoryMiB),
  maxModels: config.modelCacheSize,
});
const app = new ServingApp({
  ...{ predictor, version: packageJson.version, history: new PredictionHistory(objects) },
  batches: rowBatches(store),
  gate: new TenantGate({
    limits: new KnownLimits(store, config.tenantPlans),
    leases: new SignedLimitLeases(transient),
    clock,
  }),
  ...{ failureOf, onFailure: failureLine, checkAnswer: checkFitting },
});
const figures = new RequestFigures({ stage: config.stage, namespace: 'TenantML', clock });
onShutdown(config.runtimeApi, async () => {
  figures.flush();
  await log.flush();
});

export const handler = predictFunction(app, { clock, figures, hooks: { afterCall: () => log.flushIfDue() } });
