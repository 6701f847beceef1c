import { type Clock, isoAt } from '../clock.ts';
import type { ClassLabel } from '../contracts/class-label.ts';
import type { FeedbackData, FeedbackResponse } from '../contracts/monitoring.ts';
import type { ModelName } from '../contracts/names.ts';
import { ValidationError } from '../errors.ts';
import type { LogRecord } from '../serving/log/log-record.ts';
import { PredictionNotFoundError } from '../serving/log/prediction-history.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';

/** Feedback of another type than the prediction is a mistake, not a wrong prediction. */
export class FeedbackTypeError extends ValidationError {
  constructor(actual: unknown, predicted: unknown) {
    super(
      `actual_outcome is a ${typeof actual}, and the prediction ${JSON.stringify(predicted)} is a ${typeof predicted}; send a ${typeof predicted}`,
      {
        code: 'FEEDBACK_TYPE_MISMATCH',
        errors: [{ pointer: '/actual_outcome', detail: `must be a ${typeof predicted}` }],
      },
    );
  }
}

/** A prediction with what turned out to be true. */
export interface Feedback {
  readonly predictionId: string;
  readonly modelName: ModelName;
  readonly modelVersion: string;
  readonly predicted: ClassLabel;
  readonly actual: ClassLabel;
  readonly predictedAt: string;
  readonly recordedAt: string;
  readonly actor: string;
  readonly comment: string | undefined;
}

/** What is known of predictions afterwards; one entry a prediction. */
export interface FeedbackStore {
  /** Said again for a prediction, it takes the place of what was said before. */
  put(tenant: TenantContext, feedback: Feedback): Promise<void>;
  /** Of predictions of a version since then, newest first; at most so many. */
  since(
    tenant: TenantContext,
    of: { readonly model: ModelName; readonly version: string },
    options: { readonly from: string; readonly limit: number },
  ): Promise<readonly Feedback[]>;
}

/**
 * Joins feedback to its prediction, which the log has: what was predicted is not taken from whoever sends feedback.
 * @throws {PredictionNotFoundError} when the tenant, or the model, never gave such a prediction, or it is not written yet
 * @throws {FeedbackTypeError}
 */
export async function recordFeedback(
  tenant: TenantContext,
  { prediction_id, model_name: asked, actual_outcome: actual, user_feedback: comment }: FeedbackData,
  parts: {
    readonly predictions: { find(tenant: TenantContext, id: string): Promise<LogRecord> };
    readonly feedback: FeedbackStore;
    readonly clock: Clock;
  },
): Promise<FeedbackResponse> {
  const { model_name, model_version, prediction, probabilities, time } = await parts.predictions.find(
    tenant,
    prediction_id,
  );
  if (asked !== undefined && asked !== model_name) throw new PredictionNotFoundError(prediction_id);
  if (typeof actual !== typeof prediction) throw new FeedbackTypeError(actual, prediction);
  const recordedAt = isoAt(parts.clock.nowMs());
  await parts.feedback.put(tenant, {
    ...{ predictionId: prediction_id, modelName: model_name as ModelName, modelVersion: model_version },
    ...{ predicted: prediction, actual: actual as ClassLabel, predictedAt: time, recordedAt },
    ...{ actor: tenant.actor, comment },
  });
  const isClass = probabilities !== undefined || typeof prediction !== 'number';
  return {
    ...{ prediction_id, model_name: model_name as ModelName, model_version },
    ...{ predicted: prediction, actual_outcome: actual as ClassLabel, recorded_at: recordedAt },
    ...(isClass ? { is_correct: actual === prediction } : {}),
  };
}
