/** Makes what batch predictions are started and read with, from the deployment's settings. */
import { ulid } from 'ulid';
import { DynamoDbServingPointers } from '../adapters/aws/dynamodb-serving-pointers.ts';
import { S3BatchFiles } from '../adapters/aws/s3-batch-files.ts';
import { S3VersionFiles } from '../adapters/aws/s3-version-files.ts';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';
import type { JobId } from '../contracts/names.ts';
import { BatchPredictions } from '../serving/batch/batch-predictions.ts';
import type { Executions } from '../training/executions.ts';
import { manifestSignatures } from './signatures.ts';
import {
  artifactObjects,
  datasetStore,
  dynamodb,
  jobStore,
  resultObjects,
  stagingObjects,
} from './stores.ts';

export const batchFiles = () =>
  new S3BatchFiles({ staging: stagingObjects, results: resultObjects }, systemClock);

export const batchPredictions = (executions: Executions) =>
  new BatchPredictions({
    executions,
    jobs: jobStore(),
    datasets: datasetStore(),
    champions: new DynamoDbServingPointers(dynamodb(), config.servingTable),
    versions: new S3VersionFiles(artifactObjects),
    signatures: manifestSignatures(),
    files: batchFiles(),
    newJobId: () => ulid() as JobId,
    clock: systemClock,
  });
