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
import { alignFeatures } from '../preprocessing/feature-columns.ts';
import {
  expandFeatures,
  type FeatureExpansion,
  fitFeatureExpansion,
  type LearnerColumn,
} from '../preprocessing/feature-expansion.ts';
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
  readonly expansion: FeatureExpansion;
  /** One per category column of the expansion. */
  readonly orders: readonly TargetOrder[];
  /** Columns are those of the expansion. */
  readonly boosted: BoostedTrees;

  constructor(
    input: Pick<FitInput, 'task' | 'algorithm' | 'target' | 'specs' | 'classes'>,
    expansion: FeatureExpansion,
    orders: readonly TargetOrder[],
    boosted: BoostedTrees,
  ) {
    this.task = input.task;
    this.algorithm = input.algorithm;
    this.target = input.target;
    this.features = input.specs;
    if (input.classes !== undefined) this.classes = input.classes;
    this.expansion = expansion;
    this.orders = orders;
    this.boosted = boosted;
    Object.freeze(this);
  }

  predict(table: Table): Predictions {
    const expanded = expandFeatures(alignFeatures(table, this.features), this.expansion);
    const columns = numericColumns(expanded, this.orders);
    const scores = boostedScores(this.boosted, columns, table.nRows);
    if (this.classes === undefined) return { nRows: table.nRows, values: scores[0]! };
    return probabilitiesFromScores(scores, this.classes.length);
  }

  toJSON(): unknown {
    return {
      format: 'boosting-pipeline-2',
      task: this.task,
      algorithm: this.algorithm,
      target: this.target,
      features: this.features,
      classes: this.classes,
      expansion: this.expansion,
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
    expansion: FeatureExpansion;
    orders: TargetOrder[];
    nScores: number;
    initialScores: number[];
    trees: unknown;
  };
  return new BoostingPipelineModel({ ...data, specs: data.features }, data.expansion, data.orders, {
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
  const expansion = fitFeatureExpansion(input.features);
  const expanded = expandFeatures(input.features, expansion);
  const orders = expanded.flatMap((column, position) =>
    column.kind === 'category' ? [fitTargetOrder(column, position, targets)] : [],
  );
  const columns = numericColumns(expanded, orders);
  const result = fitGradientBoosting(
    columns,
    input.nRows,
    objectiveOf(input),
    optionsOf(input),
    hooks,
    checkpoint,
  );
  return result.done
    ? { done: true, model: new BoostingPipelineModel(input, expansion, orders, result.model) }
    : result;
}

function numericColumns(expanded: readonly LearnerColumn[], orders: readonly TargetOrder[]): Float32Array[] {
  const columns = expanded.map((column) => (column.kind === 'numeric' ? column.values : new Float32Array(0)));
  for (const order of orders) {
    const column = expanded[order.feature]!;
    if (column.kind === 'category') columns[order.feature] = orderedValues(column.codes, order);
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
