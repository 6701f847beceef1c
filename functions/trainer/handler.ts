import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { StagingWorkFiles } from '../../src/adapters/aws/staging-work-files.ts';
import { OnnxruntimeExecutor } from '../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { ThreadPool } from '../../src/adapters/worker-threads/thread-pool.ts';
import { systemClock } from '../../src/clock.ts';
import { artifactStore } from '../../src/composition/artifacts.ts';
import { openDuckDb } from '../../src/composition/duckdb.ts';
import { datasetStore, jobStore, stagingObjects } from '../../src/composition/stores.ts';
import { config } from '../../src/config.ts';
import { runStep, type StepParts } from '../../src/training/run-step.ts';
import type { StepEvent, TrainerStepName } from '../../src/training/steps/step.ts';

/** Time to write a checkpoint and answer before Lambda stops the function. */
const reserveMs = 30_000;

const parts: StepParts = {
  jobs: jobStore(),
  datasets: datasetStore(),
  workFiles: new StagingWorkFiles(stagingObjects()),
  artifacts: artifactStore(),
  executor: new OnnxruntimeExecutor(),
  openEngine: openDuckDb,
  clock: systemClock,
  parallel: new ThreadPool(),
};

export const handler = stepFunction<StepEvent<TrainerStepName>, unknown>((event, context) => {
  const lambdaMs = context.getRemainingTimeInMillis() - reserveMs;
  const sliceMs = (config.trainingSliceSeconds ?? Number.POSITIVE_INFINITY) * 1_000;
  return runStep(event, parts, {
    requestId: context.awsRequestId,
    stopAtMs: systemClock.nowMs() + Math.min(lambdaMs, sliceMs),
  });
});
