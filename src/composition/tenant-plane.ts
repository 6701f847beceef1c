/** Makes what the admins of tenants work with, from the deployment's settings. */
import { ulid } from 'ulid';
import { DynamoDbApiKeys } from '../adapters/aws/dynamodb-api-keys.ts';
import { DynamoDbMemberships } from '../adapters/aws/dynamodb-memberships.ts';
import { systemClock as clock } from '../clock.ts';
import { config } from '../config.ts';
import { agreedLimits } from '../serving/limits/agreed-limits.ts';
import { ApiKeys } from '../tenancy/api-keys.ts';
import { Members } from '../tenancy/members.ts';
import { Settings } from '../tenancy/settings.ts';
import { jobRetentionSeconds } from '../training/job-store.ts';
import { dynamodb, settingsStore } from './stores.ts';

const secondsOfDay = 24 * 60 * 60;

export function tenantPlane() {
  const plans = config.tenantPlans;
  return {
    apiKeys: new ApiKeys({
      store: new DynamoDbApiKeys(dynamodb(), config.accessTable, clock),
      newId: () => ulid(),
      clock,
    }),
    members: new Members(new DynamoDbMemberships(dynamodb(), config.accessTable), clock),
    settings: new Settings({
      store: settingsStore(),
      clock,
      planLimits: (plan) => agreedLimits(plans, plan),
      // Read here, so that a wrong one stops the function when it starts.
      defaults: {
        performance_threshold: config.performanceThreshold,
        retraining_feedback_threshold: config.retrainingFeedbackThreshold,
        log_features: 'keep',
      },
      trainingTimeoutMinutes: config.trainingTimeoutMinutes,
      keptDays: {
        prediction_log_days: config.predictionLogDays,
        job_days: jobRetentionSeconds / secondsOfDay,
      },
    }),
  };
}
