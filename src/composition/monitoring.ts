/** Makes what feedback and performance are read and written with, from the deployment's settings. */
import { DynamoDbServingPointers } from '../adapters/aws/dynamodb-serving-pointers.ts';
import { S3VersionFiles } from '../adapters/aws/s3-version-files.ts';
import { SignedObjects } from '../adapters/aws/signed-objects.ts';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';
import type { ModelName } from '../contracts/names.ts';
import { deployedManifest } from '../serving/deployed-manifest.ts';
import { PredictionHistory } from '../serving/log/prediction-history.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import { manifestSignatures } from './signatures.ts';
import { artifactObjects, dynamodb, feedbackStore, settingsStore } from './stores.ts';
import { tenantSessions } from './tenant-sessions.ts';

/** @returns what looks up what the deployed version of a model is made of */
export function deployedVersions() {
  const champions = new DynamoDbServingPointers(dynamodb(), config.servingTable);
  const versions = new S3VersionFiles(artifactObjects);
  const signatures = manifestSignatures();
  return (tenant: TenantContext, model: ModelName) =>
    deployedManifest(tenant, model, { champions, versions, signatures });
}

export function monitoringPlane() {
  // Read here, so that a wrong one stops the function when it starts.
  const { performanceThreshold: threshold, retrainingFeedbackThreshold: minSamples } = config;
  const predictions = new SignedObjects({
    ...{ region: config.region, bucket: config.predictionBucket, endpoint: config.endpoint('S3') },
    sessions: tenantSessions,
  });
  return {
    clock: systemClock,
    predictions: new PredictionHistory(predictions),
    feedback: feedbackStore(),
    deployed: deployedVersions(),
    rule: async (tenant: TenantContext) => {
      const { own } = await settingsStore().read(tenant);
      return {
        threshold: own.performance_threshold ?? threshold,
        minSamples: own.retraining_feedback_threshold ?? minSamples,
      };
    },
  };
}
