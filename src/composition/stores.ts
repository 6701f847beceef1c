/** Makes the stores of the hot plane from the deployment's settings. */
import { documentClients } from '../adapters/aws/document-client.ts';
import { DynamoDbFeedbackStore } from '../adapters/aws/dynamodb-feedback-store.ts';
import { DynamoDbJobStore } from '../adapters/aws/dynamodb-job-store.ts';
import { DynamoDbRetrainingRuns } from '../adapters/aws/dynamodb-retraining-runs.ts';
import { DynamoDbRetrainingSchedules } from '../adapters/aws/dynamodb-retraining-schedules.ts';
import { DynamoDbTenantSettings } from '../adapters/aws/dynamodb-tenant-settings.ts';
import { S3DatasetStore } from '../adapters/aws/s3-dataset-store.ts';
import { S3Objects, s3Clients } from '../adapters/aws/s3-objects.ts';
import { StagingUploadStore } from '../adapters/aws/staging-upload-store.ts';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';
import { tenantSessions } from './tenant-sessions.ts';

const once = <Value>(make: () => Value): (() => Value) => {
  let made: { value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

export const dynamodb = once(() => documentClients(tenantSessions));
export const s3 = once(() => s3Clients(tenantSessions));

export const artifactObjects = once(() => new S3Objects(s3(), config.artifactBucket));
/** Its links are signed before there is a body: by default the SDK would sign the checksum of an empty one into them. */
const presigningS3 = once(() => s3Clients(tenantSessions, { requestChecksumCalculation: 'WHEN_REQUIRED' }));
export const stagingObjects = once(() => new S3Objects(presigningS3(), config.stagingBucket));
export const resultObjects = once(() => new S3Objects(s3(), config.resultBucket));
export const jobStore = once(() => new DynamoDbJobStore(dynamodb(), config.jobsTable, systemClock));
export const schedules = once(() => new DynamoDbRetrainingSchedules(dynamodb(), config.jobsTable));
export const retrainingRuns = once(() => new DynamoDbRetrainingRuns(dynamodb(), config.jobsTable));
export const settingsStore = once(() => new DynamoDbTenantSettings(dynamodb(), config.servingTable));
export const feedbackStore = once(
  () => new DynamoDbFeedbackStore(dynamodb(), config.feedbackTable, config.predictionLogDays),
);
export const datasetStore = once(() => new S3DatasetStore(artifactObjects()));
export const uploadStore = once(
  () => new StagingUploadStore(dynamodb(), config.jobsTable, stagingObjects(), systemClock),
);
