/** The weights of a linear model by name, as data to show and to explain by. */
import { type DesignColumn, designColumns } from '../preprocessing/design-columns.ts';
import type { LinearPipelineModel } from './linear-pipeline.ts';

export interface Coefficient extends DesignColumn {
  /** One per score, per unit of the design column; divide by `scale` for one unit of the feature. */
  readonly weights: readonly number[];
  /** Of the design column over the training rows. */
  readonly mean: number;
}

export interface Coefficients {
  /** One per score: of a row whose design columns are all 0, which scaled columns are at their center. */
  readonly intercepts: readonly number[];
  /** In the order of the design matrix. */
  readonly coefficients: readonly Coefficient[];
}

export function coefficientsOf(model: LinearPipelineModel): Coefficients {
  const { nScores, weights, intercepts } = model.linear;
  const columns = designColumns(model.features, model.expansion, model.encoding, model.classes);
  return {
    intercepts: Array.from(intercepts),
    coefficients: columns.map((column, j) => ({
      ...column,
      weights: Array.from({ length: nScores }, (_, k) => weights[k * columns.length + j]!),
      mean: model.columnMeans[j]!,
    })),
  };
}
