import type { TrialEnvironment } from '../contracts/environment-names.ts';
import type { ClassLabel, ModelManifest } from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import type { Explanation } from '../contracts/prediction.ts';
import { MLFrameworkError, PredictionError, ValidationError } from '../errors.ts';
import type { FeatureBatch } from './feature-batch.ts';
import type { GraphOutput, LoadedModel } from './model-executor.ts';

/** Nothing serves this model: it is unknown, or out of service. */
export class ModelNotServedError extends MLFrameworkError {
  constructor(model: string, environment?: TrialEnvironment) {
    const nowhere = `no deployed model ${model}; GET /api/v1/ml/models lists yours`;
    const message =
      environment === undefined
        ? nowhere
        : `no model ${model} is deployed in ${environment}; PUT /api/v1/ml/models/${model}/environments/${environment} deploys one there`;
    super('MODEL_NOT_FOUND', message, {
      evidence: { model_id: model, ...(environment === undefined ? {} : { environment }) },
    });
  }
}

/** The model is served, but not by this version. */
export class VersionNotServedError extends MLFrameworkError {
  constructor(model: string, version: string, served: readonly string[]) {
    super(
      'VERSION_NOT_SERVED',
      `version ${version} of model ${model} does not serve; ${served.join(' and ')} ${served.length > 1 ? 'do' : 'does'}: leave the version out, or deploy it first`,
      { evidence: { model_id: model, served } },
    );
  }
}

/** What is stored is not what was made here: an operator has to know. */
export abstract class ArtifactRefusedError extends PredictionError {}

/** The stored bytes are not the bytes that were registered. */
export class ArtifactDamagedError extends ArtifactRefusedError {
  constructor(model: string, version: string) {
    super(
      'ARTIFACT_DAMAGED',
      `the artifact of version ${version} of model ${model} does not match its sha256; deploy another version`,
    );
  }
}

/** There is nothing beside the graph that could say why. */
export class ExplanationNotAvailableError extends ValidationError {
  constructor(model: string, version: string) {
    super(
      `version ${version} of model ${model} cannot be explained: what SHAP values need is kept on the platform, for models that it trained; leave explain out`,
      { code: 'EXPLANATION_NOT_AVAILABLE', errors: [{ pointer: '/explain', detail: 'not available' }] },
    );
  }
}

/** A version in memory. */
export interface ServedModel extends LoadedModel {
  readonly manifest: ModelManifest;
  /** Finds out whether it can be run. @default - by a row of which everything is missing */
  ready?(): Promise<void>;
}

/** What came out for the rows of one call. */
export interface Scored {
  readonly model: ModelName;
  readonly version: string;
  readonly manifest: ModelManifest;
  readonly batch: FeatureBatch;
  readonly output: GraphOutput;
  /** Prediction ids, one a row. */
  readonly ids: readonly string[];
  /** Whether the model was in memory. */
  readonly cache: 'hit' | 'miss';
  /** Whether equal inputs were scored before; `undefined` where that is not asked. */
  readonly outputCache: 'hit' | 'miss' | undefined;
  /** One a row, where they were asked for. */
  readonly explanations?: readonly Explanation[] | undefined;
}

/** @returns the label of a row: what the graph says, or else the most likely class */
export function labelOf(
  { labels, probabilities }: GraphOutput,
  classes: readonly ClassLabel[] | undefined,
  row: number,
): ClassLabel {
  return labels === undefined ? classes![bestClass(probabilities!, row, classes!.length)]! : labels[row]!;
}

/** @returns the position of the most likely class of a row */
export function bestClass(probabilities: Float32Array, row: number, nClasses: number): number {
  const first = row * nClasses;
  let best = 0;
  for (let k = 1; k < nClasses; k++) if (probabilities[first + k]! > probabilities[first + best]!) best = k;
  return best;
}
