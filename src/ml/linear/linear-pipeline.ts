/** A linear model with its preprocessing, as a pipeline model. */
import { predictionsFromScores } from '../class-probabilities.ts';
import { DescribedModel, descriptionFromJSON, type ModelDescription } from '../described-model.ts';
import type { PipelineModel, Predictions } from '../pipeline-model.ts';
import { type DesignEncoding, encodeDesign } from '../preprocessing/design-encoding.ts';
import { alignFeatures } from '../preprocessing/feature-columns.ts';
import { expandFeatures, type FeatureExpansion } from '../preprocessing/feature-expansion.ts';
import type { Table } from '../table.ts';
import { addProduct, type DesignMatrix } from './design-matrix.ts';
import type { LogisticWeights } from './logistic-regression.ts';

export interface LinearPreprocessing {
  readonly expansion: FeatureExpansion;
  /** Of the expansion's columns. */
  readonly encoding: DesignEncoding;
  /** Mean of each column of the design matrix over the training rows. */
  readonly columnMeans: Float64Array;
}

export class LinearPipelineModel extends DescribedModel implements PipelineModel {
  readonly expansion: FeatureExpansion;
  readonly encoding: DesignEncoding;
  readonly columnMeans: Float64Array;
  /** Regression has one score, the prediction itself. */
  readonly linear: LogisticWeights;

  constructor(
    description: ModelDescription,
    { expansion, encoding, columnMeans }: LinearPreprocessing,
    linear: LogisticWeights,
  ) {
    super(description);
    this.expansion = expansion;
    this.encoding = encoding;
    this.columnMeans = columnMeans;
    this.linear = linear;
    Object.freeze(this);
  }

  predict(table: Table): Predictions {
    return predictionsFromScores(this.scores(table), this.classes);
  }

  /** One column per score: the value itself, the log odds of the second of two classes, or one per class. */
  scores(table: Table): Float64Array[] {
    const design = this.design(table);
    return Array.from({ length: this.linear.nScores }, (_, k) => {
      const column = new Float64Array(table.nRows).fill(this.linear.intercepts[k]!);
      addProduct(design, this.linear.weights, k * design.nColumns, column);
      return column;
    });
  }

  design(table: Table): DesignMatrix {
    const columns = expandFeatures(alignFeatures(table, this.features), this.expansion);
    return encodeDesign(columns, this.encoding, table.nRows);
  }

  toJSON(): unknown {
    return {
      format: 'linear-pipeline-2',
      ...this.describe(),
      expansion: this.expansion,
      encoding: this.encoding,
      columnMeans: Array.from(this.columnMeans),
      nScores: this.linear.nScores,
      weights: Array.from(this.linear.weights),
      intercepts: Array.from(this.linear.intercepts),
    };
  }
}

export function linearPipelineFromJSON(json: unknown): LinearPipelineModel {
  const data = json as {
    expansion: FeatureExpansion;
    encoding: DesignEncoding;
    columnMeans: number[];
    nScores: number;
    weights: number[];
    intercepts: number[];
  };
  const { expansion, encoding } = data;
  const preprocessing = { expansion, encoding, columnMeans: Float64Array.from(data.columnMeans) };
  return new LinearPipelineModel(descriptionFromJSON(json), preprocessing, {
    nScores: data.nScores,
    weights: Float64Array.from(data.weights),
    intercepts: Float64Array.from(data.intercepts),
  });
}
