import packageJson from '../../package.json' with { type: 'json' };
import { checkFitting } from '../../src/adapters/aws/lambda/answer-size.ts';
import { failureLine } from '../../src/adapters/aws/lambda/failure-line.ts';
import { failureOf } from '../../src/adapters/aws/lambda/failure-of.ts';
import { predictFunction } from '../../src/adapters/aws/lambda/predict-function.ts';
import { RequestFigures } from '../../src/adapters/aws/lambda/request-figures.ts';
import { SignedServingStore } from '../../src/adapters/aws/signed-serving-store.ts';
import { OnnxruntimeExecutor } from '../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { systemClock as clock } from '../../src/clock.ts';
import { config } from '../../src/config.ts';
import { ServingApp } from '../../src/serving/http/serving-app.ts';
import { cacheBudgetBytes, Predictor } from '../../src/serving/predictor.ts';

const predictor = new Predictor({
  store: new SignedServingStore({
    region: config.region,
    table: config.servingTable,
    bucket: config.artifactBucket,
    dynamodbEndpoint: config.endpoint('DYNAMODB'),
    s3Endpoint: config.endpoint('S3'),
  }),
  executor: new OnnxruntimeExecutor(),
  clock,
  cacheBytes: cacheBudgetBytes(config.functionMemoryMiB),
  maxModels: config.modelCacheSize,
});

export const handler = predictFunction(
  new ServingApp({
    predictor,
    version: packageJson.version,
    failureOf,
    onFailure: failureLine,
    checkAnswer: checkFitting,
  }),
  {
    clock,
    figures: new RequestFigures({ stage: config.stage, namespace: 'TenantML', clock }),
  },
);
