/** Where a version of a model answers predictions. No schema library here: the predict path loads this file. */

export const environments = ['development', 'staging', 'production'] as const;
export type Environment = (typeof environments)[number];

/** Where versions are tried; production is changed by deploying. */
export const trialEnvironments = ['development', 'staging'] as const;
export type TrialEnvironment = (typeof trialEnvironments)[number];

export const isTrialEnvironment = (text: string): text is TrialEnvironment =>
  (trialEnvironments as readonly string[]).includes(text);

export const isEnvironment = (text: string): text is Environment =>
  (environments as readonly string[]).includes(text);
