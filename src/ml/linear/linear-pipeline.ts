/** A linear model with its preprocessing, as a pipeline model. */
import { probabilitiesFromScores } from '../class-probabilities.ts';
import type { FitInput } from '../fit-input.ts';
import type { ClassLabel, FeatureSpec, PipelineModel, Predictions, Task } from '../pipeline-model.ts';
import { type DesignEncoding, encodeDesign } from '../preprocessing/design-encoding.ts';
import { alignFeatures } from '../preprocessing/feature-columns.ts';
import { expandFeatures, type FeatureExpansion } from '../preprocessing/feature-expansion.ts';
import type { Table } from '../table.ts';
import { addProduct } from './design-matrix.ts';
import type { LogisticWeights } from './logistic-regression.ts';

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
