/** Logistic and ridge regression with their preprocessing, as pipeline models. */

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
import { type DesignEncoding, encodeDesign, fitDesignEncoding } from '../preprocessing/design-encoding.ts';
import { alignFeatures, type FeatureColumn } from '../preprocessing/feature-columns.ts';
import {
  expandFeatures,
  type FeatureExpansion,
  fitFeatureExpansion,
} from '../preprocessing/feature-expansion.ts';
import type { Table } from '../table.ts';
import { addProduct } from './design-matrix.ts';
import { fitLogisticRegression, type LogisticWeights } from './logistic-regression.ts';
import { fitRidge } from './ridge.ts';

export class LinearPipelineModel implements PipelineModel {
  readonly task: Task;
  readonly algorithm: string;
  readonly target: string;
  readonly features: readonly FeatureSpec[];
  readonly classes?: readonly ClassLabel[];
  readonly expansion: FeatureExpansion;
  /** Of the expansion's columns. */
  readonly encoding: DesignEncoding;
  /** Regression has one score, the prediction itself. */
  readonly linear: LogisticWeights;

  constructor(
    input: Pick<FitInput, 'task' | 'algorithm' | 'target' | 'specs' | 'classes'>,
    expansion: FeatureExpansion,
    encoding: DesignEncoding,
    linear: LogisticWeights,
  ) {
    this.task = input.task;
    this.algorithm = input.algorithm;
    this.target = input.target;
    this.features = input.specs;
    if (input.classes !== undefined) this.classes = input.classes;
    this.expansion = expansion;
    this.encoding = encoding;
    this.linear = linear;
    Object.freeze(this);
  }

  predict(table: Table): Predictions {
    const columns = expandFeatures(alignFeatures(table, this.features), this.expansion);
    const design = encodeDesign(columns, this.encoding, table.nRows);
    const scores = Array.from({ length: this.linear.nScores }, (_, k) => {
      const column = new Float64Array(table.nRows).fill(this.linear.intercepts[k]!);
      addProduct(design, this.linear.weights, k * design.nColumns, column);
      return column;
    });
    if (this.classes === undefined) return { nRows: table.nRows, values: scores[0]! };
    return probabilitiesFromScores(scores, this.classes.length);
  }

  toJSON(): unknown {
    return {
      format: 'linear-pipeline-2',
      task: this.task,
      algorithm: this.algorithm,
      target: this.target,
      features: this.features,
      classes: this.classes,
      expansion: this.expansion,
      encoding: this.encoding,
      nScores: this.linear.nScores,
      weights: Array.from(this.linear.weights),
      intercepts: Array.from(this.linear.intercepts),
    };
  }
}

export function linearPipelineFromJSON(json: unknown): LinearPipelineModel {
  const data = json as {
    task: Task;
    algorithm: string;
    target: string;
    features: FeatureSpec[];
    classes?: ClassLabel[];
    expansion: FeatureExpansion;
    encoding: DesignEncoding;
    nScores: number;
    weights: number[];
    intercepts: number[];
  };
  return new LinearPipelineModel({ ...data, specs: data.features }, data.expansion, data.encoding, {
    nScores: data.nScores,
    weights: Float64Array.from(data.weights),
    intercepts: Float64Array.from(data.intercepts),
  });
}

export function fitRidgePipeline(input: FitInput, hooks: FitHooks): FitResult<LinearPipelineModel> {
  const { expansion, encoding, design } = designOf(input.features, input.nRows);
  const { weights, intercept } = fitRidge(design, input.y!, input.hyperparameters.alpha as number);
  hooks.onProgress?.(1);
  const linear = { nScores: 1, weights, intercepts: Float64Array.of(intercept) };
  return { done: true, model: new LinearPipelineModel(input, expansion, encoding, linear) };
}

export function fitLogisticPipeline(
  input: FitInput,
  hooks: FitHooks,
  checkpoint?: unknown,
): FitResult<LinearPipelineModel> {
  const { expansion, encoding, design } = designOf(input.features, input.nRows);
  const { C, max_iter, tol } = input.hyperparameters as { C: number; max_iter: number; tol: number };
  const result = fitLogisticRegression(
    design,
    input.classIndices!,
    input.classes!.length,
    { C, maxIter: max_iter, tol },
    input.sampleWeights,
    hooks,
    checkpoint,
  );
  if (!result.done) return result;
  hooks.onProgress?.(1);
  return { done: true, model: new LinearPipelineModel(input, expansion, encoding, result.model) };
}

function designOf(features: readonly FeatureColumn[], nRows: number) {
  const expansion = fitFeatureExpansion(features);
  const columns = expandFeatures(features, expansion);
  const encoding = fitDesignEncoding(columns);
  return { expansion, encoding, design: encodeDesign(columns, encoding, nRows) };
}
