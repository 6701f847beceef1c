import { predictFunction } from '../../src/adapters/aws/lambda/predict-function.ts';
import { SignedServingStore } from '../../src/adapters/aws/signed-serving-store.ts';
import { OnnxruntimeExecutor } from '../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { systemClock } from '../../src/clock.ts';
import { config } from '../../src/config.ts';
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
  clock: systemClock,
  cacheBytes: cacheBudgetBytes(config.functionMemoryMiB),
  maxModels: config.modelCacheSize,
});

export const handler = predictFunction(predictor, systemClock);
