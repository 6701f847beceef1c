/** Exact Shapley values of linear models. */
import { coefficientsOf } from '../linear/coefficients.ts';
import type { LinearPipelineModel } from '../linear/linear-pipeline.ts';
import type { Table } from '../table.ts';
import type { ShapValues } from './tree-shap.ts';

/**
 * Weight times distance from the training mean, added up over the columns of a feature: the Shapley values under
 * independent features (Lundberg and Lee 2017, corollary 1). The base is the score of the mean training row.
 * Cost O(nRows · nScores · (dense columns + one-hot blocks)).
 * @throws PredictionError as `predict` does.
 */
export function linearContributions(model: LinearPipelineModel, table: Table): ShapValues {
  const { nScores, weights, intercepts } = model.linear;
  const { coefficients } = coefficientsOf(model);
  const { nRows } = table;
  const nFeatures = model.features.length;
  const nColumns = coefficients.length;
  const design = model.design(table);
  const base = Float64Array.from(intercepts);
  // What a feature's columns add to the mean row's score, which every row's contribution is measured from.
  const expected = new Float64Array(nScores * nFeatures);
  coefficients.forEach(({ source, mean }, j) => {
    for (let k = 0; k < nScores; k++) {
      const part = weights[k * nColumns + j]! * mean;
      base[k]! += part;
      expected[k * nFeatures + source]! += part;
    }
  });
  const values = new Float64Array(nRows * nScores * nFeatures);
  for (let row = 0; row < nRows; row++)
    values.set(
      expected.map((part) => -part),
      row * expected.length,
    );
  for (let k = 0; k < nScores; k++) {
    const at = (row: number, source: number) => (row * nScores + k) * nFeatures + source;
    let column = 0;
    for (const dense of design.dense) {
      const { source } = coefficients[column]!;
      const weight = weights[k * nColumns + column]!;
      for (let row = 0; row < nRows; row++) values[at(row, source)]! += weight * dense[row]!;
      column++;
    }
    for (const { codes, width } of design.blocks) {
      const { source } = coefficients[column]!;
      const first = k * nColumns + column;
      for (let row = 0; row < nRows; row++) {
        if (codes[row]! >= 0) values[at(row, source)]! += weights[first + codes[row]!]!;
      }
      column += width;
    }
  }
  return { nRows, nScores, nFeatures, base, values };
}
