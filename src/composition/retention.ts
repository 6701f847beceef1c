/** Makes what removes old things of tenants, from the deployment's settings. */
import { AgedJobs } from '../adapters/aws/aged-jobs.ts';
import { AgedPredictions } from '../adapters/aws/aged-predictions.ts';
import { systemClock as clock } from '../clock.ts';
import { config } from '../config.ts';
import type { RetentionParts } from '../tenancy/retention.ts';
import { dynamodb, s3, settingsStore } from './stores.ts';

export const retentionParts = (onFailure: RetentionParts['onFailure']): RetentionParts => ({
  ...{ clock, onFailure },
  wishes: settingsStore(),
  stores: {
    prediction_log_days: new AgedPredictions(s3(), config.predictionBucket),
    job_days: new AgedJobs(dynamodb(), config.jobsTable),
  },
});
