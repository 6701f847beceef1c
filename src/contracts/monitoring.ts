import { z } from 'zod';
import { ClassLabel } from './class-label.ts';
import { ModelName, Timestamp } from './names.ts';
import { Task } from './training.ts';

/** What turned out to be true for a prediction. */
export const FeedbackData = z
  .strictObject({
    model_name: ModelName.optional().describe('The model that predicted; with another one it is 404'),
    prediction_id: z.string().min(1).max(100),
    actual_outcome: z
      .union([z.string().max(1_000), z.number(), z.boolean()])
      .describe('The label or value that was right, of the type of the prediction'),
    user_feedback: z.string().max(2_000).optional().describe('What people say of the prediction'),
  })
  .meta({ id: 'FeedbackData' });
export type FeedbackData = z.infer<typeof FeedbackData>;

export const FeedbackResponse = z
  .object({
    prediction_id: z.string(),
    model_name: ModelName,
    model_version: z.string().describe('The version that predicted'),
    predicted: ClassLabel,
    actual_outcome: ClassLabel,
    is_correct: z.boolean().optional().describe('Classification only'),
    recorded_at: Timestamp,
  })
  .meta({ id: 'FeedbackResponse' });
export type FeedbackResponse = z.infer<typeof FeedbackResponse>;

/** Of predictions whose truth is known. Metrics are named and computed as those of the test part. */
export const ModelPerformanceMetrics = z
  .object({
    n_samples: z.int(),
    metrics: z.record(z.string(), z.number()),
    from: Timestamp.optional().describe('Of the oldest prediction that was counted'),
    to: Timestamp.optional().describe('Of the newest'),
  })
  .meta({ id: 'ModelPerformanceMetrics' });
export type ModelPerformanceMetrics = z.infer<typeof ModelPerformanceMetrics>;

export const ModelPerformanceResponse = z
  .object({
    model_name: ModelName,
    model_version: z.string(),
    task: Task,
    live: ModelPerformanceMetrics.describe('By feedback'),
    baseline: z.record(z.string(), z.number()).describe('Of the test part, when it was trained'),
    metric_name: z.string().describe('The metric that the threshold is of'),
    threshold: z.number(),
    status: z.enum(['healthy', 'degraded', 'insufficient_data']),
    reason: z.string(),
  })
  .meta({ id: 'ModelPerformanceResponse' });
export type ModelPerformanceResponse = z.infer<typeof ModelPerformanceResponse>;

export const RetrainRequest = z
  .strictObject({
    auto_promote: z
      .boolean()
      .default(true)
      .describe('Deploy it when it beats the champion on the same holdout'),
    notes: z.string().max(2_000).optional(),
  })
  .meta({ id: 'RetrainRequest' });
export type RetrainRequest = z.infer<typeof RetrainRequest>;
