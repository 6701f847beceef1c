import { z } from 'zod';
import { TrialEnvironment } from './environments.ts';
import { ClassLabel } from './models.ts';
import { ModelName, Timestamp } from './names.ts';

/** Most rows of one predict call; more go through a batch job. */
export const maxPredictRows = 1_000;
/** Largest body of one predict call, in bytes. */
export const maxPredictBytes = 4 * 1024 * 1024;

const FeatureValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const Row = z.union([
  z.record(z.string(), FeatureValue).describe('By feature name; what is left out is missing'),
  z.array(FeatureValue).describe('In feature order'),
]);

export const PredictionRequest = z
  .strictObject({
    input_data: z
      .union([Row, z.array(Row).min(1).max(maxPredictRows)])
      .describe('One row, or a list of rows'),
    explain: z.literal('shap').optional().describe('Adds to each result what each feature did to it'),
  })
  .meta({ id: 'PredictionRequest' });

/** Score k of a row is `base_values[k]` plus the sum of the features' k-th values. */
export const Explanation = z
  .object({
    method: z.literal('shap'),
    scale: z
      .enum(['log_odds', 'class_scores', 'probability', 'prediction', 'log_prediction'])
      .describe(
        'What the scores are: log odds or probability of the second class, one a class, the prediction',
      ),
    base_values: z.array(z.number()),
    values: z.record(z.string(), z.array(z.number())).describe('By feature'),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof Explanation>;

export const Prediction = z
  .object({
    prediction: ClassLabel,
    probabilities: z
      .array(z.number())
      .optional()
      .describe('Ordered as the classes of the version; classification only'),
    confidence: z.number().optional().describe('The largest probability; classification only'),
    model_id: ModelName,
    model_version: z.string(),
    prediction_id: z.string(),
    explanation: Explanation.optional(),
    request_id: z.string().optional(),
  })
  .meta({ id: 'Prediction' });
export type Prediction = z.infer<typeof Prediction>;

export const PredictionResponse = z
  .union([Prediction, z.array(Prediction)])
  .meta({ id: 'PredictionResponse' });

/** The alias keeps the form of its own document: the bare feature object in, the usual result under `prediction`. */
export const BarePredictionRequest = z.record(z.string(), FeatureValue).meta({ id: 'BarePredictionRequest' });
export const WrappedPrediction = z.object({ prediction: Prediction }).meta({ id: 'WrappedPrediction' });

export const BatchedPredictionRequest = z
  .strictObject({
    input_batch: z.array(Row).min(1).max(maxPredictRows),
    batch_size: z
      .int()
      .min(1)
      .max(maxPredictRows)
      .default(32)
      .describe('Accepted for clients that send it: all rows of a call are scored at once'),
  })
  .meta({ id: 'BatchedPredictionRequest' });

export const LoggedPrediction = z
  .object({
    prediction_id: z.string(),
    time: Timestamp,
    request_id: z.string(),
    model_name: ModelName,
    model_version: z.string(),
    environment: TrialEnvironment.optional().describe('Where it was asked for; absent in production'),
    features: z
      .record(z.string(), FeatureValue)
      .optional()
      .describe("Values, or keyed hashes of them; absent where the model's privacy setting drops them"),
    features_hash: z.string().describe('Equal inputs have equal hashes'),
    prediction: ClassLabel,
    probabilities: z.array(z.number()).optional(),
    shadow: z
      .object({
        model_version: z.string(),
        prediction: ClassLabel.optional(),
        probabilities: z.array(z.number()).optional(),
        failed: z.literal(true).optional().describe('It gave nothing: gone, or of other inputs'),
      })
      .optional()
      .describe('What the shadow gave for the same input'),
  })
  .meta({ id: 'LoggedPrediction' });

export const ShadowReport = z
  .object({
    model_name: ModelName,
    comparisons: z.array(
      z.object({
        model_version: z.string(),
        shadow_version: z.string(),
        n: z.int().describe('Predictions that both have'),
        n_failed: z.int(),
        agreement: z.number().optional().describe('Share of equal classes; classification only'),
        mean_absolute_difference: z
          .number()
          .describe('Of the predictions, or of the probabilities of each class'),
        max_absolute_difference: z.number(),
      }),
    ),
  })
  .meta({ id: 'ShadowReport' });
export type ShadowReport = z.infer<typeof ShadowReport>;

export const PredictionList = z
  .object({
    items: z.array(LoggedPrediction).describe('Newest first'),
    n_lost_batches: z
      .int()
      .describe('Parts of the log between these that were lost with the process that held them'),
  })
  .meta({ id: 'PredictionList' });

const RowError = z.object({
  error: z.object({
    code: z.string(),
    detail: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })),
  }),
});

export const BatchedPredictionResponse = z
  .object({
    predictions: z.array(z.union([Prediction, RowError])).describe('One a row, in order'),
    n_rows: z.int(),
    n_failed: z.int(),
    request_id: z.string(),
  })
  .meta({ id: 'BatchedPredictionResponse' });
