import { z } from 'zod';
import { FeedbackData, FeedbackResponse, ModelPerformanceResponse, RetrainRequest } from './monitoring.ts';
import { ModelName } from './names.ts';
import { ok, type Route } from './route.ts';
import { ModelTrainingResponse } from './training.ts';

const ofModel = z.object({ model_name: ModelName });
const maxFeedbackBytes = 16 * 1024;

/** How models do once they serve. */
export const monitoringRoutes = {
  recordFeedback: {
    method: 'POST',
    path: '/api/v1/ml/feedback',
    function: 'monitoring',
    authorized: true,
    scope: 'data:write',
    tag: 'monitoring',
    summary: 'Say what was true for a prediction',
    description: 'Said again for the same prediction, the last word counts.',
    body: FeedbackData,
    example: { prediction_id: 'AaIT9hMLqhDgIGoAAAMAH5BMckUYstCm', actual_outcome: 'urgent' },
    maxBodyBytes: maxFeedbackBytes,
    repeatable: () => true,
    answers: ok(FeedbackResponse, 'It is recorded'),
  },
  getPerformance: {
    method: 'GET',
    path: '/api/v1/ml/models/{model_name}/performance',
    function: 'monitoring',
    authorized: true,
    scope: 'models:read',
    tag: 'monitoring',
    summary: 'Show how the deployed version does by feedback, beside its test metrics',
    params: ofModel,
    query: z.object({
      window_days: z.coerce.number().int().min(1).max(90).default(30).describe('Predictions of these days'),
    }),
    answers: ok(ModelPerformanceResponse, 'Metrics, threshold and verdict'),
  },
  retrainModel: {
    method: 'POST',
    path: '/api/v1/ml/models/{model_name}/retrain',
    function: 'train',
    authorized: true,
    scope: 'models:write',
    tag: 'monitoring',
    summary: 'Train the deployed version again, as it was trained',
    description: 'Answers at once with a job. While one of these runs, a second is refused.',
    params: ofModel,
    body: RetrainRequest,
    example: { notes: 'new branch offices' },
    maxBodyBytes: maxFeedbackBytes,
    answers: { 202: { description: 'The job', schema: ModelTrainingResponse } },
  },
} as const satisfies Record<string, Route>;
