/** Fits preprocessing and learner as one model, whatever the algorithm; models travel as JSON. */
import { TrainingError } from '../errors.ts';
import { fitBaselinePipeline } from './baseline/baseline-pipeline.ts';
import { fitForestPipeline } from './ensemble/forest-pipeline.ts';
import { type FitInput, fitInputOf } from './fit-input.ts';
import {
  fitElasticNetPipeline,
  fitLinearRegressionPipeline,
  fitLogisticPipeline,
  fitRidgePipeline,
} from './linear/fit-linear.ts';
import type { FitHooks, FitResult, PipelineModel, PipelineSpec } from './pipeline-model.ts';
import type { Table } from './table.ts';
import { fitBoostingPipeline } from './tree/boosting-pipeline.ts';

export { pipelineFromJSON } from './pipeline-from-json.ts';
export type {
  ClassLabel,
  FeatureSpec,
  FitHooks,
  FitResult,
  PipelineModel,
  PipelineSpec,
  Predictions,
  Task,
} from './pipeline-model.ts';

type Fit = (input: FitInput, hooks: FitHooks, checkpoint?: unknown) => FitResult<PipelineModel>;

const fits: Readonly<Record<string, Fit>> = {
  gradient_boosting: fitBoostingPipeline,
  random_forest: fitForestPipeline,
  extra_trees: fitForestPipeline,
  logistic_regression: fitLogisticPipeline,
  linear_regression: fitLinearRegressionPipeline,
  ridge: fitRidgePipeline,
  lasso: fitElasticNetPipeline,
  elastic_net: fitElasticNetPipeline,
  baseline: fitBaselinePipeline,
};

/** What a paused fit hands back: the learner's own state, and the fit that it belongs to. */
interface Checkpoint {
  readonly format: 'fit-checkpoint-1';
  readonly spec: string;
  readonly nRows: number;
  readonly state: unknown;
}

/**
 * Learns from every column but the target. The same table, spec and seed give the same model, paused or not.
 * @param checkpoint - of an earlier call with the same table and spec that ended with `done: false`.
 * @throws ValidationError for a broken spec; TrainingError for a table that cannot be learnt from, and
 * CHECKPOINT_MISMATCH for a checkpoint of another fit.
 */
export function fitPipeline(
  train: Table,
  spec: PipelineSpec,
  hooks: FitHooks = {},
  checkpoint?: unknown,
): FitResult<PipelineModel> {
  const input = fitInputOf(train, spec);
  const identity = specIdentity(input);
  const state = checkpoint === undefined ? undefined : stateOf(checkpoint, identity, input.nRows);
  const result = fits[input.algorithm]!(input, hooks, state);
  if (result.done) return result;
  const paused: Checkpoint = {
    format: 'fit-checkpoint-1',
    spec: identity,
    nRows: input.nRows,
    state: result.checkpoint,
  };
  return { done: false, checkpoint: paused };
}

function specIdentity({ task, algorithm, target, hyperparameters, randomState, specs }: FitInput): string {
  return JSON.stringify({
    task,
    algorithm,
    target,
    hyperparameters,
    randomState,
    features: specs.map((one) => one.name),
  });
}

function stateOf(checkpoint: unknown, identity: string, nRows: number): unknown {
  const { format, spec, nRows: checkpointRows, state } = checkpoint as Partial<Checkpoint>;
  if (format === 'fit-checkpoint-1' && spec === identity && checkpointRows === nRows) return state;
  throw new TrainingError(
    'CHECKPOINT_MISMATCH',
    `the checkpoint belongs to another fit (${checkpointRows} rows, ${spec}), not to this one (${nRows} rows, ${identity}); start without it`,
  );
}
