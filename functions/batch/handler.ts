import { refusedArtifact } from '../../src/adapters/aws/lambda/refused-artifact.ts';
import { RequestFigures } from '../../src/adapters/aws/lambda/request-figures.ts';
import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { S3VersionFiles } from '../../src/adapters/aws/s3-version-files.ts';
import { SignedObjects } from '../../src/adapters/aws/signed-objects.ts';
import { OnnxruntimeExecutor } from '../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { systemClock } from '../../src/clock.ts';
import { batchFiles } from '../../src/composition/batch.ts';
import { batchModelLimitBytes, openBatchDuckDb } from '../../src/composition/batch-engine.ts';
import { importedGraphs } from '../../src/composition/imported-graphs.ts';
import { manifestSignatures } from '../../src/composition/signatures.ts';
import { artifactObjects, datasetStore, jobStore } from '../../src/composition/stores.ts';
import { tenantSessions } from '../../src/composition/tenant-sessions.ts';
import { config } from '../../src/config.ts';
import { KeptDataset } from '../../src/data/kept-dataset.ts';
import type { BatchParts, BatchState, BatchStepEvent } from '../../src/serving/batch/batch-step.ts';
import { LastModel } from '../../src/serving/batch/pinned-version.ts';
import { runBatchStep } from '../../src/serving/batch/run-batch-step.ts';
import { ChoosingExecutor } from '../../src/serving/choosing-executor.ts';
import { TypeScriptExecutor } from '../../src/serving/graph/typescript-executor.ts';
import { ArtifactRefusedError } from '../../src/serving/served-model.ts';

const parts: BatchParts = {
  jobs: jobStore(),
  datasets: datasetStore(),
  keptDataset: new KeptDataset(datasetStore()),
  versions: new S3VersionFiles(artifactObjects),
  signatures: manifestSignatures(),
  lastModel: new LastModel(
    new ChoosingExecutor(new TypeScriptExecutor(), new OnnxruntimeExecutor()),
    importedGraphs(
      new SignedObjects({
        ...{ region: config.region, bucket: config.artifactBucket, endpoint: config.endpoint('S3') },
        sessions: tenantSessions,
      }),
    ),
  ),
  modelLimitBytes: batchModelLimitBytes(),
  files: batchFiles(),
  openEngine: openBatchDuckDb,
  clock: systemClock,
  resultDays: config.batchResultDays,
  rowsPerPart: config.batchPartRows,
};

const figures = new RequestFigures({ stage: config.stage, namespace: 'TenantML', clock: systemClock });

export const handler = stepFunction<BatchStepEvent, BatchState>((event, context) =>
  runBatchStep(event, parts, context.awsRequestId).catch((error: unknown) => {
    if (error instanceof ArtifactRefusedError) figures.record(refusedArtifact);
    throw error;
  }),
);
