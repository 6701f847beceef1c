import { z } from 'zod';
import { ModelName, Timestamp, VersionName } from './names.ts';

/** How predictions of a model are made and kept; what is left out is the default. */
export const ServingSettings = z
  .strictObject({
    log: z
      .enum(['buffered', 'durable', 'off'])
      .optional()
      .describe(
        'buffered (the default) may lose the last seconds of a stopped function; durable writes before it answers',
      ),
    log_features: z
      .enum(['keep', 'hash', 'drop'])
      .optional()
      .describe('What the log keeps of the features: values (the default), a keyed hash of each, or nothing'),
    prediction_cache_seconds: z
      .int()
      .min(0)
      .max(86_400)
      .optional()
      .describe(
        'How long equal inputs get the same answer from the prediction cache; 0 (the default) is off',
      ),
    sagemaker_endpoint: z
      .string()
      .regex(/^[A-Za-z0-9](-?[A-Za-z0-9]){0,30}$/, 'must be 1 to 31 letters, digits and single hyphens')
      .optional()
      .describe('Ask the endpoint tenantml--<tenant>--<this> of SageMaker instead of running the graph here'),
  })
  .meta({ id: 'ServingSettings' });
export type ServingSettings = z.infer<typeof ServingSettings>;

export const ServingConfigurationRequest = z
  .strictObject({
    canary: z
      .strictObject({
        version: VersionName,
        weight: z.number().gt(0).lt(1).describe('Share of the calls, between 0 and 1'),
      })
      .optional()
      .describe('Takes a share of the calls; left out, there is none'),
    shadow: z
      .strictObject({ version: VersionName })
      .optional()
      .describe('Scores the same inputs when the log is written; nobody waits for its answers'),
    settings: ServingSettings.optional(),
  })
  .meta({ id: 'ServingConfigurationRequest' });
export type ServingConfigurationRequest = z.infer<typeof ServingConfigurationRequest>;

export const ServingConfiguration = z
  .object({
    model_name: ModelName,
    revision: z.int().describe('Rises by one with every change of what serves'),
    champion_version: z.string().optional(),
    canary: z.object({ version: z.string(), weight: z.number() }).optional(),
    shadow: z.object({ version: z.string() }).optional(),
    settings: ServingSettings,
  })
  .meta({ id: 'ServingConfiguration' });
export type ServingConfiguration = z.infer<typeof ServingConfiguration>;

/** What one environment of the predict function holds in memory for a tenant: that of the environment that answers. */
export const ModelCacheView = z
  .object({
    tenant_id: z.string().describe('Whose models these are: the tenant of the caller'),
    models: z.array(
      z.object({
        model_id: z.string(),
        manifest_sha256: z.string().describe('Of the version'),
        kind: z
          .enum(['model', 'explainer', 'endpoint'])
          .describe('The graph, what explains it, or what asks the endpoint that runs it'),
        state: z.enum(['loading', 'loaded']),
        bytes: z.int(),
        hits: z.int(),
        last_used_at: Timestamp,
        in_use: z.boolean(),
        segment: z.enum(['window', 'probation', 'protected']).describe('How likely it is to stay'),
      }),
    ),
    totals: z.object({
      models: z.int(),
      reserved_bytes: z.int(),
      loaded_bytes: z.int(),
      releasing_bytes: z.int(),
      hits: z.int(),
      misses: z.int(),
    }),
    limits: z.object({ max_bytes: z.int(), max_models: z.int() }),
  })
  .meta({ id: 'ModelCacheView' });
