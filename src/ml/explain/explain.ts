/** Why a model predicts what it predicts, per row and per feature, the same call for every model. */
import { ValidationError } from '../../errors.ts';
import { BaselinePipelineModel } from '../baseline/baseline-pipeline.ts';
import { ForestPipelineModel } from '../ensemble/forest-pipeline.ts';
import { LinearPipelineModel } from '../linear/linear-pipeline.ts';
import type { PipelineModel } from '../pipeline-model.ts';
import { alignFeatures } from '../preprocessing/feature-columns.ts';
import type { Table } from '../table.ts';
import { BoostingPipelineModel } from '../tree/boosting-pipeline.ts';
import { linearContributions } from './linear-shap.ts';
import { type TreeImportance, treeImportance } from './tree-importance.ts';
import { type ScoredTrees, type ShapValues, treeShap } from './tree-shap.ts';

/** What the values add up to. */
export type ScoreScale =
  /** Of the second of two classes. */
  | 'log_odds'
  /** One per class; softmax turns them into probabilities. */
  | 'class_scores'
  /** Of the second of two classes, or one per class. */
  | 'probability'
  | 'prediction'
  /** The prediction is its exponential. */
  | 'log_prediction';

/** score k of a row = base[k] + the sum of its values over the features, within rounding. */
export interface Explanation extends ShapValues {
  /** Names of the model's features, in the order of the values. */
  readonly features: readonly string[];
  readonly scale: ScoreScale;
}

/** Trees, the columns that they test, and the feature behind each column. */
interface TreeView extends ScoredTrees {
  readonly sources: readonly number[];
  readonly scale: ScoreScale;
  columns(table: Table): Float32Array[];
}

/**
 * Shapley values: of trees exactly, what is unknown following both sides of a split as the training rows did
 * (path-dependent TreeSHAP); of linear models under independent features. Those of columns that come from one feature
 * are added up. A baseline looks at nothing: its values are 0.
 * @throws PredictionError as `predict` does; ValidationError EXPLANATION_NOT_AVAILABLE for a model without any.
 */
export function explain(model: PipelineModel, table: Table): Explanation {
  const features = model.features.map((feature) => feature.name);
  const view = treeViewOf(model);
  if (view === undefined) return { ...shapWithoutTrees(model, table), features, scale: scaleOf(model) };
  const shap = treeShap(view, view.columns(table), table.nRows, view.sources, features.length);
  return { ...shap, features, scale: view.scale };
}

/**
 * Gain and number of splits per feature, in the order of the model's features.
 * @throws ValidationError EXPLANATION_NOT_AVAILABLE for a model without trees.
 */
export function importanceOf(model: PipelineModel): TreeImportance {
  const view = treeViewOf(model);
  if (view === undefined) throw notAvailable(model);
  return treeImportance(view.trees, view.sources, model.features.length);
}

function treeViewOf(model: PipelineModel): TreeView | undefined {
  if (model instanceof BoostingPipelineModel) {
    return {
      ...model.boosted,
      sources: model.encoding.expansion.columns.map((column) => column.source),
      scale: model.link === 'log' ? 'log_prediction' : scaleOf(model),
      columns: (table) => model.columns(table),
    };
  }
  if (model instanceof ForestPipelineModel) {
    const { trees, base } = model.forest;
    return {
      trees,
      nScores: trees.width,
      initialScores: new Float64Array(trees.width).fill(base),
      sources: model.encoding.expansion.columns.map((column) => column.source),
      scale: model.classes === undefined ? 'prediction' : 'probability',
      columns: (table) => model.columns(table),
    };
  }
  return undefined;
}

function scaleOf(model: PipelineModel): ScoreScale {
  if (model.classes === undefined) return 'prediction';
  return model.classes.length === 2 ? 'log_odds' : 'class_scores';
}

function shapWithoutTrees(model: PipelineModel, table: Table): ShapValues {
  if (model instanceof LinearPipelineModel) return linearContributions(model, table);
  if (model instanceof BaselinePipelineModel) return constantShap(model, table);
  throw notAvailable(model);
}

function constantShap(model: BaselinePipelineModel, table: Table): ShapValues {
  alignFeatures(table, model.features);
  const nScores = model.scores.length;
  const nFeatures = model.features.length;
  return {
    nRows: table.nRows,
    nScores,
    nFeatures,
    base: Float64Array.from(model.scores),
    values: new Float64Array(table.nRows * nScores * nFeatures),
  };
}

function notAvailable({ algorithm }: PipelineModel): ValidationError {
  return new ValidationError(
    `a model of algorithm "${algorithm}" has no such explanation; permutation importance works with every model`,
    { code: 'EXPLANATION_NOT_AVAILABLE', evidence: { algorithm } },
  );
}
