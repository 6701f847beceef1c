import { z } from 'zod';

/** Messages of MLflow's scoring protocol. */

const Value = z.union([z.string(), z.number(), z.boolean(), z.null()]);

export const Invocation = z
  .object({
    dataframe_split: z
      .object({ columns: z.array(z.string()).optional(), data: z.array(z.array(Value)) })
      .optional(),
    dataframe_records: z.array(z.record(z.string(), Value)).optional(),
    instances: z.array(z.unknown()).optional(),
    inputs: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).optional(),
    params: z
      .object({ predict_method: z.enum(['predict', 'predict_proba']).optional() })
      .optional()
      .describe('Others are ignored'),
  })
  .describe('Exactly one of dataframe_split, dataframe_records, instances and inputs')
  .meta({ id: 'Invocation' });

export const InvocationResult = z
  .object({ predictions: z.array(z.unknown()).describe('Labels, values, or rows of probabilities') })
  .meta({ id: 'InvocationResult' });

export const ScoringError = z
  .object({ error_code: z.string(), message: z.string() })
  .meta({ id: 'ScoringError' });
