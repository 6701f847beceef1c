import { z } from 'zod';
import { environments, trialEnvironments } from './environment-names.ts';
import { ModelName, Timestamp, VersionName } from './names.ts';

export const Environment = z.enum(environments).meta({ id: 'Environment' });

/** Of a prediction: where it is asked for. */
export const inEnvironment = z.object({
  environment: Environment.optional().describe('Whose version answers; production when left out'),
});

export const TrialEnvironment = z
  .enum(
    trialEnvironments,
    'must be development or staging; production is changed by POST /api/v1/ml/deploy/{model_name}/{model_version}',
  )
  .meta({ id: 'TrialEnvironment' });

export const EnvironmentRequest = z
  .strictObject({
    version: VersionName,
    force: z
      .boolean()
      .default(false)
      .describe('Also a version that has failed, which the state machine of stages keeps out of Staging'),
    reason: z.string().max(1_000).default(''),
  })
  .meta({ id: 'EnvironmentRequest' });
export type EnvironmentRequest = z.infer<typeof EnvironmentRequest>;

/** What one environment of a model serves. */
export const ModelEnvironment = z
  .object({
    environment: Environment,
    model_version: z.string().optional().describe('Nothing is deployed there when it is left out'),
    revision: z.int().optional().describe('Of the change that brought it there'),
    deployed_at: Timestamp.optional(),
    actor: z.string().optional(),
  })
  .meta({ id: 'ModelEnvironment' });
export type ModelEnvironment = z.infer<typeof ModelEnvironment>;

export const EnvironmentList = z
  .object({ model_name: ModelName, items: z.array(ModelEnvironment) })
  .meta({ id: 'EnvironmentList' });
export type EnvironmentList = z.infer<typeof EnvironmentList>;

export const EnvironmentDeployment = z
  .object({
    model_name: ModelName,
    environment: Environment,
    model_version: z.string().optional(),
    previous_version: z.string().optional(),
    revision: z.int(),
    status: z.enum(['deployed', 'withdrawn']),
    deployed_at: Timestamp,
  })
  .meta({ id: 'EnvironmentDeployment' });
export type EnvironmentDeployment = z.infer<typeof EnvironmentDeployment>;
