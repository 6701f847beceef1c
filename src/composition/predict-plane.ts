/** Makes what the predict function serves with, from the deployment's settings: no SDK, no schemas, no tracer. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { checkFitting } from '../adapters/aws/lambda/answer-size.ts';
import { failureLine, warningLine } from '../adapters/aws/lambda/failure-line.ts';
import { failureOf } from '../adapters/aws/lambda/failure-of.ts';
import { refusedArtifact } from '../adapters/aws/lambda/refused-artifact.ts';
import { RequestFigures } from '../adapters/aws/lambda/request-figures.ts';
import { S3LogSink } from '../adapters/aws/s3-log-sink.ts';
import { SageMakerEndpoints } from '../adapters/aws/sagemaker-endpoints.ts';
import { SignedLimitLeases } from '../adapters/aws/signed-limit-leases.ts';
import { SignedObjects } from '../adapters/aws/signed-objects.ts';
import { SignedPredictionCache } from '../adapters/aws/signed-prediction-cache.ts';
import { SignedServingStore } from '../adapters/aws/signed-serving-store.ts';
import { SignedTable } from '../adapters/aws/signed-table.ts';
import { DiskArtifactTier } from '../adapters/disk/disk-artifact-tier.ts';
import { OnnxruntimeExecutor } from '../adapters/onnxruntime/onnxruntime-executor.ts';
import { systemClock as clock } from '../clock.ts';
import { config } from '../config.ts';
import type { ModelName } from '../contracts/names.ts';
import { cacheBudgetBytes } from '../serving/cache/cache-budget.ts';
import { CacheReport } from '../serving/cache/cache-report.ts';
import { ResidentWatch, residentMarks } from '../serving/cache/resident-watch.ts';
import { ChoosingExecutor } from '../serving/choosing-executor.ts';
import { TypeScriptExecutor } from '../serving/graph/typescript-executor.ts';
import { ServingApp } from '../serving/http/serving-app.ts';
import { TenantGate } from '../serving/limits/tenant-gate.ts';
import { KnownLimits } from '../serving/limits/tenant-limits.ts';
import { BufferedPredictionLog } from '../serving/log/buffered-log.ts';
import { PredictionHistory } from '../serving/log/prediction-history.ts';
import { SignedManifests } from '../serving/manifest-signatures.ts';
import { ModelCache } from '../serving/model-cache.ts';
import { Predictor, type Resident } from '../serving/predictor.ts';
import { TenantContext } from '../tenancy/tenant-context.ts';
import { importedGraphs } from './imported-graphs.ts';
import { rowBatches } from './row-batches.ts';
import { tenantSessions } from './tenant-sessions.ts';

const minuteMs = 60_000;

/** Models that the operator of the deployment wants in memory at once; a setting of its own names their tenants. */
export const prewarmList = () =>
  config.prewarmModels.map(({ tenant, model }) => ({
    tenant: TenantContext.fromClaims(
      { tenant, role: 'service', subject: 'prewarm', expires_at: Number.POSITIVE_INFINITY },
      'prewarm',
      0,
    ),
    model: model as ModelName,
  }));

export function predictPlane() {
  const { region } = config;
  const sessions = tenantSessions;
  const endpoint = config.endpoint('DYNAMODB');
  const objects = new SignedObjects({
    ...{ region, sessions, bucket: config.artifactBucket, endpoint: config.endpoint('S3') },
  });
  const predictions = new SignedObjects({
    ...{ region, sessions, bucket: config.predictionBucket, endpoint: config.endpoint('S3') },
  });
  const store = new SignedServingStore(
    new SignedTable({ region, sessions, endpoint, table: config.servingTable }),
    objects,
  );
  // It holds what may be lost: a call that waits for it longer than this is better off without.
  const transient = new SignedTable(
    { region, sessions, endpoint, table: config.transientTable },
    { timeoutMs: 1_000, attempts: 1 },
  );
  const log = new BufferedPredictionLog({
    ...{ clock, sink: new S3LogSink(predictions) },
    secret: () => store.predictionIdKey(),
    shadow: (tenant, call) => predictor.shadow(tenant, call),
    onFailure: (error, lost) => warningLine('the prediction log could not be written', error, lost),
  });
  const cache = new ModelCache<Resident>(
    {
      ...{ budgetBytes: cacheBudgetBytes(config.functionMemoryMiB), maxModels: config.modelCacheSize },
      idleForMs: config.modelCacheIdleMinutes * minuteMs,
    },
    clock,
  );
  const limits = new KnownLimits(store, config.tenantPlans);
  const predictor: Predictor = new Predictor({
    ...{ store, clock, log, cache, limits },
    signatures: new SignedManifests({
      publicKey: (keyId) => store.publicKey(keyId),
      unsigned: config.unsignedModels,
    }),
    onRefused: () => figures.record(refusedArtifact),
    tier: new DiskArtifactTier(join(tmpdir(), 'artifacts'), config.artifactDiskBytes),
    executor: new ChoosingExecutor(new TypeScriptExecutor(), new OnnxruntimeExecutor()),
    outputs: new SignedPredictionCache(transient, clock),
    imported: importedGraphs(objects, { rowsWithinMs: 17_000 }),
    endpoints: new SageMakerEndpoints({
      ...{ region, sessions, endpoint: config.endpoint('SAGEMAKER_RUNTIME') },
    }),
  });
  const app = new ServingApp({
    ...{ predictor, version: packageJson.version, history: new PredictionHistory(predictions) },
    gate: new TenantGate({
      ...{ limits, leases: new SignedLimitLeases(transient), clock },
      onFailure: (error) => warningLine('limits could not be asked for, and a call passed', error, {}),
    }),
    batches: rowBatches(store),
    ...{ failureOf, onFailure: failureLine, checkAnswer: checkFitting },
  });
  const figures = new RequestFigures({ stage: config.stage, namespace: 'TenantML', clock });
  const report = new CacheReport(cache, clock);
  const watch = new ResidentWatch(residentMarks(config.functionMemoryMiB), cache, process.memoryUsage.rss);
  return {
    ...{ app, clock, figures, predictor },
    /** What has its time at the end of a call. @returns whether the process is to be replaced */
    async afterCall(): Promise<boolean> {
      const nowMs = clock.nowMs();
      cache.tick(nowMs);
      const lines = report.due(nowMs);
      if (lines !== undefined) figures.record(lines);
      const isSpent = watch.endOfCall(nowMs).action === 'recycle';
      if (!isSpent) {
        await log.flushIfDue();
        return false;
      }
      await log.flush();
      // What the store did not take goes with the process; it lives on while it may take it.
      return log.bufferedRows === 0;
    },
    /** Before the process ends. */
    async end(): Promise<void> {
      figures.flush();
      await log.flush({ shadowForMs: 0 });
    },
  };
}
