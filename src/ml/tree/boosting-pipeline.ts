/** Gradient boosting with its preprocessing, as a pipeline model. */
import { probabilitiesFromScores } from '../class-probabilities.ts';
import type { FitInput } from '../fit-input.ts';
import type {
  ClassLabel,
  FeatureSpec,
  FitHooks,
  FitResult,
  PipelineModel,
  Predictions,
  Task,
} from '../pipeline-model.ts';
import { alignFeatures, type FeatureColumn } from '../preprocessing/feature-columns.ts';
import { fitTargetOrder, orderedValues, type TargetOrder } from '../preprocessing/target-order.ts';
import type { Table } from '../table.ts';
import {
  type BoostedTrees,
  type BoostingOptions,
  boostedScores,
  fitGradientBoosting,
} from './gradient-boosting.ts';
import { binaryLogLoss, multinomialLogLoss, type Objective, squaredError } from './objective.ts';
import { ensembleFromJSON, ensembleToJSON } from './tree.ts';

export class BoostingPipelineModel implements PipelineModel {
  readonly task: Task;
  readonly algorithm: string;
  readonly target: string;
  readonly features: readonly FeatureSpec[];
  readonly classes?: readonly ClassLabel[];
  /** One per category feature. */
  readonly orders: readonly TargetOrder[];
  /** Columns are the features in order. */
  readonly boosted: BoostedTrees;

  constructor(
    input: Pick<FitInput, 'task' | 'algorithm' | 'target' | 'specs' | 'classes'>,
    orders: readonly TargetOrder[],
    boosted: BoostedTrees,
  ) {
    this.task = input.task;
    this.algorithm = input.algorithm;
    this.target = input.target;
    this.features = input.specs;
    if (input.classes !== undefined) this.classes = input.classes;
    this.orders = orders;
    this.boosted = boosted;
    Object.freeze(this);
  }

  predict(table: Table): Predictions {
    const columns = numericColumns(alignFeatures(table, this.features), this.orders);
    const scores = boostedScores(this.boosted, columns, table.nRows);
    if (this.classes === undefined) return { nRows: table.nRows, values: scores[0]! };
    return probabilitiesFromScores(scores, this.classes.length);
  }

  toJSON(): unknown {
    return {
      format: 'boosting-pipeline-1',
      task: this.task,
      algorithm: this.algorithm,
      target: this.target,
      features: this.features,
      classes: this.classes,
      orders: this.orders,
      nScores: this.boosted.nScores,
      initialScores: Array.from(this.boosted.initialScores),
      trees: ensembleToJSON(this.boosted.trees),
    };
  }
}

export function boostingPipelineFromJSON(json: unknown): BoostingPipelineModel {
  const data = json as {
    task: Task;
    algorithm: string;
    target: string;
    features: FeatureSpec[];
    classes?: ClassLabel[];
    orders: TargetOrder[];
    nScores: number;
    initialScores: number[];
    trees: unknown;
  };
  return new BoostingPipelineModel({ ...data, specs: data.features }, data.orders, {
    nScores: data.nScores,
    initialScores: Float32Array.from(data.initialScores),
    trees: ensembleFromJSON(data.trees),
  });
}

export function fitBoostingPipeline(
  input: FitInput,
  hooks: FitHooks,
  checkpoint?: unknown,
): FitResult<BoostingPipelineModel> {
  const targets = orderingTargets(input);
  const orders = input.features.flatMap((feature, position) =>
    feature.kind === 'category' ? [fitTargetOrder(feature, position, targets)] : [],
  );
  const columns = numericColumns(input.features, orders);
  const result = fitGradientBoosting(
    columns,
    input.nRows,
    objectiveOf(input),
    optionsOf(input),
    hooks,
    checkpoint,
  );
  return result.done ? { done: true, model: new BoostingPipelineModel(input, orders, result.model) } : result;
}

function numericColumns(features: readonly FeatureColumn[], orders: readonly TargetOrder[]): Float32Array[] {
  const columns = features.map((feature) =>
    feature.kind === 'numeric' ? feature.values : new Float32Array(0),
  );
  for (const order of orders) {
    const feature = features[order.feature]!;
    if (feature.kind === 'category') columns[order.feature] = orderedValues(feature.codes, order);
  }
  return columns;
}

function orderingTargets(input: FitInput): Float64Array[] {
  if (input.y !== undefined) return [input.y];
  const indices = input.classIndices!;
  const nClasses = input.classes!.length;
  if (nClasses === 2) return [Float64Array.from(indices)];
  return Array.from({ length: nClasses }, (_, k) =>
    Float64Array.from(indices, (index) => (index === k ? 1 : 0)),
  );
}

function objectiveOf(input: FitInput): Objective {
  if (input.y !== undefined) return squaredError(input.y);
  const nClasses = input.classes!.length;
  return nClasses === 2
    ? binaryLogLoss(input.classIndices!, input.sampleWeights)
    : multinomialLogLoss(input.classIndices!, nClasses, input.sampleWeights);
}

function optionsOf({ hyperparameters, randomState }: FitInput): BoostingOptions {
  const numbers = hyperparameters as Record<string, number>;
  return {
    nEstimators: numbers.n_estimators!,
    learningRate: numbers.learning_rate!,
    maxLeafNodes: numbers.max_leaf_nodes!,
    maxDepth: hyperparameters.max_depth === null ? undefined : numbers.max_depth!,
    minSamplesLeaf: numbers.min_samples_leaf!,
    l2Regularization: numbers.l2_regularization!,
    maxBins: numbers.max_bins!,
    randomState,
  };
}
